import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dump } from "js-yaml";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blastRadii } from "../../../cli/reachability/blast";
import { without } from "../../../cli/reachability/matrix";
import type { Matrix } from "../../../cli/reachability/matrix";
import { checkoutDir } from "../../../dev/paths";
import { PortSet } from "../../../policies/reachability/network";
import { readPlan } from "../../../proof/plan";
import { trustFileOf } from "../../policies/reachability/envoy/rendered";
import type { JsonObject } from "../../policies/support/edit";
import { lucid, rehearsed } from "../proof/lucid";

/** A ConfigMap of trust as the update makes it. */
function withRoots(object: JsonObject): JsonObject {
  const { name } = object.metadata as { name: string };
  if (object.kind !== "ConfigMap" || !/(?<!consul)-trust$/.test(name)) return object;
  const zones = Object.keys(object.data as JsonObject).map((file) => file.replace(/\.yaml$/, ""));
  return { ...object, data: Object.fromEntries(zones.map((zone) => [`${zone}.yaml`, trustFileOf(zone)])) };
}

const CALL = "      - service: tron-payment\n        ports: [http, grpc]\n";

/** The command itself, as a process of its own. */
describe("mesh reachability", function () {
  this.timeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), "lucid-reachability-"));
  const own = readFileSync(join(checkoutDir, "mesh.yaml"), "utf8");

  before(() => {
    for (const name of ["Pulumi.yaml", "Pulumi.dev.yaml", "mesh.yaml"])
      copyFileSync(join(checkoutDir, name), join(folder, name));
    assert.ok(own.includes(CALL));
    writeFileSync(join(folder, "fewer.yaml"), own.replace(CALL, ""));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const mesh = (args: readonly string[], input = "") => {
    const command = [join(checkoutDir, "cli", "mesh.cjs"), "--cwd", folder, "reachability", ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      cwd: checkoutDir,
      encoding: "utf8",
      input,
    });
    return { status, stdout, stderr };
  };

  it("prints the matrix and each service's blast radius, and ends well where exactly the declared is open", () => {
    const { status, stdout, stderr } = mesh([]);
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /^mesh\.yaml: exactly what is declared can be reached \(network, trust, authorization, ways, names\)$/m,
    );
    assert.match(stdout, /^ +Chain +Mesh +Ops +Wallet$/m);
    assert.match(stdout, /^ +8 Wallet\/payout-router +c +· +· +o +· +c +· +· +c$/m);
    assert.match(
      stdout,
      /^ {2}Wallet\/payout-router: reaches Chain\/lucid-blocks \(15001\/TCP\), .*; is reached by Mesh\/mesh-controller \(15090\/TCP\), Ops\/admin-ui \(15001\/TCP\), Ops\/prometheus \(15090\/TCP\)$/m,
    );
    assert.match(stdout, /^ {2}Wallet\/payout-router → Wallet\/tron-payment +grpc +everything$/m);
    assert.match(stdout, /^ {2}Ops\/prometheus → Wallet\/payout-router +inspection +GET on \/stats\/prometheus$/m);
    assert.match(
      stdout,
      /^ {2}Mesh\/mesh-controller → Wallet\/payout-router +inspection +GET on \/config_dump; GET on \/certs, by authorization alone$/m,
    );
    assert.match(
      stdout,
      /^ {2}Wallet\/payout-router +chain mesh ops wallet +jaeger\.lucid\.internal lucid-blocks\.lucid\.internal tron-payment\.lucid\.internal$/m,
    );
    assert.match(
      stdout,
      /^ {2}Ops\/admin-ui: .*; through their calls onwards Mesh\/mesh-controller, Wallet\/tron-payment; /m,
    );
  });

  it("tells what opens and what closes against another document", () => {
    const opens = mesh(["--against", "fewer.yaml"]);
    assert.equal(opens.status, 0, opens.stderr);
    assert.match(
      opens.stdout,
      /^against fewer\.yaml\n {2}opens {3}Wallet\/payout-router → Wallet\/tron-payment on 15001\/TCP\n {2}opens {3}Wallet\/payout-router → Wallet\/tron-payment on grpc: everything\n {2}opens {3}Wallet\/payout-router → Wallet\/tron-payment on http: everything\n\n/m,
    );
    assert.doesNotMatch(opens.stdout, /^ {2}closes/m);
  });

  it("writes Markdown for a pull request's comment", () => {
    writeFileSync(join(folder, "before.yaml"), own);
    writeFileSync(join(folder, "mesh.yaml"), own.replace(CALL, ""));
    const { status, stdout, stderr } = mesh(["--markdown", "--against", "before.yaml"]);
    writeFileSync(join(folder, "mesh.yaml"), own);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^### Who reaches whom\n\n✅ `mesh\.yaml`: exactly what is declared can be reached\.\n\n/);
    assert.match(stdout, /^\| closes \| Wallet\/payout-router → Wallet\/tron-payment \| 15001\/TCP \|$/m);
    assert.doesNotMatch(stdout, /opens/);
    assert.match(stdout, /^<details><summary>[\s\S]*^<\/details>$/m);
  });

  describe("of objects that it is given", () => {
    let list: {
      apiVersion: string;
      kind: string;
      items: { kind: string; metadata: { name: string }; spec?: { ingress?: { from: object[] }[] } }[];
    };
    before(async () => {
      const { objects } = readPlan(lucid, await rehearsed(lucid));
      // What is not known yet has no place in JSON; in a cluster everything is known.
      const known = objects.map((object) => withRoots(object as unknown as JsonObject));
      list = { apiVersion: "v1", kind: "List", items: JSON.parse(JSON.stringify(known)) as typeof list.items };
    });

    it("ends well where a cluster is as declared, as kubectl prints it", () => {
      const { status, stdout, stderr } = mesh(["--objects", "-"], JSON.stringify(list));
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /^standard input: exactly what is declared/);
    });

    it("ends with status 1 and the counterexample where a policy was widened by hand", () => {
      const widened = structuredClone(list);
      const policy = widened.items.find(
        ({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === "payout-router",
      );
      policy?.spec?.ingress?.[0]?.from.push({ namespaceSelector: {} });
      const file = join(folder, "objects.yaml");
      writeFileSync(file, widened.items.map((item) => `---\n${dump(item)}`).join(""));
      const { status, stdout } = mesh(["--objects", "objects.yaml", "--json"]);
      assert.equal(status, 1, stdout);
      const report = JSON.parse(stdout) as { proven: boolean; violations: string[] };
      assert.equal(report.proven, false);
      assert.match(
        report.violations.join("\n"),
        /NetworkPolicy lucid-wallet\/payout-router, spec\.ingress\[0\]\.from\[1\], selects every pod of every namespace and lets it in/,
      );
    });

    it("ends with status 1 and the counterexample where a sidecar's file was changed by hand", () => {
      const widened = structuredClone(list) as unknown as {
        items: { metadata: { name: string }; data?: Record<string, string | undefined> }[];
      };
      const files = widened.items.find(({ metadata }) => metadata.name === "payout-router-envoy")?.data ?? {};
      files["listeners.yaml"] = (files["listeners.yaml"] ?? "").replace(
        /(lucid-ops\/sa\/|lucid-ops:)admin-ui/g,
        "$1jaeger",
      );
      const { status, stdout } = mesh(["--objects", "-", "--markdown"], JSON.stringify(widened));
      assert.equal(status, 1, stdout);
      assert.match(
        stdout,
        /^- authorization: Wallet\/payout-router lets Ops\/jaeger send .*: ConfigMap lucid-wallet\/payout-router-envoy, data\["listeners\.yaml"\]/m,
      );
      assert.match(
        stdout,
        /^\| Ops\/jaeger → Wallet\/payout-router \| http \| everything, by authorization alone \|$/m,
      );
    });

    it("says what it misses where kubectl was not asked for ConfigMaps", () => {
      const items = list.items.filter(({ kind }) => kind !== "ConfigMap");
      const { status, stdout } = mesh(["--objects", "-"], JSON.stringify({ ...list, items }));
      assert.equal(status, 1);
      assert.match(
        stdout,
        /sidecars: Deployment lucid-wallet\/payout-router: ConfigMap lucid-wallet\/payout-router-envoy, by which it runs, isn't among the objects/,
      );
    });

    it("ends with status 1 where a policy was deleted", () => {
      const items = list.items.filter(({ metadata }) => metadata.name !== "lucid-blocks");
      const { status, stdout } = mesh(["--objects", "-"], JSON.stringify({ ...list, items }));
      assert.equal(status, 1);
      assert.match(stdout, /can't reach Chain\/lucid-blocks|no workload is Chain\/lucid-blocks/);
    });
  });

  const WRONG: readonly (readonly [title: string, args: readonly string[], input: string, tells: RegExp])[] = [
    ["a file that is not there", ["--objects", "none.json"], "", /--objects none\.json: it can't be read \(ENOENT/],
    ["objects that are none", ["--objects", "-"], "{", /--objects -: it is neither YAML nor JSON/],
    [
      "another document that is not there",
      ["--against", "none.yaml"],
      "",
      /none\.yaml: the mesh document can't be read/,
    ],
    ["two forms at once", ["--json", "--markdown"], "", /option '--json' cannot be used with option '--markdown'/],
  ];
  for (const [title, args, input, tells] of WRONG) {
    it(`refuses ${title}, with status 2`, () => {
      const { status, stdout, stderr } = mesh(args, input);
      assert.equal(status, 2, stdout);
      assert.match(stderr, tells);
      assert.equal(stdout, "");
    });
  }
});

describe("a reachability matrix", () => {
  const pair = (from: string, to: string, ...ports: number[]) => ({ from, to, ports: PortSet.tcp(...ports) });
  const matrix = (...pairs: Matrix["pairs"]): Matrix => ({ parties: ["a", "b", "c", "d"], pairs, outside: [] });

  it("differs by ports, not by pairs alone", () => {
    const { pairs } = without(
      matrix(pair("a", "b", 1, 2), pair("b", "a", 1)),
      matrix(pair("a", "b", 2), pair("b", "a", 1)),
    );
    assert.deepEqual(
      pairs.map(({ from, to, ports }) => `${from} ${to} ${ports.toString()}`),
      ["a b 1/TCP"],
    );
  });

  it("gives the blast radius: direct, onwards by calls alone, and back", () => {
    const [a, b] = blastRadii(
      matrix(
        pair("a", "b", 15001),
        pair("b", "c", 15001),
        pair("c", "a", 15001),
        pair("c", "d", 15090),
        pair("a", "a", 1),
      ),
    );
    assert.deepEqual(
      [a?.reaches.map(({ to }) => to), a?.onwards, a?.reachedBy.map(({ from }) => from)],
      [["b"], ["c"], ["c"]],
    );
    assert.deepEqual([b?.reaches.map(({ to }) => to), b?.onwards], [["c"], ["a"]]);
  });
});
