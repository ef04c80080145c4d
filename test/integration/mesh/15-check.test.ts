import assert from "node:assert/strict";
import { CHECKS } from "../../../cli/check/all";
import { ApiCluster } from "../../../cli/check/cluster/api";
import { Live } from "../../../cli/check/cluster/live";
import type { Result } from "../../../cli/check/check";
import type { CheckContext } from "../../../cli/check/context";
import { Declared } from "../../../cli/check/plan/declared";
import { runChecks } from "../../../cli/check/runner";
import { selected } from "../../../cli/check/select";
import { readStack } from "../../../cli/project";
import { FAULTS } from "../support/check-faults";
import { core, kubeConfig, podOf } from "../support/cluster";
import { service } from "../support/document";
import { eventually } from "../support/eventually";
import { runMesh } from "../support/mesh-command";
import { testerIn } from "../support/tester";

const WALLET = "lucid-wallet";

/** What these tell lies behind the mesh: other tests restart, refuse and look into pods. */
const LATELY = ["sidecar-restarts", "controller-failures", "sidecar-updates", "trust-refusals", "ephemeral-containers"];

interface CheckReport {
  readonly holds: boolean;
  readonly checks: readonly { readonly id: string; readonly status: string; readonly findings?: readonly string[] }[];
}

let declared: Declared;

describe("mesh check", function () {
  this.timeout(600_000);

  before(() => {
    const { mesh, settings } = readStack("dev", new Date().toISOString());
    declared = new Declared(mesh, settings);
  });

  it("finds nothing wrong with the deployed mesh", async () => {
    const { status, output } = await command("--json", "--wait", "120");
    const { checks } = JSON.parse(output) as CheckReport;
    const wrong = checks.filter(({ id, status: found }) => found !== "ok" && !LATELY.includes(id));
    assert.deepEqual(wrong, []);
    const late = checks.filter(({ id, status: found }) => found === "failure" && LATELY.includes(id));
    // Other tests look into pods by a tester of their own.
    for (const { findings = [] } of late) for (const finding of findings) assert.match(finding, / tester-\d+$/);
    assert.equal(status, late.length === 0 ? 0 : 1);
    assert.equal(checks.length, selected(CHECKS, {}, declared.settings.discoveryBackend).length);
  });

  it("says so before an installation as well", async () => {
    const { status, output } = await command("--pre");
    assert.equal(status, 0, output);
    assert.match(output, /^√ the API server enforces Pod Security levels$/m);
  });

  for (const { title, ids, says, make, undo } of FAULTS) {
    it(`finds ${title}, and that it is mended`, async () => {
      try {
        await make();
        for (const id of ids) {
          await eventually(`what ${id} finds`, async () => {
            const result = await resultOf(id);
            assert.equal(result.status, "failure", JSON.stringify(result));
            assert.match(textOf(result), says);
          });
        }
      } finally {
        await undo();
      }
      for (const id of ids) {
        await eventually(
          `${id} to hold again`,
          async () => {
            const result = await resultOf(id);
            assert.equal(result.status, "ok", JSON.stringify(result));
          },
          180,
        );
      }
    });
  }

  it("finds a shell in a pod", async () => {
    const subject = service("tron-payment");
    const { name, container } = await testerIn(subject);
    const found = textOf(await resultOf("ephemeral-containers"));
    assert.ok(found.includes(`${WALLET}/${name} ${container}`), found);
    await core.deleteNamespacedPod({ namespace: WALLET, name });
    await eventually(
      "a pod without it",
      async () => {
        assert.notEqual((await podOf(subject)).name, name);
        assert.ok(!textOf(await resultOf("ephemeral-containers")).includes(name));
      },
      180,
    );
  });
});

/** What a check finds now; those that it needs hold. */
async function resultOf(id: string): Promise<Result> {
  const cluster = new ApiCluster(kubeConfig);
  const { name: context, server } = {
    name: kubeConfig.getCurrentContext(),
    server: kubeConfig.getCurrentCluster()?.server ?? "",
  };
  const asked: CheckContext = {
    stack: "dev",
    declaration: declared,
    reach: { kubeConfig, context, server },
    cluster,
    live: new Live(cluster),
    now: () => new Date(),
  };
  const outcomes = await runChecks(selected(CHECKS, { only: [id] }), asked, 60);
  const outcome = outcomes.find(({ check }) => check.id === id);
  assert.ok(outcome);
  return outcome.result;
}

function textOf(result: Result): string {
  if (result.status === "ok") return "";
  return result.status === "skipped" ? result.reason : [result.detail, ...result.findings].join("\n");
}

async function command(...args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const { status, stdout } = await runMesh("check", ...args);
  return { status, output: stdout };
}
