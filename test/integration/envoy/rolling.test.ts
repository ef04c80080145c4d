import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { DRAIN_SECONDS, serviceNamed } from "../../../mesh";
import { ZONES, type ZoneName } from "../../../mesh/model";
import { OPTIONS } from "../../unit/envoy/fixture";
import { versionsMesh } from "../../unit/envoy/versions-fixture";
import type { ShareLoad } from "./share-load";
import { Issuer } from "./issuer";
import { Network, type Host } from "./network";
import { Authority, type TrustBundle } from "./pki";
import { labDirectory, removeLabDirectory, Sidecar, until } from "./sidecar";

const SHOP = "shop.lucid.internal";
const PER_SECOND = 240;
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** An instance is replaced by another as a rolling update does it, under load and without retries: with the drain that a pod's `preStop` gives, and without. */
describe("a rolling update, live", function () {
  this.timeout(180_000);
  let network: Network;
  let resolver: Host;
  let caller: Sidecar;
  let instances: readonly Sidecar[];

  before(async () => {
    const directory = labDirectory();
    network = new Network(directory);
    const host = (name: string) => network.host(name, volumes(directory, name));
    resolver = await host("resolver");
    const ops = await Authority.create("ops");
    const bundle = await ops.bundle();
    const trust = Object.fromEntries(ZONES.map((zone) => [zone, bundle])) as Record<ZoneName, TrustBundle>;
    const options = { ...OPTIONS, tracing: false, retries: false, resolverAddress: resolver.address };
    const mesh = versionsMesh({ versions: { stable: 100 }, routes: [] });
    const issuer = new Issuer();
    const start = async (name: string, service: "console" | "shop") => {
      const model = serviceNamed(mesh, service);
      const sidecar = new Sidecar(model, await host(name), options);
      await sidecar.host.call("serveHttp", { service: name, port: 8080 });
      const leaf = await ops.issue(model.hostname, model.identity);
      sidecar.mountKeys(issuer.published);
      sidecar.mount(mesh, { ...leaf, token: issuer.issue(model) }, trust);
      await sidecar.start();
      return sidecar;
    };
    await resolver.call("serveDns", { address: resolver.address, port: 53, records: {} });
    const started = [];
    for (const name of ["first", "second", "third"]) started.push(await start(name, "shop"));
    instances = started;
    await discover(0);
    caller = await start("console", "console");
    await until("the callee is known", async () => (await members()) > 0);
  });
  after(async () => {
    await Promise.all([caller, ...instances].map((sidecar) => sidecar.stop()));
    await network.close();
    removeLabDirectory();
  });

  const instance = (index: number): Sidecar => instances[index] ?? assert.fail();
  const members = () => caller.stat("cluster.outbound|shop|http.membership_total");

  /** Discovery knows one instance: what the controller makes of a pod that is ready and one that ends. */
  const discover = (index: number) => {
    const addresses = [instance(index).host.address];
    return resolver.call("setRecords", {
      records: {
        "shop.service.discovery.lucid.internal": addresses,
        "v-stable.shop.service.discovery.lucid.internal": addresses,
      },
    });
  };

  /** Puts an instance in another's place under load; the old one goes on for so many seconds. */
  const replace = async (from: number, to: number, drainSeconds: number): Promise<ShareLoad> => {
    const load = { host: SHOP, port: 80, path: "/", connections: 8, perSecond: PER_SECOND };
    const running = caller.host.call("shareLoad", { ...load, forMs: (drainSeconds + 10) * 1000 });
    await pause(1);
    await discover(to);
    await pause(drainSeconds);
    await instance(from).stop();
    return running;
  };

  it(`loses no request where the old instance answers for ${String(DRAIN_SECONDS)} s more`, async () => {
    const { requests, failed, answered } = await replace(0, 1, DRAIN_SECONDS);
    console.log(`      ${String(requests)} requests, ${JSON.stringify(answered)}`);
    assert.deepEqual(failed, {});
    assert.ok(requests > PER_SECOND * DRAIN_SECONDS * 0.8, "the load was carried");
    assert.deepEqual(Object.keys(answered).sort(), ["first", "second"]);
  });

  it("loses requests where it ends at once: it is the drain that saves them", async () => {
    const { failed } = await replace(1, 2, 0);
    console.log(`      without a drain: ${JSON.stringify(failed)}`);
    assert.ok(Object.keys(failed).length > 0);
  });
});

function volumes(directory: string, name: string): string {
  const folder = path.join(directory, name);
  fs.mkdirSync(path.join(folder, "etc/envoy"), { recursive: true });
  fs.mkdirSync(path.join(folder, "var/run/envoy"), { recursive: true });
  fs.chmodSync(path.join(folder, "var/run/envoy"), 0o777);
  fs.writeFileSync(path.join(folder, "resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
  return folder;
}
