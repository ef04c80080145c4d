import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dump } from "js-yaml";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "../../dev/paths";
import { LUCID_CEILING } from "../../policies/ceiling";
import { readCeiling } from "../../policies/ceiling/reading";
import { EXAMPLE, RAISED } from "../integration/support/stacks/joining-document";
import { joinedDocument, joinsOf } from "../unit/components/joins";
import { ownRepository } from "./own-repository";
import type { Run } from "../run-pulumi";
import { Program } from "./program";

const CEILING = path.join(EXAMPLE, "ceiling.json");
const MESH = "organization/lucid-mesh/dev";

/** The real CLI, engine, language host and policy pack on the real example. No cluster is in reach. */
describe("a stack that joins the mesh, previewed without a cluster", function () {
  this.timeout(180_000);
  const files = mkdtempSync(path.join(tmpdir(), "lucid-joins-"));
  let joins: Readonly<Record<string, unknown>>;

  /** A file with what a mesh's stack tells those who join. */
  const told = (told: unknown): string => {
    const file = path.join(mkdtempSync(path.join(files, "joins-")), "joins.json");
    writeFileSync(file, JSON.stringify(told));
    return file;
  };

  before(async () => {
    joins = await joinsOf(joinedDocument());
  });
  after(() => {
    rmSync(files, { recursive: true });
  });

  it("has a ceiling that says what the pack's owner raised for it, and no more", () => {
    const written = JSON.parse(readFileSync(CEILING, "utf8")) as Readonly<Record<string, unknown>>;
    assert.deepEqual(Object.keys(written), ["ceiling"]);
    const { ceiling, problems, notes } = readCeiling(written.ceiling, { rules: new Map(), now: new Date() });
    assert.deepEqual(
      { ceiling, problems, notes },
      { ceiling: { ...LUCID_CEILING, ...RAISED }, problems: [], notes: [] },
    );
  });

  describe("of the mesh itself, which lets the service join", () => {
    let program: Program | undefined;
    before(async () => {
      program = await Program.prepare();
    });
    after(() => {
      program?.dispose();
    });

    it("passes the pack by the same ceiling, with everything of the service but its pods", async () => {
      assert.ok(program);
      const document = path.join(files, "mesh.yaml");
      writeFileSync(document, dump(joinedDocument()));
      const pack = ["--policy-pack", path.join(checkoutDir, "policies"), "--policy-pack-config", CEILING];
      const { status, output } = await program.preview({ document }, pack);
      assert.equal(status, 0, output);
      assert.doesNotMatch(output, /\[mandatory\]|\[advisory\]|can't run policy/);
      for (const planned of [
        "Secret billing-sidecar-tls",
        "ConfigMap billing-sidecar-envoy",
        "NetworkPolicy ops-billing",
      ])
        assert.match(output, new RegExp(`${planned} create`));
      assert.doesNotMatch(output, /billing-deployment|billing-disruption-budget/);
    });
  });

  describe("of the checkout's example, beside the mesh's own stack", () => {
    let program: Program | undefined;
    const preview = async (stack: string): Promise<Run> => {
      assert.ok(program);
      const pack = ["--policy-pack", path.join(checkoutDir, "policies"), "--policy-pack-config", CEILING];
      return program.preview({ mesh: stack }, pack);
    };
    before(async () => {
      program = await Program.prepare(EXAMPLE);
      await program.otherStack("lucid-mesh", "dev", { joins });
      await program.otherStack("lucid-mesh", "old", { services: {} });
    });
    after(() => {
      program?.dispose();
    });

    it("passes the pack, and plans the pods and their budget", async () => {
      assertPlanned(await preview(MESH));
    });

    it("is refused where the mesh's stack tells of nobody", async () => {
      assertRefused(await preview("organization/lucid-mesh/old"), [
        "stack organization/lucid-mesh/old has no map 'joins'; deploy the mesh by `pulumi up` first, with a release of the package that lets stacks join",
      ]);
    });

    it("is refused where there is no such stack", async () => {
      const { status, output } = await preview("organization/lucid-mesh/none");
      assert.notEqual(status, 0, output);
      assert.match(output, /unknown stack "organization\/lucid-mesh\/none"/);
      assert.doesNotMatch(output, /apps\/v1:Deployment/);
    });
  });

  describe("in a repository of its own, with the package from npm", () => {
    let folder: string | undefined;
    let program: Program | undefined;
    let original = "";

    /** The preview of the example with some of its text replaced, by the installed package's own pack. */
    const preview = async (replacements: readonly (readonly [string, string])[] = [], own = joins, ceiling = true) => {
      assert.ok(folder !== undefined && program !== undefined);
      let text = original;
      for (const [from, to] of replacements) {
        assert.ok(text.includes(from), from);
        text = text.replace(from, to);
      }
      writeFileSync(path.join(folder, "program.ts"), text);
      const pack = ["--policy-pack", path.join(folder, "node_modules", "@lucid", "mesh", "policies")];
      return program.preview(
        { joins: told(own) },
        ceiling ? [...pack, "--policy-pack-config", path.join(folder, "ceiling.json")] : pack,
      );
    };

    before(async () => {
      folder = ownRepository(EXAMPLE);
      original = readFileSync(path.join(folder, "program.ts"), "utf8");
      program = await Program.prepare(folder);
    });
    after(() => {
      program?.dispose();
      if (folder !== undefined) rmSync(folder, { recursive: true });
    });

    it("passes the pack, and plans the pods and their budget", async () => {
      assertPlanned(await preview());
    });

    it("is refused by the pack where its owner did not let the service join", async () => {
      const violations = assertBlocked(await preview([], joins, false));
      assert.deepEqual(Object.keys(violations).sort(), ["members-only", "stack-invariants"]);
      assert.match(violations["stack-invariants"] ?? "", /have the ceiling's owner list ops\/billing under `joined`/);
    });

    it("is refused where the mesh does not let the service join", async () => {
      assertRefused(await preview([], {}), [
        "the given joins does not let 'billing' join (it lets nobody join); declare it in the mesh's document with 'joinedBy', and deploy the mesh",
      ]);
    });

    it("is refused where the mesh is of a newer release", async () => {
      assertRefused(await preview([], { billing: { ...(joins.billing as object), format: 2 } }), [
        "the given joins: billing is told of in format 2, and this package reads 1; update @lucid/mesh in this stack to the release by which the mesh is deployed",
      ]);
    });

    it("is refused a pod in the node's network", async () => {
      const refused = await preview([["containers: [", "hostNetwork: true,\n          containers: ["]]);
      assertRefused(refused, ["billing can't join as it is declared here: 1 problem"]);
      assert.match(
        refused.output,
        /spec\.hostNetwork: the pod would be in the node's network, past its NetworkPolicy; leave it out/,
      );
    });

    it("is blocked where a transform takes the sidecar out", async () => {
      const transform = `{ provider: cluster, transforms: [({ type, props, opts }) => {
        if (type === "kubernetes:apps/v1:Deployment") props.spec.template.spec.initContainers = [];
        return { props, opts };
      }] },`;
      const violations = assertBlocked(await preview([["{ provider: cluster },", transform]]));
      assert.deepEqual(Object.keys(violations), ["sidecar-required"]);
      assert.match(violations["sidecar-required"] ?? "", /the pod has no sidecar/);
    });

    it("is blocked where a transform has the sidecar read another configuration", async () => {
      const transform = `{ provider: cluster, transforms: [({ type, props, opts }) => {
        if (type === "kubernetes:apps/v1:Deployment") {
          const [config] = props.spec.template.spec.volumes;
          config.projected.sources[0].configMap.name = "billing-settings";
        }
        return { props, opts };
      }] },`;
      const violations = assertBlocked(await preview([["{ provider: cluster },", transform]]));
      assert.match(
        violations["sidecar-required"] ?? "",
        /what the sidecar reads at \/etc\/envoy\/config is not its own/,
      );
    });

    it("is blocked where it opens its own isolation", async () => {
      const policy = `new kubernetes.networking.v1.NetworkPolicy("more", {
        metadata: { name: "billing-more", namespace: "lucid-ops" },
        spec: {
          podSelector: { matchLabels: { "app.kubernetes.io/name": "billing" } },
          policyTypes: ["Ingress"],
        },
      }, { provider: cluster });
      return { owner`;
      const violations = assertBlocked(await preview([["return { owner", policy]]));
      assert.match(violations["stack-invariants"] ?? "", /a NetworkPolicy decides who is who in zone ops/);
    });

    it("is blocked where it brings a pod beside, past the package", async () => {
      const pod = `new kubernetes.core.v1.Pod("beside", {
        metadata: { name: "billing", namespace: "lucid-ops" },
        spec: { containers: [{ name: "app", image: "fortio/fortio:1.66.2" }] },
      }, { provider: cluster });
      return { owner`;
      const violations = assertBlocked(await preview([["return { owner", pod]]));
      assert.match(violations["sidecar-required"] ?? "", /the pod has no sidecar/);
      assert.match(violations["members-only"] ?? "", /default ServiceAccount/);
    });
  });
});

function assertPlanned({ status, output }: Run): void {
  assert.equal(status, 0, output);
  assert.match(output, / kubernetes:apps\/v1:Deployment billing-deployment create/);
  assert.match(output, / kubernetes:policy\/v1:PodDisruptionBudget billing-disruption-budget create/);
  assert.match(output, /lucid-mesh@v\S+ \(local: /);
  assert.doesNotMatch(output, /\[mandatory\]|\[advisory\]|can't run policy/);
}

/** The program ended before it declared anything of the service, with these errors and no stack trace. */
function assertRefused({ status, output }: Run, expected: readonly string[]): void {
  assert.notEqual(status, 0, output);
  assert.doesNotMatch(output, /apps\/v1:Deployment|disruption-budget/);
  assert.doesNotMatch(output, /^\s+at .*:\d+:\d+\)?$|Unhandled exception|node_modules\/@pulumi/m);
  const diagnostics = output.slice(output.indexOf("Diagnostics:"));
  assert.deepEqual(
    [...diagnostics.matchAll(/^ {4}error: (.*)$/gm)].map(([, text = ""]) => text),
    expected,
  );
}

/** What the pack found, by rule. */
function assertBlocked({ status, output }: Run): Readonly<Record<string, string>> {
  assert.notEqual(status, 0, output);
  assert.match(output, /preview failed/);
  assert.doesNotMatch(output, /can't run policy/);
  const found = output.split(/^ {8}- /m).slice(1);
  const violations: Record<string, string> = {};
  for (const text of found) {
    const [, rule = "?"] = /^\[mandatory\].*?\s([a-z-]+)\s+\(/.exec(text) ?? [];
    violations[rule] = (violations[rule] ?? "") + text;
  }
  assert.ok(found.length > 0, output);
  return violations;
}
