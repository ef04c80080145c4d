import assert from "node:assert/strict";
import { GRACE_SECONDS, edgesFrom } from "../../../mesh";
import { apps, exec, mergePatch, podOf, podsOf } from "../support/cluster";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { stopRetries, restoreSidecar } from "../support/opened-sidecar";

const caller = service("payout-router");
const callee = service("tron-payment");
const PER_SECOND = 200;

/** What fortio says of a run, as far as it is read here. */
interface Report {
  readonly RetCodes: Readonly<Record<string, number>>;
  readonly DurationHistogram: { readonly Count: number };
}

/** Counted by a client beside the caller, with the sidecar's own retries off: one request that is lost in a rolling update is one too many. */
describe("a rolling update under load", function () {
  this.timeout(600_000);

  before(async () => {
    assert.ok(edgesFrom(mesh, caller).some(({ to }) => to === callee.name));
    await stopRetries(caller);
  });
  after(() => restoreSidecar(caller));

  for (const [kind, keepAlive] of [
    ["kept-alive", true],
    ["fresh", false],
  ] as const) {
    it(`loses none of ${String(PER_SECOND)} requests a second over ${kind} connections`, async () => {
      const seconds = GRACE_SECONDS + 45;
      const pod = await podOf(caller);
      const before = (await podsOf(callee)).map(({ name }) => name);
      const running = exec(pod, "app", [
        "fortio",
        "load",
        "-qps",
        String(PER_SECOND),
        "-c",
        "8",
        "-t",
        `${String(seconds)}s`,
        `-keepalive=${String(keepAlive)}`,
        "-allow-initial-errors",
        "-quiet",
        "-json",
        "-",
        `http://${callee.hostname}/debug`,
      ]);
      await apps.patchNamespacedDeployment(
        {
          name: callee.name,
          namespace: callee.namespace,
          // What `kubectl rollout restart` does.
          body: {
            spec: {
              template: {
                metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() } },
              },
            },
          },
        },
        mergePatch,
      );
      const { code, stdout, stderr } = await running;
      assert.equal(code, 0, stderr);
      const report = JSON.parse(stdout) as Report;
      const after = await eventually("the new pods alone", async () => {
        const names = (await podsOf(callee)).map(({ name }) => name);
        assert.ok(names.length > 0 && !names.some((name) => before.includes(name)), names.join());
        return names;
      });
      console.log(`      ${String(report.DurationHistogram.Count)} requests, ${before.join()} to ${after.join()}`);
      assert.deepEqual(Object.keys(report.RetCodes), ["200"], JSON.stringify(report.RetCodes));
      assert.ok(report.DurationHistogram.Count > (PER_SECOND / 2) * seconds);
    });
  }
});
