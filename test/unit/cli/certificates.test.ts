import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { givenUpBy } from "../../../cli/certificates/given-up";
import { checkoutDir } from "../../../dev/paths";

/** The command itself, as a process of its own. */
describe("mesh certificates", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "lucid-certificates-"));
  const config = readFileSync(join(checkoutDir, "Pulumi.dev.yaml"), "utf8");

  before(() => {
    for (const name of ["Pulumi.yaml", "Pulumi.dev.yaml", "mesh.yaml"])
      copyFileSync(join(checkoutDir, name), join(folder, name));
    const issues = `  lucid-mesh:rootGenerations: '{"wallet": {"trusted": [1, 2], "issuing": 2}}'\n`;
    writeFileSync(join(folder, "Pulumi.issues.yaml"), config + issues);
    writeFileSync(join(folder, "Pulumi.rotates.yaml"), `${config}  lucid-mesh:autoRotateCerts: "true"\n`);
    writeFileSync(join(folder, "Pulumi.rare.yaml"), `${config}  lucid-mesh:updateIntervalHours: "1000"\n`);
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const mesh = (stack: string, ...args: readonly string[]) => {
    const main = join(checkoutDir, "cli", "main.ts");
    const command = ["--import", "tsx", main, "--cwd", folder, "--stack", stack, "certificates", ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: checkoutDir, encoding: "utf8" });
    return { status, stdout, stderr };
  };

  it("prints every certificate with its renewal window, and what is assumed", () => {
    const { status, stdout, stderr } = mesh("dev", "--from", "2026-11-21");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^mesh\.yaml: at every instant both ends of each of \d+ edges trust each other$/m);
    assert.match(stdout, /^assumed: `pulumi up` every 28 days at least/m);
    assert.match(stdout, /^ {2}ops\.lucid\.internal issuing +365 days +2027-07-22 08:00 +2027-08-19 08:00/m);
    assert.match(
      stdout,
      /^ {4}lucid-blocks +90 days +2027-01-20 00:00 +2027-02-17 00:00 +2027-02-17 00:15 +2027-02-19 00:00$/m,
    );
  });

  it("tells of those that issuers make by themselves, and that it parts nobody to switch them on", () => {
    const { status, stdout, stderr } = mesh("rotates", "--from", "2026-11-21", "--against", "Pulumi.dev.yaml");
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /every 28 days at least \(updateIntervalHours\), 2 minutes until an issuer has made what is due, and 15 minutes/,
    );
    assert.match(
      stdout,
      /^ {4}lucid-blocks +1 day +2026-11-21 16:00 +2026-11-21 16:02 +2026-11-21 16:17 +2026-11-22 00:00$/m,
    );
    assert.match(stdout, /^from Pulumi\.dev\.yaml: the update parts nobody$/m);
  });

  it("ends with status 1 where a certificate would end too early, as JSON too", () => {
    const { status, stdout } = mesh("rare", "--json", "--from", "2026-11-21");
    assert.equal(status, 1, stdout);
    const report = JSON.parse(stdout) as { proven: boolean; gaps: { kind: string; fromHours: number; text: string }[] };
    assert.equal(report.proven, false);
    assert.deepEqual(
      report.gaps.map(({ kind, fromHours }) => [kind, fromHours]),
      [["expiry", 2160]],
    );
  });

  it("ends with status 1 where the update from what is deployed leaves a step out", () => {
    const { status, stdout } = mesh("issues", "--against", "Pulumi.dev.yaml");
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^from Pulumi\.dev\.yaml: the update parts ends of edges$/m);
    assert.match(stdout, /wallet\.lucid\.internal root 2 vouches for before it has that/);
  });

  const WRONG: readonly (readonly [title: string, args: readonly string[], tells: RegExp])[] = [
    ["a configuration that is not there", ["--against", "none.yaml"], /none\.yaml is missing/],
    ["an instant that is none", ["--from", "soon"], /--from soon: it is no instant/],
  ];
  for (const [title, args, tells] of WRONG) {
    it(`refuses ${title}, with status 2`, () => {
      const { status, stdout, stderr } = mesh("dev", ...args);
      assert.equal(status, 2, stdout);
      assert.match(stderr, tells);
    });
  }
});

describe("what a configuration gives up at once", () => {
  const generations = (compromised: readonly number[]) => ({ accepted: [3], issuing: 3, compromised });

  it("is a compromised root and what stands under it, of that zone and generation alone", () => {
    const givenUp = givenUpBy({ rootGenerations: { ops: generations([1]), wallet: generations([2]) } });
    const all = ["ops", "wallet", "chain"].flatMap((zone) =>
      ["root", "root 2", "root 22", "issuing", "issuing 2", "root 2 issuing", "root 2 issuing 2"].map(
        (name) => `${zone}.lucid.internal ${name}`,
      ),
    );
    assert.deepEqual(all.filter(givenUp), [
      "ops.lucid.internal root",
      "ops.lucid.internal issuing",
      "ops.lucid.internal issuing 2",
      "wallet.lucid.internal root 2",
      "wallet.lucid.internal root 2 issuing",
      "wallet.lucid.internal root 2 issuing 2",
    ]);
  });

  it("is a compromised issuing authority under every root", () => {
    const givenUp = givenUpBy({ issuingGenerations: { ops: generations([2]) } });
    const all = ["issuing", "issuing 2", "root 2 issuing", "root 2 issuing 2", "root 2"].map(
      (name) => `ops.lucid.internal ${name}`,
    );
    assert.deepEqual(all.filter(givenUp), ["ops.lucid.internal issuing 2", "ops.lucid.internal root 2 issuing 2"]);
  });
});
