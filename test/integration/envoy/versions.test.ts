import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { discoveryNameOf, serviceNamed, versionDiscoveryName } from "../../../mesh";
import type { Mesh, ZoneName } from "../../../mesh/model";
import { ZONES } from "../../../mesh/model";
import { OPTIONS } from "../../unit/envoy/fixture";
import { versionsMesh, type VersionsDocument } from "../../unit/envoy/versions-fixture";
import type { ShareLoad } from "./share-load";
import { Issuer } from "./issuer";
import { Network, type Host } from "./network";
import { Authority, type TrustBundle } from "./pki";
import { labDirectory, removeLabDirectory, Sidecar, until } from "./sidecar";

const VERSIONS = ["stable", "canary"] as const;
type Version = (typeof VERSIONS)[number];
const SHOP = "shop.lucid.internal";
/** Requests of one measurement, and how far the share may be from its weight: five standard deviations at ten percent. */
const MEASURED = 8000;
const TOLERANCE = 0.02;
/** Ejections of a few times five seconds, which are looked at every five seconds. */
const RETURN_MS = 45_000;

/** One caller, and one instance of each version of its callee, on real Envoys; the caller's sidecar doesn't retry, so that every failure is seen. */
describe("versions, live", function () {
  this.timeout(180_000);
  let network: Network;
  let resolver: Host;
  let caller: Sidecar;
  let callees: Record<Version, Sidecar>;

  before(async () => {
    const directory = labDirectory();
    network = new Network(directory);
    const host = (name: string) => network.host(name, volumes(directory, name));
    resolver = await host("resolver");
    const ops = await Authority.create("ops");
    const bundle = await ops.bundle();
    const trust = Object.fromEntries(ZONES.map((zone) => [zone, bundle])) as Record<ZoneName, TrustBundle>;
    const options = { ...OPTIONS, tracing: false, retries: false, resolverAddress: resolver.address };
    const mesh = versionsMesh();
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
    callees = { stable: await start("stable", "shop"), canary: await start("canary", "shop") };
    await resolver.call("setRecords", { records: records(VERSIONS) });
    caller = await start("console", "console");
    await until("the cluster has its hosts", () => knows(2));
  });
  after(async () => {
    await Promise.all([caller, ...Object.values(callees)].map((sidecar) => sidecar.stop()));
    await network.close();
    removeLabDirectory();
  });

  /** What discovery knows while these versions have passing instances, and of the stable one more at addresses where nobody listens. */
  const records = (passing: readonly Version[], dead: readonly string[] = []): Record<string, string[]> => {
    const instances = (version: Version) => [callees[version].host.address, ...(version === "stable" ? dead : [])];
    return {
      "shop.service.discovery.lucid.internal": passing.flatMap(instances),
      ...Object.fromEntries(
        passing.map((version) => [versionDiscoveryName(discoveryNameOf("shop"), version), instances(version)]),
      ),
    };
  };

  /** Whether the caller's cluster has so many instances, each of which stands there by its version and by its service. */
  const knows = async (instances: number): Promise<boolean> =>
    (await caller.stat("cluster.outbound|shop|http.membership_total")) === 2 * instances;

  const declare = async (changes: VersionsDocument): Promise<void> => {
    const read = () =>
      Promise.all(["listener_manager.lds", "cluster_manager.cds"].map((name) => caller.stat(`${name}.update_success`)));
    const before = await read();
    const mesh: Mesh = versionsMesh(changes);
    caller.mountConfig(mesh);
    await until("listeners and clusters are read", async () =>
      (await read()).every((count, index) => count > (before[index] ?? 0)),
    );
    await until("the clusters are in use", async () => (await caller.stat("cluster_manager.warming_clusters")) === 0);
  };

  const load = (more: Partial<Parameters<typeof caller.host.call<"shareLoad">>[1]>): Promise<ShareLoad> =>
    caller.host.call("shareLoad", { host: SHOP, port: 80, path: "/", connections: 6, ...more });

  const shares = ({ requests, answered }: ShareLoad): string =>
    VERSIONS.map((version) => `${version} ${(((answered[version] ?? 0) * 100) / requests).toFixed(2)} %`).join(", ");

  for (const [stable, canary] of [
    [90, 10],
    [50, 50],
    [1, 99],
  ] as const) {
    it(`weights ${String(stable)} and ${String(canary)} are kept within 2 %`, async () => {
      await declare({ versions: { stable, canary } });
      const measured = await load({ requests: MEASURED });
      console.log(`      ${String(measured.requests)} requests: ${shares(measured)}`);
      assert.deepEqual(measured.failed, {});
      assert.ok(Math.abs((measured.answered["canary"] ?? 0) / measured.requests - canary / 100) <= TOLERANCE);
    });
  }

  it("a version without weight gets nothing, and its route's requests all the same", async () => {
    await declare({ versions: { stable: 100, canary: 0 } });
    assert.deepEqual((await load({ requests: 300 })).answered, { stable: 300 });
    assert.deepEqual((await load({ requests: 300, headers: { "x-canary": "no" } })).answered, { stable: 300 });
    assert.deepEqual((await load({ requests: 300, headers: { "x-canary": "yes" } })).answered, { canary: 300 });
    const to = async (method: string, path: string) => {
      const answer = await caller.host.call("request", { host: SHOP, port: 80, path, method });
      return (JSON.parse(answer.body ?? "") as { service: string }).service;
    };
    assert.equal(await to("POST", "/v2/items"), "canary");
    assert.equal(await to("PUT", "/next?page=2"), "canary");
    assert.equal(await to("GET", "/v2/items"), "stable", "the method is not the route's");
    assert.equal(await to("POST", "/v2"), "stable", "the path is not the route's");
    assert.equal(await to("POST", "/v1/../v2/items"), "canary", "the path is normalized first");
  });

  it("a weight changes under load without a failed request", async () => {
    await declare({ versions: { stable: 100, canary: 0 }, routes: [] });
    const running = load({ forMs: 6000, perSecond: 300 });
    for (const canary of [10, 50, 90, 100]) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await declare({ versions: { stable: 100 - canary, canary }, routes: [] });
    }
    const measured = await running;
    console.log(`      ${String(measured.requests)} requests, weights changed four times: ${shares(measured)}`);
    assert.deepEqual(measured.failed, {});
    assert.ok(measured.requests > 1000 && (measured.answered["stable"] ?? 0) > 200);
    assert.deepEqual((await load({ requests: 300 })).answered, { canary: 300 });
  });

  it("a version that is new, and has a share at once, fails no request either", async () => {
    for (let round = 0; round < 5; round++) {
      await declare({ versions: { stable: 100 }, routes: [] });
      await resolver.call("setRecords", { records: records(VERSIONS) });
      const running = load({ forMs: 2000, perSecond: 600 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await declare({ versions: { stable: 20, canary: 80 }, routes: [] });
      const measured = await running;
      assert.deepEqual(measured.failed, {});
      assert.ok((measured.answered["canary"] ?? 0) > 100, shares(measured));
    }
  });

  it("the share of a version without an instance goes to the service's others", async () => {
    await declare({ versions: { stable: 50, canary: 50 } });
    await resolver.call("setRecords", { records: records(["stable"]) });
    await until("its instance is unknown", () => knows(1));
    const measured = await load({ requests: 500 });
    assert.deepEqual([measured.failed, measured.answered], [{}, { stable: 500 }]);
    const routed = await load({ requests: 100, headers: { "x-canary": "yes" } });
    assert.deepEqual([routed.failed, routed.answered], [{}, { stable: 100 }]);
    await resolver.call("setRecords", { records: records(VERSIONS) });
    await until("it is back", () => knows(2));
    assert.ok(((await load({ requests: 500 })).answered["canary"] ?? 0) > 100);
  });

  it("one whose instance is dead, and still known, loses a few calls and no more", async () => {
    await declare({ versions: { stable: 50, canary: 50 } });
    await callees.canary.stop();
    const first = await load({ requests: 200 });
    const lost = Object.values(first.failed).reduce((sum, count) => sum + count, 0);
    const next = await load({ requests: 500, perSecond: 500 });
    console.log(
      `      lost ${String(lost)} of 200 (no retries) until the instance was left out; then ${JSON.stringify(next.failed)}`,
    );
    assert.ok(lost <= 20, JSON.stringify(first.failed));
    assert.deepEqual([next.failed, next.answered], [{}, { stable: 500 }]);
    await callees.canary.start();
  });

  const leftOut = () => caller.stat("cluster.outbound|shop|http.outlier_detection.ejections_active");
  const nobodyLeftOut = () => until("nobody is left out", async () => (await leftOut()) === 0, RETURN_MS);

  const WEIGHTS = {
    "by weight": { stable: 50, canary: 50 },
    "without weights": { stable: undefined, canary: undefined },
  };

  /** Longer than what is measured, on a busy machine, too. A changed cluster starts anew: nobody is left out of it. */
  const LEFT_OUT_LONG = { traffic: { outlierDetection: { baseEjectionTime: "30s" } } };

  /** Load while all fail, and at once after `mend`, before any ejection ends: nobody is left by then, and no request may fail all the same. */
  const survives = async (mend: () => Promise<unknown>): Promise<void> => {
    await until("no version is left", async () => {
      await load({ requests: 100 });
      return (await leftOut()) >= VERSIONS.length;
    });
    assert.deepEqual((await load({ requests: 100 })).answered, {});
    await mend();
    const after = await load({ requests: 500 });
    const still = await leftOut();
    console.log(`      ${String(still)} left out: ${shares(after)}; failed ${JSON.stringify(after.failed)}`);
    assert.ok(still >= VERSIONS.length, "no ejection has ended meanwhile");
    assert.deepEqual(after.failed, {});
  };

  for (const [title, versions] of Object.entries(WEIGHTS)) {
    it(`all instances are asked when errors left none of any version, ${title}`, async () => {
      await declare({ versions, routes: [], call: LEFT_OUT_LONG });
      await nobodyLeftOut();
      const fail = (fault?: { status: number }) =>
        Promise.all(VERSIONS.map((version) => callees[version].host.call("setFault", { port: 8080, fault })));
      await fail({ status: 503 });
      await survives(() => fail());
    });

    it(`the only instance that can be reached gets all calls, however many there are, ${title}`, async () => {
      await declare({ versions, routes: [] });
      await nobodyLeftOut();
      await resolver.call("setRecords", { records: records(VERSIONS, [resolver.address]) });
      await until("one more is known", () => knows(3));
      await callees.canary.stop();
      await load({ requests: 300 });
      const after = await load({ requests: 500 });
      await callees.canary.start();
      await resolver.call("setRecords", { records: records(VERSIONS) });
      await until("it is forgotten", () => knows(2));
      assert.deepEqual([after.failed, after.answered], [{}, { stable: 500 }]);
    });
  }

  it("all instances are asked when none of any version could be reached, as soon as they can", async () => {
    await declare({ versions: WEIGHTS["by weight"], routes: [], call: LEFT_OUT_LONG });
    await nobodyLeftOut();
    await Promise.all(VERSIONS.map((version) => callees[version].stop()));
    await survives(() => Promise.all(VERSIONS.map((version) => callees[version].start())));
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
