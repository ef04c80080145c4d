import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "../../dev/paths";
import { parseDocument } from "../../mesh";
import type { Run } from "../run-pulumi";
import { Program } from "./program";

const REFUSED = "test/program/fixtures/refused.yaml";

/** What REFUSED has wrong: line and path, and the problem with its mend. */
const PROBLEMS: readonly [what: string, problem: string][] = [
  [
    "a call to an undeclared service",
    "16 services.admin-ui.calls[0].service: 'lucid-block' is called and not declared; did you mean 'lucid-blocks'?",
  ],
  [
    "a cross-plane call without a reason",
    "17 services.admin-ui.calls[1].reason: the call crosses from ops to chain ('lucid-blocks') without a reason; " +
      "say why it is needed, or take the call out",
  ],
  [
    "an unknown plane",
    "21 services.dashboard.plane: 'opps' is not ops, chain, wallet, mesh or edge; did you mean 'ops'?",
  ],
  ["an unknown key", "29 services.console.replica: the key 'replica' is unknown; did you mean 'replicas'?"],
  [
    "a port out of range",
    "30 services.console.ports[0].port: the port is out of range (70000); write a number from 1 to 65535",
  ],
  [
    "a service in Chain that is no member",
    "39 services.explorer.plane: 'explorer' is not a member of chain, which holds lucid-blocks only; " +
      "declare it in another plane",
  ],
  [
    "a service in Wallet that is no member",
    "43 services.exchange.plane: 'exchange' is not a member of wallet, which holds tron-payment and payout-router only; " +
      "declare it in another plane",
  ],
  [
    "two services of one name",
    "52 services[7].name: two services are named 'tron-payment' (also services[6]); rename one",
  ],
];

