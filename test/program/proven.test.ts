import assert from "node:assert/strict";
import * as path from "node:path";
import type { Run } from "../run-pulumi";
import { Program } from "./program";

const WAYS = ["transform", "stack transform", "stack transformation"];
const COUNTEREXAMPLE =
  /Wallet\/payout-router lets Chain\/lucid-blocks in on 15001\/TCP, which nobody declared, and only the other side refuses it: NetworkPolicy lucid-wallet\/payout-router, spec\.ingress\[0\]\.from\[1\], selects pods \(app\.kubernetes\.io\/name=lucid-blocks\) of namespaces \(kubernetes\.io\/metadata\.name=lucid-chain\) and lets it in/;

/** The real CLI and engine. Whoever says `--yes --skip-preview` sees no plan, and the policy pack is not asked. */
describe("a program that is proven, by `pulumi up --yes --skip-preview`", function () {
  this.timeout(300_000);
  let program: Program | undefined;
  const up = async (changes: Readonly<Record<string, string>>): Promise<Run> => {
    assert.ok(program !== undefined);
    return program.upUnseen(changes);
  };

  before(async () => {
    program = await Program.prepare(path.join(__dirname, "programs", "proven"));
  });

  after(() => {
    program?.dispose();
  });

  for (const widened of WAYS) {
    it(`registers nothing where a ${widened} widens a NetworkPolicy, and tells the counterexample`, async () => {
      const { status, output } = await up({ widened });
      assert.notEqual(status, 0, output);
      assert.match(output, COUNTEREXAMPLE);
      assert.match(output, /1 violation; nothing was registered/);
      assert.doesNotMatch(output, /^\s+at .*:\d+:\d+\)?$|Unhandled exception|RunError|node_modules/m);
      await assertHeld(["pulumi:pulumi:Stack"]);
    });
  }

  it("registers nothing where a sidecar's file lets somebody in whom the network still refuses", async () => {
    const { status, output } = await up({ widened: "sidecar" });
    assert.notEqual(status, 0, output);
    assert.match(
      output,
      /authorization: Wallet\/payout-router lets Ops\/jaeger send .*, which nobody declared, and only the other side has no way there: ConfigMap lucid-wallet\/payout-router-envoy, data\["listeners\.yaml"\]/,
    );
    assert.match(output, /nothing was registered/);
    // What only the update can know is taken for what it comes from.
    assert.doesNotMatch(output, /sidecars:|trust:/);
    await assertHeld(["pulumi:pulumi:Stack"]);
  });

  it("registers nothing where what was proven could be changed afterwards", async () => {
    const { status, output } = await up({ widened: "outside" });
    assert.notEqual(status, 0, output);
    assert.match(output, /a transform is registered before the program is proven/);
    await assertHeld(["pulumi:pulumi:Stack"]);
  });

  it("registers nothing where certificates would end before they are made anew, and tells the instant and the mend", async () => {
    const { status, output } = await up({ updateIntervalHours: "1000" });
    assert.notEqual(status, 0, output);
    assert.match(output, /certificates: from 90 days after it was made, until 101 days 16 hours 15 minutes after, /);
    assert.match(output, /run `pulumi up` every 29 days 23 hours at least and say so \(updateIntervalHours: 719\)/);
    assert.match(output, /1 violation; nothing was registered/);
    await assertHeld(["pulumi:pulumi:Stack"]);
  });

  it("says what a program refuses, without a stack trace", async () => {
    const { status, output } = await up({ ends: "refused" });
    assert.notEqual(status, 0, output);
    assert.match(output, /error: this program refuses to go on$/m);
    assert.doesNotMatch(output, /^\s+at .*:\d+:\d+\)?$|Unhandled exception|RunError|node_modules/m);
    await assertHeld(["pulumi:pulumi:Stack"]);
  });

  it("says what defect a program has, and where", async () => {
    const { status, output } = await up({ ends: "defect" });
    assert.notEqual(status, 0, output);
    assert.match(output, /TypeError: this program has a defect\s+at end .*program\.ts:\d+:\d+/);
    await assertHeld(["pulumi:pulumi:Stack"]);
  });

  it("goes on to make what it declares where nothing is widened", async () => {
    // There is neither a cluster nor a Docker engine, so it ends soon.
    const { output } = await up({});
    assert.doesNotMatch(output, /nothing was registered/);
    assert.ok((await program?.held())?.includes("lucid:mesh:ServiceMesh"), output);
  });

  async function assertHeld(allowed: readonly string[]): Promise<void> {
    const others = (await program?.held())?.filter((type) => !allowed.includes(type));
    assert.deepEqual(others, []);
  }
});
