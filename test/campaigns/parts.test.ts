import assert from "node:assert/strict";
import { ZONES, namespaceOf, type ZoneName } from "../../mesh";
import { callsAnswer, succeed } from "../integration/support/calls";
import { core, exec, podOf } from "../integration/support/cluster";
import { declaredCalls, service } from "../integration/support/document";
import { eventually } from "../integration/support/eventually";
import { PARTS, destroy, preview, stateOf, up } from "../integration/support/stacks/part-stacks";
import type { PartSettings, StateResource } from "../integration/support/stacks/part-stacks";
import { pulumi } from "../integration/support/pulumi";
import { secretsOf, textOf } from "../integration/support/secrets-of";
import { deployDeclared } from "../integration/support/stacks/variation";
import type { Run } from "../run-pulumi";

const MINUTE = 60_000;
/** From the end of an update until each sidecar has what it changed. */
const DISTRIBUTION_SECONDS = 150;
/** Of zone wallet, through its exchange of roots. */
const STEPS = {
  trusted: { rootGenerations: '{"wallet": {"trusted": [1, 2], "issuing": 1}}' },
  issuing: { rootGenerations: '{"wallet": {"trusted": [1, 2], "issuing": 2}}' },
  alone: { rootGenerations: '{"wallet": {"trusted": [2], "issuing": 2}}' },
} as const;
/** Whose services speak with those of zone wallet. */
const PEERS: readonly ZoneName[] = ["ops", "chain"];

function assertDone({ status, output }: Run): void {
  assert.equal(status, 0, output);
  assert.doesNotMatch(output, /\[mandatory\]|can't run policy/);
}

async function namespaces(): Promise<readonly string[]> {
  const names = (await core.listNamespace()).items.map(({ metadata }) => metadata?.name ?? "");
  return names.filter((name) => ZONES.some((zone) => name === namespaceOf(zone))).sort();
}

/** A stack for each part, deployed, changed and taken away one after the other. */
describe("the mesh, deployed by a stack for each part", function () {
  this.timeout(15 * MINUTE);

  before(async () => {
    const { status, output } = await pulumi("destroy", "--yes", "--non-interactive");
    assert.equal(status, 0, output);
    await eventually("the end of the whole mesh", async () => assert.deepEqual(await namespaces(), []), 120);
  });

  after(async () => {
    // What a failed test left behind.
    for (const part of [...PARTS].reverse()) await destroy(part);
    await deployDeclared();
  });

  describe("one part after the other, twice", () => {
    it("makes nothing of a part before part mesh is there", async () => {
      const { status, output } = await up("wallet");
      assert.notEqual(status, 0, output);
      assert.match(output, /part mesh is not deployed .*run `pulumi up` of part mesh first/);
      assert.deepEqual(await namespaces(), []);
    });

    for (const part of PARTS) {
      it(`is deployed first without whom it does not know: ${part}`, async () => {
        const run = await up(part);
        assertDone(run);
        assert.ok((await namespaces()).includes(namespaceOf(part)));
        if (part === "ops") assert.match(run.output, /part wallet is not deployed .*nobody of it is believed/);
      });
    }

    it("refuses calls between parts until each knows the other", async () => {
      // Wallet was deployed last and knows chain, which doesn't know it.
      const from = service("payout-router");
      const url = "http://lucid-blocks.lucid.internal/debug";
      const { code, stdout, stderr } = await exec(await podOf(from), "app", ["fortio", "curl", url]);
      assert.ok(code !== 0 || /503/.test(stdout + stderr), stdout);
    });

    for (const part of PARTS) {
      it(`is deployed a second time, with all others' roots: ${part}`, async () => {
        const run = await up(part);
        assertDone(run);
        assert.doesNotMatch(run.output, /is not deployed/);
      });
    }
  });

  callsAnswer();

  describe("with all parts deployed", () => {
    for (const part of PARTS) {
      it(`changes nothing by a third: ${part}`, async () => {
        const { status, output } = await preview(part, {}, "--expect-no-changes");
        assert.equal(status, 0, output);
        assert.doesNotMatch(output, /run `pulumi up` of part|would refuse/);
      });
    }

    it("keeps every part's secrets out of the others' states", async () => {
      const states = new Map<ZoneName, readonly StateResource[]>();
      for (const part of PARTS) states.set(part, await stateOf(part));
      for (const [owner, own] of states) {
        const secrets = secretsOf(own);
        assert.ok(secrets.size >= 2, `${owner} has its authorities' keys`);
        for (const [part, state] of states) {
          if (part === owner) continue;
          const text = textOf(state);
          for (const secret of secrets) assert.ok(!text.includes(secret), `${part} holds a secret of ${owner}`);
        }
      }
    });
  });

  describe("while a part's root is exchanged", () => {
    const deployed = async (settings: PartSettings, ...parts: readonly ZoneName[]) => {
      for (const part of parts) assertDone(await up(part, settings));
    };
    const answers = async () => {
      const crossing = declaredCalls.filter(
        ({ from, to, port }) =>
          port.protocol === "http" &&
          from.zone !== to.zone &&
          [from.zone, to.zone].includes("wallet") &&
          [from, to].every(({ workload }) => workload.kind === "application"),
      );
      assert.ok(crossing.length >= 2);
      for (const call of crossing)
        await eventually(`${call.from.name} -> ${call.to.name}`, () => succeed(call), DISTRIBUTION_SECONDS);
    };

    it("issues nothing by the next root before every peer has it", async () => {
      await deployed(STEPS.trusted, "wallet");
      const { status, output } = await up("wallet", STEPS.issuing);
      assert.notEqual(status, 0, output);
      for (const peer of PEERS)
        assert.match(output, new RegExp(`part ${peer} \\(.*\\) would refuse what root 2 of zone wallet signs`));
      await answers();
    });

    it("goes on once each has, and drops the old one last", async () => {
      await deployed(STEPS.trusted, ...PEERS);
      await deployed(STEPS.issuing, "wallet");
      await answers();
      await deployed(STEPS.alone, "wallet", ...PEERS);
      await answers();
    });
  });

  describe("at its end", () => {
    for (const part of [...PARTS].reverse()) {
      it(`is taken away, part mesh last: ${part}`, async () => {
        const { status, output } = await destroy(part);
        assert.equal(status, 0, output);
        await eventually(
          "the namespace's end",
          async () => assert.ok(!(await namespaces()).includes(namespaceOf(part))),
          120,
        );
        assert.deepEqual(await stateOf(part), []);
      });
    }
  });
});
