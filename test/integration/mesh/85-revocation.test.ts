import assert from "node:assert/strict";
import { apps, exec, podGenerations, podOf, podsOf } from "../support/cluster";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { credentialsOf, tokenOf, type Attempt } from "../support/handshake";
import { assertShutOut, knockAnew, knockOnOneConnection, untilLetIn } from "../support/knocking";
import { describeLoad, startLoad, startLoads } from "../support/load";
import { deploy, deployDeclared, written, type WrittenDocument } from "../support/stacks/variation";

const RATE = 200;
/** From the end of `pulumi up`. */
const MINUTE_SECONDS = 60;
/** What kubelet takes at most by its defaults to bring a changed ConfigMap to a pod, a start of the pods besides, and a margin. */
const RETURN_SECONDS = 180;
const REASON = "its signing key was found in a build log";

/** With the sidecars' retries off nothing hides a failed try. */
function withoutRetries(document: WrittenDocument): void {
  for (const each of document.services) {
    for (const call of each.calls ?? []) call.traffic = { retries: { attempts: 0 } };
  }
}

function revoked(document: WrittenDocument): void {
  withoutRetries(document);
  written(document, "payout-router").revoked = REASON;
}

async function calls(from: string, url: string): Promise<boolean> {
  return (await exec(await podOf(service(from)), "app", ["fortio", "curl", url])).code === 0;
}

describe("a service revoked under load", function () {
  this.timeout(1_200_000);
  const router = service("payout-router");
  const others = mesh.services.filter((each) => each !== router);
  const routerUrl = "http://payout-router.lucid.internal/";
  const blocksUrl = "http://lucid-blocks.lucid.internal/";

  before(() => deploy({ document: withoutRetries }));
  after(deployDeclared);

  it("is refused within a minute, on new connections and open ones, as caller and as callee; nobody else notices", async () => {
    const before = await podGenerations(others);
    const stolen: Attempt = {
      pod: await podOf(service("lucid-blocks")),
      serverName: "http.lucid-blocks.wallet",
      protocol: "http",
      credentials: await credentialsOf(router),
    };
    const staying = await startLoads(
      { from: service("admin-ui"), url: blocksUrl, rate: RATE },
      { from: service("admin-ui"), url: blocksUrl, rate: RATE, fresh: true },
    );
    const going = await startLoad({ from: service("admin-ui"), url: routerUrl, rate: 20, connections: 1 });
    const anew = knockAnew(stolen);
    const kept = await knockOnOneConnection(stolen);
    await untilLetIn("a copy of its key lets in before", 3, anew, kept);
    assert.ok(await calls("admin-ui", routerUrl));
    try {
      const begun = Date.now();
      await deploy({ document: revoked });
      const deployed = Date.now();
      const seconds = (time: number) => `${((time - deployed) / 1000).toFixed(1)} s`;
      console.log(`      pulumi up took ${seconds(2 * deployed - begun)}`);
      const refused = async () => assert.ok(!(await calls("admin-ui", routerUrl)));
      await eventually("calls of it are refused", refused, MINUTE_SECONDS);
      console.log(`      as callee: refused ${seconds(Date.now())} after pulumi up`);
      const results = await assertShutOut(deployed + MINUTE_SECONDS * 1000, anew, kept);
      for (const [index, what] of ["new connections", "a connection that was open"].entries()) {
        const last = results[index]?.lastAnsweredAt ?? Number.NaN;
        console.log(`      as caller, on ${what}: let in last ${seconds(last)} after pulumi up`);
      }
    } finally {
      await Promise.all([anew.stop(), kept.stop()]);
      const gone = await going.stop();
      console.log(`      ${describeLoad("admin-ui -> payout-router, kept alive", gone)}`);
      await staying.assertUnharmed();
      assert.ok(gone.failed > 0, "it was refused to who had called before");
    }
    assert.deepEqual(await podGenerations(others), before, "no pod of another was replaced or restarted");
  });

  it("has no pod and no account any more, and its Deployment says why", async () => {
    await eventually("its pods are gone", async () => assert.deepEqual(await podsOf(router), []), RETURN_SECONDS);
    await assert.rejects(tokenOf(router, "anybody"), /not found/);
    const { metadata, spec } = await apps.readNamespacedDeployment({ name: router.name, namespace: router.namespace });
    assert.equal(spec?.replicas, 0);
    assert.equal(metadata?.annotations?.["lucid.internal/revoked"], REASON);
  });

  it("is back when that is taken back, and fails no call of others on the way", async () => {
    const before = await podGenerations(others);
    const staying = await startLoads({ from: service("admin-ui"), url: blocksUrl, rate: RATE });
    try {
      await deploy({ document: withoutRetries });
      const deployed = Date.now();
      for (const [from, url] of [
        ["admin-ui", routerUrl],
        ["payout-router", blocksUrl],
      ] as const) {
        await eventually(`${from} -> ${url}`, async () => assert.ok(await calls(from, url)), RETURN_SECONDS);
        console.log(
          `      ${from} -> ${url} answered ${((Date.now() - deployed) / 1000).toFixed(1)} s after pulumi up`,
        );
      }
    } finally {
      await staying.assertUnharmed();
    }
    assert.deepEqual(await podGenerations(others), before);
  });
});