/** The real CLI, engine and language host on the real program. No cluster is in reach. */
describe("the Lucid program, previewed without a cluster", function () {
  this.timeout(180_000);
  let program: Program | undefined;
  const preview = async (changes: Readonly<Record<string, string>>, args: readonly string[] = []) => {
    assert.ok(program !== undefined);
    return program.preview(changes, args);
  };

  before(async () => {
    program = await Program.prepare();
  });

  after(() => {
    program?.dispose();
  });

  it("tells of a revoked service, with what that closes, and passes the policy pack", async () => {
    const own = readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8");
    const folder = mkdtempSync(path.join(tmpdir(), "lucid-revoked-"));
    const document = path.join(folder, "mesh.yaml");
    writeFileSync(document, own.replace("  - name: payout-router\n", '$&    revoked: "its key was lost"\n'));
    const { status, output } = await preview({ document }, ["--policy-pack", "policies"]);
    rmSync(folder, { recursive: true });
    assert.equal(status, 0, output);
    assert.match(
      output,
      /warning: payout-router is revoked: its key was lost; closes: admin-ui -> payout-router, payout-router -> lucid-blocks, payout-router -> tron-payment/,
    );
    assert.match(output, /revoked +: \{\s+payout-router: "its key was lost"/);
    assert.doesNotMatch(output, /\[mandatory\]|\[advisory\]|can't run policy/);
    assert.doesNotMatch(output, /ServiceAccount payout-router-account/);
    assert.match(output, /kubernetes:apps\/v1:Deployment payout-router-deployment create/);
  });

  describe("of the committed document and settings", () => {
    let result: Run;
    before(async () => {
      result = await preview({}, ["--policy-pack", "policies"]);
    });

    it("passes the policy pack", () => {
      assert.equal(result.status, 0, result.output);
      assert.match(result.output, /lucid-mesh@v\S+ \(local: policies\)/);
      assert.doesNotMatch(result.output, /\[mandatory\]|\[advisory\]|can't run policy/);
    });

    it("plans the whole mesh", () => {
      const { services } = parseDocument(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8"));
      for (const { name } of services)
        assert.match(result.output, new RegExp(` kubernetes:apps/v1:Deployment ${name}-deployment create`));
      const planned = Number(/^ +\+ (\d+) to create$/m.exec(result.output)?.[1]);
      assert.ok(planned > 15 * services.length, `${planned} resources for ${services.length} services`);
    });

    it("says that no cluster is in reach", () => {
      assert.match(result.output, /No cluster in reach: \S+no-such-kubeconfig, which this stack names/);
    });
  });

  describe("of a document with a call that has ended", () => {
    const call = `      - service: tron-payment
        ports: [http, grpc]
`;
    const folder = mkdtempSync(path.join(tmpdir(), "lucid-ended-"));
    const document = path.join(folder, "mesh.yaml");
    after(() => {
      rmSync(folder, { recursive: true });
    });

    it("warns of it, and plans the rest", async () => {
      const text = readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8");
      assert.ok(text.includes(call));
      writeFileSync(document, text.replace(call, `${call}        until: 2020-12-31\n`));
      const { status, output } = await preview({ document });
      assert.equal(status, 0, output);
      for (const port of ["http", "grpc"]) {
        const told = `services.payout-router.calls[0]: the call of payout-router to port ${port} of tron-payment ended at 2021-01-01T00:00:00Z`;
        assert.ok(output.includes(`warning: ${document}, ${told}`), output);
      }
    });
  });

  describe("of a document with many errors", () => {
    let result: Run;
    before(async () => {
      result = await preview({ document: REFUSED });
    });

    it("is refused before anything is planned", () => {
      assertRefused(result);
      assert.deepEqual(errors(result), [`${REFUSED}: ${PROBLEMS.length} problems; nothing was planned`]);
    });

    for (const [what, problem] of PROBLEMS) {
      it(`tells ${what}, with its place and mend`, () => {
        assert.ok(result.output.includes(`\n      ${REFUSED}:${problem}\n`), result.output);
      });
    }
  });

  describe("of a document that is not there", () => {
    it("is refused in one line, before anything is planned", async () => {
      const result = await preview({ document: "no-such.yaml" });
      assertRefused(result);
      assert.deepEqual(errors(result), [
        "no-such.yaml: the mesh document can't be read (it is not there); " +
          "write it, or name another by `pulumi config set document <path>`",
      ]);
    });
  });

  describe("of wrong settings", () => {
    it("is refused before anything is planned, with every problem", async () => {
      const wrong = { certValidityDay: "30", consulServers: "many", apiServerPort: "70000", tracingEnabled: "yes" };
      const result = await preview(wrong);
      assertRefused(result);
      assert.deepEqual(errors(result), ["The stack's configuration has 4 problems:"]);
      for (const problem of [
        "consulServers: is not a number",
        "apiServerPort: is above 65535",
        "tracingEnabled: is neither `true` nor `false`",
        "certValidityDay: is not a key of this project; its keys are ",
        "Mend them in Pulumi.<stack>.yaml or by `pulumi config set`",
      ])
        assert.ok(result.output.includes(problem), result.output);
    });
  });
});

/** The preview failed with nothing planned but the stack itself, and shows no stack trace. */
function assertRefused({ status, output }: Run): void {
  assert.notEqual(status, 0, output);
  const resources = [...output.matchAll(/^ \+ {2}(\S+) /gm)].map(([, type]) => type);
  assert.deepEqual([...new Set(resources)], ["pulumi:pulumi:Stack"], output);
  assert.match(output, /^ +\+ 1 to create$/m);
  assert.doesNotMatch(output, /^\s+at .*:\d+:\d+\)?$|Unhandled exception|RunError|node_modules/m);
}

/** First line of every error among the diagnostics. */
function errors({ output }: Run): string[] {
  const diagnostics = output.slice(output.indexOf("Diagnostics:"));
  return [...diagnostics.matchAll(/^ {4}error: (.*)$/gm)].map(([, text = ""]) => text);
}
