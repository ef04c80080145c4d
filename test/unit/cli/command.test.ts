import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { parseDocument } from "../../../mesh";

/** The command itself, as a process of its own, in a project of its own. */
describe("mesh access", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "lucid-cli-"));
  const file = join(folder, "mesh.yaml");
  const own = readFileSync(join(checkoutDir, "mesh.yaml"), "utf8");
  const bin = join(folder, "node_modules", ".bin", "mesh");

  before(() => {
    for (const name of ["Pulumi.yaml", "Pulumi.dev.yaml"]) copyFileSync(join(checkoutDir, name), join(folder, name));
    // As npm installs a package and its command: TypeScript under node_modules, beside what it depends on.
    const modules = join(folder, "node_modules");
    const installed = join(modules, "@lucid", "mesh");
    mkdirSync(installed, { recursive: true });
    for (const part of ["cli", "components", "envoy", "mesh", "package.json"]) {
      cpSync(join(checkoutDir, part), join(installed, part), { recursive: true });
    }
    for (const name of readdirSync(join(checkoutDir, "node_modules"))) {
      if (!name.startsWith(".") && name !== "@lucid") {
        symlinkSync(join(checkoutDir, "node_modules", name), join(modules, name));
      }
    }
    const { bin: commands } = JSON.parse(readFileSync(join(checkoutDir, "package.json"), "utf8")) as {
      bin: { mesh: string };
    };
    mkdirSync(join(modules, ".bin"));
    symlinkSync(join(installed, commands.mesh), bin);
  });
  beforeEach(() => {
    writeFileSync(file, own);
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const mesh = (args: string, input?: string) => {
    const argv = args.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
    const { status, stdout, stderr } = spawnSync(bin, argv, { cwd: folder, encoding: "utf8", input });
    return { status, stdout, stderr };
  };

  it("explains: status 0 where a call is allowed, 1 where it is refused, with layer and line", () => {
    const allowed = mesh("access explain --from admin-ui --to prometheus --method GET --path /api/v1/query");
    assert.equal(allowed.status, 0, allowed.stderr);
    assert.match(allowed.stdout, /^allowed: admin-ui → prometheus port http, GET \/api\/v1\/query, at /);
    const refused = mesh("access explain --from admin-ui --to prometheus --method DELETE --path /api/v1/query");
    assert.equal(refused.status, 1, refused.stderr);
    assert.match(refused.stdout, /^ {2}authorization +refuses/m);
    const line = /^document: mesh\.yaml:(\d+) services\.admin-ui\.calls\[2\] allows/m.exec(refused.stdout)?.[1];
    assert.match(own.split("\n")[Number(line) - 1] ?? "", /paths: \[\/api\/v1\/\*/);
    assert.equal(mesh("access explain --from tron-payment --to admin-ui").status, 1);
  });

  it("says what is wrong with a command line, and ends with 2", () => {
    const rows: [args: string, message: RegExp][] = [
      ["access explain --from admin-ui --to lucid-block", /^error: .*did you mean 'lucid-blocks'/],
      ["access explain --from admin-ui", /^error: say who calls whom/],
      ["access explain --nonsense", /unknown option/],
      ["access grant --from admin-ui --to jaeger", /required option '--until <date>'/],
      ["access list --stack nowhere", /Pulumi\.nowhere\.yaml is missing/],
      ["nonsense", /unknown command/],
    ];
    for (const [args, message] of rows) {
      const { status, stderr } = mesh(args);
      assert.equal(status, 2, args);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
    assert.equal(mesh("access --help").status, 0);
  });

  it("lists, as a table and as JSON", () => {
    const table = mesh("access list --service payout-router");
    assert.equal(table.status, 0, table.stderr);
    assert.match(table.stdout, /^payout-router +lucid-blocks +grpc +anything +- +mesh\.yaml:\d+ +Every payout batch/m);
    const rows = JSON.parse(mesh("access list --json").stdout) as { kind: string }[];
    assert.deepEqual([...new Set(rows.map(({ kind }) => kind))].sort(), ["call", "inspection", "telemetry"]);
  });

  it("grants until a date, shows the change, explains it, and revokes it", () => {
    const grant =
      'access grant --from tron-payment --to lucid-blocks --until 2099-12-31 --reason "An audit" --methods GET --paths /height /blocks/*';
    assert.match(mesh(`${grant} --dry-run`).stdout, /^\+ {8}until: 2099-12-31$[^]*not written/m);
    assert.equal(readFileSync(file, "utf8"), own);
    const granted = mesh(grant);
    assert.equal(granted.status, 0, granted.stderr);
    const declared = parseDocument(readFileSync(file, "utf8")).services.find(
      ({ name }) => name === "tron-payment",
    )?.calls;
    assert.deepEqual(declared, [
      {
        service: "lucid-blocks",
        reason: "An audit",
        methods: ["GET"],
        paths: ["/height", "/blocks/*"],
        until: "2099-12-31",
      },
    ]);
    const ask = "access explain --from tron-payment --to lucid-blocks --method GET --path /blocks/7";
    assert.equal(mesh(ask).status, 0);
    const later = mesh(`${ask} --at 2100-01-01T00:00:00Z`);
    assert.equal(later.status, 1);
    assert.match(later.stdout, /policy 'tron-payment' ended at 2100-01-01T00:00:00Z/);
    const revoked = mesh("access revoke --from tron-payment --to lucid-blocks");
    assert.equal(revoked.status, 0, revoked.stderr);
    assert.equal(readFileSync(file, "utf8"), own);
    assert.equal(mesh(ask).status, 1);
  });

  it("writes no document that has problems", () => {
    const { status, stderr } = mesh(
      "access grant --from tron-payment --to lucid-blocks --until 2099-12-31 --reason why --paths /a/../b",
    );
    assert.equal(status, 2);
    assert.match(stderr, /nothing was written; the change would leave it with mesh\.yaml: 1 problem/);
    assert.equal(readFileSync(file, "utf8"), own);
  });

  it("explains a record, given or read", () => {
    const record = JSON.stringify({
      kind: "call",
      direction: "inbound",
      service: "prometheus",
      port: "http",
      time: "2026-12-01T00:00:00.000Z",
      caller: "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui",
      method: "GET",
      path: "/admin",
      status: 403,
      details: "rbac_access_denied_matched_policy[none]",
      authorization: "denied",
      policy: null,
    });
    const { status, stdout, stderr } = mesh("access explain --record -", record);
    assert.equal(status, 1, stderr);
    assert.match(stdout, /^refused by authorization: the sidecar of prometheus answered 403/);
    assert.match(stdout, /^document: mesh\.yaml:\d+ services\.admin-ui\.calls\[2\]/m);
    assert.equal(mesh("access explain --record hello").status, 2);
  });
});
