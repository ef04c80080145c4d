import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { dump } from "js-yaml";
import { checkoutDir } from "../../dev/paths";
import { ceilingOf, documentOf, meshesOf, NETWORKS } from "../integration/support/stacks/datacenters-document";
import type { Datacenter } from "../integration/support/stacks/datacenters-document";
import { ISSUER, KEY_SETS } from "../unit/envoy/datacenters-fixture";
import { Program } from "./program";

const PLACES = {
  north: { addresses: ["10.77.0.10"], pods: ["10.244.1.0/24"], issuer: ISSUER, keySet: KEY_SETS["keys/north.json"] },
  south: { addresses: ["10.78.0.10"], pods: ["10.245.1.0/24"], issuer: ISSUER, keySet: KEY_SETS["keys/south.json"] },
};

/** The real CLI, engine and policy pack on the real program, as a datacenter's stack. No cluster is in reach. */
describe("a stack for each datacenter", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-datacenters-"));
  const document = path.join(folder, "mesh.yaml");
  const programs: Program[] = [];

  before(() => {
    mkdirSync(path.join(folder, "keys"));
    writeFileSync(document, dump(documentOf(PLACES), { noRefs: true, lineWidth: -1 }));
    for (const name of ["north", "south"] as const)
      writeFileSync(path.join(folder, "keys", `${name}.json`), PLACES[name].keySet);
  });
  after(() => {
    for (const program of programs) program.dispose();
    rmSync(folder, { recursive: true });
  });

  const prepare = async (stack: string): Promise<Program> => {
    const program = await Program.prepare(checkoutDir, stack);
    programs.push(program);
    return program;
  };
  const settingsOf = (datacenter: Datacenter) => ({
    datacenter,
    datacenterStacks: JSON.stringify({ [datacenter === "north" ? "south" : "north"]: null }),
    document,
    apiServerCidr: `${NETWORKS[datacenter].controlPlaneAddress}/32`,
    consulServers: "1",
    tracingEnabled: "false",
  });
  /** The pack with a datacenter's ceiling, some of it changed. */
  const pack = (datacenter: Datacenter, change: object = {}) => {
    const file = path.join(mkdtempSync(path.join(folder, "ceiling-")), "ceiling.json");
    writeFileSync(file, JSON.stringify({ ceiling: { ...ceilingOf(datacenter, PLACES, meshesOf(PLACES)), ...change } }));
    return ["--policy-pack", path.join(checkoutDir, "policies"), "--policy-pack-config", file];
  };

  for (const datacenter of ["north", "south"] as const) {
    it(`passes the pack by its own ceiling: ${datacenter}`, async () => {
      const program = await prepare(`prod-${datacenter}`);
      const { status, output } = await program.preview(settingsOf(datacenter), pack(datacenter));
      assert.equal(status, 0, output);
      assert.doesNotMatch(output, /\[mandatory\]|\[advisory\]|can't run policy/);
      assert.match(output, /lucid:mesh:DatacenterGateway/);
    });
  }

  it("is refused without a link in the ceiling, and by a ceiling of another datacenter", async () => {
    const program = await prepare("refused");
    const unlinked = await program.preview(settingsOf("north"), pack("north", { links: {} }));
    assert.notEqual(unlinked.status, 0);
    assert.match(unlinked.output, /it links this datacenter to south, which the ceiling does not allow/);
    const foreign = await program.preview(settingsOf("north"), pack("south"));
    assert.notEqual(foreign.status, 0);
    assert.match(foreign.output, /the identity is one of another datacenter/);
  });

  it("says which datacenters there are, where the stack names none or another", async () => {
    const program = await prepare("unnamed");
    const none = await program.preview({ document });
    assert.notEqual(none.status, 0);
    assert.match(none.output, /set lucid-mesh:datacenter to one of north, south/);
    const other = await program.preview({ ...settingsOf("north"), datacenter: "west" });
    assert.notEqual(other.status, 0);
    assert.match(other.output, /the stack deploys 'west', which is not declared/);
  });
});
