import { unknown } from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { PartData, PartStacks } from "../../../../components";
import { readParts } from "../../../../components/parts/read-parts";
import { tells } from "./told";

const NAMES = { organization: "organization", project: "lucid-mesh", stack: "prod-wallet" };
type Outputs = Readonly<Record<string, unknown>>;

describe("what the other parts told, read", () => {
  let ops: PartData;
  let folder: string;
  before(async () => {
    ops = await tells("ops");
    folder = mkdtempSync(path.join(tmpdir(), "lucid-parts-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** Reads it among stacks, each with its outputs. */
  const reading = (
    stacks: Readonly<Record<string, Outputs>>,
    partStacks: PartStacks = {},
    names = NAMES,
  ): ReturnType<typeof readParts> =>
    readParts("wallet", { partStacks }, names, (stack) =>
      Promise.resolve(stacks[stack.replace("organization/lucid-mesh/", "")]),
    );

  it("is that of every stack of this one's name with another part in it", async () => {
    const { told, places } = await reading({ "prod-ops": { services: {}, part: ops }, "test-chain": { part: ops } });
    assert.deepEqual([...told], [["ops", ops]]);
    assert.deepEqual([...places.keys()], ["ops", "chain", "mesh", "edge"]);
    assert.equal(places.get("chain"), "stack organization/lucid-mesh/prod-chain");
  });

  it("is nothing of a stack that was made and not deployed, or destroyed", async () => {
    assert.equal((await reading({ "prod-ops": {} })).told.size, 0);
  });

  it("is that of a stack which is named, or of a file", async () => {
    const file = path.join(folder, "ops.json");
    assert.deepEqual(
      (await reading({ "ops-eu": { part: ops } }, { ops: "organization/lucid-mesh/ops-eu" })).told.get("ops"),
      ops,
    );
    assert.equal((await reading({}, { ops: file })).told.size, 0);
    writeFileSync(file, JSON.stringify(ops));
    assert.deepEqual((await reading({}, { ops: file })).told.get("ops"), ops);
    writeFileSync(file, "{");
    await assert.rejects(
      reading({}, { ops: file }),
      /ops\.json can't be read: .*write it by `pulumi stack output part --json`/,
    );
  });

  it("looks for no part that is said not to be there", async () => {
    const { told, places } = await reading({ "prod-ops": { part: ops } }, { ops: null });
    assert.equal(told.size, 0);
    assert.equal(places.has("ops"), false);
  });

  it("is refused of a stack that deploys all of the mesh", async () => {
    await assert.rejects(
      reading({ "prod-ops": { services: {}, joins: {} } }),
      /stack organization\/lucid-mesh\/prod-ops has no output 'part'.*set lucid-mesh:part to ops there/,
    );
  });

  it("is refused where the stack's name tells of no other", async () => {
    await assert.rejects(
      reading({}, {}, { ...NAMES, stack: "production" }),
      /lucid-mesh:part is wallet, and the name of this stack \(production\) does not end with '-wallet'.*prod-wallet, prod-ops.*lucid-mesh:partStacks/,
    );
  });

  it("is refused of a stack that was last updated in part", async () => {
    await assert.rejects(
      reading({ "prod-ops": { part: unknown } }),
      /stack organization\/lucid-mesh\/prod-ops was updated with --target last.*run `pulumi up` of it without that/,
    );
    assert.equal((await reading({ "prod-wallet": { part: unknown } })).told.size, 0);
  });

  it("is no silence where a stack can't be read", async () => {
    await assert.rejects(
      readParts("wallet", {}, NAMES, () => Promise.reject(new Error("access denied"))),
      /stack organization\/lucid-mesh\/prod-ops, which deploys part ops, can't be read: access denied; see that this run may read it, or hand its output over as a file/,
    );
  });

  describe("by a stack that has had roots of another", () => {
    const own = { part: { believes: { ops: { roots: [1], issuers: [1] } } } };

    it("is refused once that tells nothing any more, so that no call is closed by a name that is mistyped", async () => {
      await assert.rejects(
        reading({ "prod-wallet": own }),
        /this stack has the roots of part ops \(stack organization\/lucid-mesh\/prod-ops\), which is not there any more.*'\{"ops":null\}'/,
      );
    });

    it("goes on where that is still there, or is said to be gone", async () => {
      assert.equal((await reading({ "prod-wallet": own, "prod-ops": { part: ops } })).told.size, 1);
      assert.equal((await reading({ "prod-wallet": own }, { ops: null })).told.size, 0);
    });
  });
});
