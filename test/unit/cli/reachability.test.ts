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
import type { StackResource } from "../../../policies/judgement/rule";
import { readPlan } from "../../../proof/plan";
import { trustFileOf } from "../../policies/reachability/envoy/rendered";
import type { JsonObject } from "../../policies/support/edit";
import { ANOTHER_AUTHORITY, externalDocument } from "../envoy/external-fixture";
import { lucid, rehearsed } from "../proof/lucid";

/** A ConfigMap of trust as the update makes it. */
function withRoots(object: JsonObject): JsonObject {
  const { name } = object.metadata as { name: string };
  if (object.kind !== "ConfigMap" || !/(?<!consul)-trust$/.test(name)) return object;
  const zones = Object.keys(object.data as JsonObject).map((file) => file.replace(/\.yaml$/, ""));
  return { ...object, data: Object.fromEntries(zones.map((zone) => [`${zone}.yaml`, trustFileOf(zone)])) };
}

const CALL = "      - service: tron-payment\n        ports: [http, grpc]\n";

interface ReportedAcl {
  readonly policies: readonly object[];
  readonly tokens: readonly { readonly Policies: readonly object[] }[];
}

/** Consul's ACL objects as its API answers them, once they are made. */
function reportedAcl(resources: readonly StackResource[]) {
  const ofType = (type: string) => resources.filter((resource) => resource.type.endsWith(`:${type}`));
  const text = (resource: StackResource, key: string) => resource.properties.at(key).text() ?? "";
  return {
    policies: ofType("AclPolicy").map((policy) => ({ Name: text(policy, "name"), Rules: text(policy, "rules") })),
    roles: [],
    tokens: [
      ...ofType("AclToken").map((token, index) => ({
        AccessorID: `accessor-${String(index)}`,
        Description: text(token, "description"),
        Policies: token.properties
          .at("policies")
          .texts()
          .map((Name) => ({ Name })),
      })),
      { AccessorID: "management", Description: "Initial Management Token", Policies: [{ Name: "global-management" }] },
      { AccessorID: "00000000-0000-0000-0000-000000000002", Description: "Anonymous Token", Policies: [] },
    ],
    authMethods: [],
    bindingRules: [],
  };
}

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
      /^mesh\.yaml: exactly what is declared can be reached \(network, trust, authorization, ways, names, registration\)$/m,
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
      /^ {2}Mesh\/mesh-controller → Wallet\/payout-router +inspection +GET on \/stats\?filter=_manager\.; GET on \/certs$/m,
    );
    assert.match(
      stdout,
      /^ {2}Wallet\/payout-router +chain mesh ops wallet +jaeger\.lucid\.internal lucid-blocks\.lucid\.internal tron-payment\.lucid\.internal$/m,
    );
    assert.match(stdout, /^ {2}Ops\/admin-ui: .*; through their calls onwards Wallet\/tron-payment; /m);
  });

  it("prints who registers and looks up names by which credential, and who has that", () => {
    const { stdout } = mesh([]);
    assert.match(stdout, /^registration, by credentials of the discovery backend$/m);
    assert.match(stdout, /^ {2}by +who has it +Chain +Mesh +Ops +Wallet +besides$/m);
    assert.match(
      stdout,
      /^ {2}AclToken consul-registrar-ops-token +Mesh\/mesh-controller +· +· +registers +· +write every other node that begins with `lucid-ops-`$/m,
    );
    assert.match(
      stdout,
      /^ {2}AclToken consul-node-resolver-token +Mesh\/node-resolver +(looks up +){4}look up every other/m,
    );
    assert.match(stdout, /^ {2}Consul's management token +Mesh\/consul +(registers +){4}everything$/m);
    const { registration } = JSON.parse(mesh(["--json"]).stdout) as {
      registration: { by: string; holders: string[]; acts: { act: string; what: string }[] }[];
    };
    const wallet = registration.find(({ by }) => by === "AclToken consul-registrar-wallet-token");
    assert.deepEqual(wallet?.holders, ["Mesh/mesh-controller"]);
    assert.deepEqual(
      wallet.acts.filter(({ act }) => act === "register").map(({ what }) => what),
      ["Wallet/payout-router", "Wallet/tron-payment"],
    );
  });

  it("tells who may newly register a name, and no longer", () => {
    const fewer = own.replace(/ {2}- name: tron-payment\n(?: {4}.*\n)+/, "");
    assert.notEqual(fewer, own);
    writeFileSync(join(folder, "without.yaml"), fewer.replace(CALL, ""));
    const { stdout, stderr } = mesh(["--against", "without.yaml"]);
    assert.match(
      stdout,
      /^ {2}opens {3}Mesh\/mesh-controller → Wallet\/tron-payment on register by AclToken consul-registrar-wallet-token$/m,
      stderr,
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
    let acl: ReportedAcl;
    let list: {
      apiVersion: string;
      kind: string;
      items: { kind: string; metadata: { name: string }; spec?: { ingress?: { from: object[] }[] } }[];
    };
    before(async () => {
      const resources = await rehearsed(lucid);
      const { objects } = readPlan(lucid, resources);
      acl = reportedAcl(resources);
      writeFileSync(join(folder, "acl.json"), JSON.stringify(acl));
      // What is not known yet has no place in JSON; in a cluster everything is known.
      const known = objects.map((object) => withRoots(object as unknown as JsonObject));
      list = { apiVersion: "v1", kind: "List", items: JSON.parse(JSON.stringify(known)) as typeof list.items };
    });

    it("ends well where a cluster is as declared, as kubectl prints it", () => {
      const { status, stdout, stderr } = mesh(["--objects", "-", "--acl", "acl.json"], JSON.stringify(list));
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /^standard input: exactly what is declared/);
      assert.match(stdout, /^ {2}token accessor-0 \(.*\) +not known here +/m);
    });

    it("says that nobody knows who may register where Consul was not asked", () => {
      const { status, stdout } = mesh(["--objects", "-"], JSON.stringify(list));
      assert.equal(status, 1);
      assert.match(
        stdout,
        /^ {2}registration: the objects don't say who may do what at consul, which is the declared/m,
      );
    });

    it("ends with status 1 and the counterexample where Consul's ACLs were changed by hand", () => {
      const [first, ...others] = acl.tokens;
      const tokens = [{ ...first, Policies: [...(first?.Policies ?? []), { Name: "by-hand" }] }, ...others];
      const policies = [...acl.policies, { Name: "by-hand", Rules: 'service_prefix "payout" { policy = "write" }' }];
      writeFileSync(join(folder, "by-hand.json"), JSON.stringify({ ...acl, policies, tokens }));
      const { status, stdout } = mesh(["--objects", "-", "--acl", "by-hand.json"], JSON.stringify(list));
      assert.equal(status, 1);
      assert.match(
        stdout,
        /registration: whoever has it can register Wallet\/payout-router and every other service that begins with `payout` by token accessor-0 .*: policy by-hand, `service_prefix "payout"/,
      );
    });

    it("says what it can't read of Consul's ACLs", () => {
      writeFileSync(join(folder, "partly.json"), JSON.stringify({ ...acl, bindingRules: undefined }));
      const { status, stdout } = mesh(["--objects", "-", "--acl", "partly.json"], JSON.stringify(list));
      assert.equal(status, 1);
      assert.match(stdout, /registration: Consul's ACL objects, bindingRules: is no list of what Consul's API answers/);
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

  describe("of services outside the cluster", () => {
    const withOutside = (change: (document: ReturnType<typeof externalDocument>) => void = () => undefined) => {
      const document = externalDocument();
      change(document);
      // Only Lucid's own stack has tracing on, and somebody has to collect it.
      document.zones.ops.members.push("jaeger");
      const ports = [
        { name: "query", port: 16686 },
        { name: "otlp", port: 4317, protocol: "grpc", dialPort: 4317 },
      ];
      return dump(
        {
          ...document,
          services: [...document.services, { name: "jaeger", plane: "ops", component: true, ports }],
        },
        { noRefs: true },
      );
    };
    const OUT =
      /^ {2}Edge\/ledger-db +sql +10\.20\.0\.5, 10\.20\.0\.6 on 5432\/TCP by TLS as db\.example\.org \(authorities [0-9a-f]{16}; offering postgresql; showing its certificate\) well by a connection$/m;
    before(() => {
      for (const file of ["before.yaml", "mesh.yaml"]) writeFileSync(join(folder, file), withOutside());
    });
    after(() => {
      writeFileSync(join(folder, "mesh.yaml"), own);
    });

    it("shows who stands for one, and where that leads, and that it is a callee as any other", () => {
      const { status, stdout, stderr } = mesh([]);
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.match(stdout, OUT);
      assert.match(stdout, /^ {2}Ops\/legacy +http +10\.20\.2\.9 on 8000\/TCP in plain text well by a connection$/m);
      assert.match(stdout, /^ {2}Edge\/ledger-db: .*; outside Edge\/ledger-db → 10\.20\.0\.5\S*.* \(5432\/TCP\)$/m);
      assert.match(stdout, /^ {2}Ops\/ledger → Edge\/ledger-db +sql +everything$/m);
      assert.match(
        mesh(["--markdown"]).stdout,
        /\| Edge\/ledger-db \| sql \| 10\.20\.0\.5, 10\.20\.0\.6 on 5432\/TCP by TLS/,
      );
    });

    it("shows what a change opens and closes there: an address, and another authority", () => {
      writeFileSync(
        join(folder, "mesh.yaml"),
        withOutside(({ services }) => {
          for (const service of services) {
            if (service.name !== "ledger-db" || service.external?.tls === undefined) continue;
            service.external.addresses = ["10.20.0.5", "10.20.0.7"];
            service.external.tls.authorities = ANOTHER_AUTHORITY;
          }
        }),
      );
      const { status, stdout, stderr } = mesh(["--against", "before.yaml"]);
      assert.equal(status, 0, stderr);
      assert.match(
        stdout,
        /^ {2}opens {3}Edge\/ledger-db → outside on sql: 10\.20\.0\.5, 10\.20\.0\.7 on 5432\/TCP by TLS as db\.example\.org/m,
      );
      assert.match(
        stdout,
        /^ {2}closes {2}Edge\/ledger-db → outside on sql: 10\.20\.0\.5, 10\.20\.0\.6 on 5432\/TCP by TLS/m,
      );
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
