import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { loadMesh } from "../../../mesh";
import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { UNKNOWN } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { beyondCeiling } from "../../../policies/rules/reachability";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";
import { plannedResources } from "../support/planned";
import type { PlannedResource } from "../support/recorded-stack";

const NAME = "app.kubernetes.io/name";

/** What the stack rule makes of who reaches whom in Lucid's plan. */
describe("nobody reaches anybody beyond the ceiling", function () {
  this.timeout(60_000);
  let plan: readonly PlannedResource[] = [];

  before(async () => {
    plan = await plannedResources();
  });

  const found = (resources: readonly StackResource[], ceiling: Ceiling = LUCID_CEILING) =>
    beyondCeiling(resources, ceiling).map(({ resource, path, problem }) => `${resource.name}: ${path}: ${problem}`);

  /** The plan with the resource of a name changed at a path. */
  const changed = (name: string, path: string, value?: Json, resources: readonly PlannedResource[] = plan) => {
    assert.equal(resources.filter((resource) => resource.name === name).length, 1, name);
    return resources.map((resource) => (resource.name === name ? changedOne(resource, path, value) : resource));
  };
  const peer = (zone: string, service: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `lucid-${zone}` } },
    podSelector: { matchLabels: { [NAME]: service } },
  });

  it("in what Lucid declares", () => {
    assert.deepEqual(found(plan), []);
  });

  it("in a zone whose objects the plan has all, though others stand in another stack", () => {
    for (const zone of ["wallet", "ops", "mesh"]) assert.deepEqual(found(ofZone(zone)), [], zone);
  });

  it("in a stack that joins: what it may bring is judged elsewhere", () => {
    const pods = plan.filter(({ name }) => name === "payout-router-deployment");
    assert.equal(pods.length, 1);
    assert.deepEqual(found(pods), []);
  });

  it("may be open less than the ceiling lets be, in all layers alike", async () => {
    const own = readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8");
    const call = "      - service: tron-payment\n        ports: [http, grpc]\n";
    assert.ok(own.includes(call));
    const fewer = loadMesh(own.replace(call, ""), "mesh.yaml", { tracing: true });
    assert.deepEqual(found(await plannedResources(fewer)), []);
  });

  /** The plan with files of a ConfigMap changed. */
  const refiled = (name: string, change: (data: Readonly<Record<string, string>>) => Record<string, string>) => {
    const data = plan.find((resource) => resource.name === name)?.properties.at("data").plain;
    return changed(name, "data", change(data as Readonly<Record<string, string>>));
  };
  const replacing = (name: string, pattern: RegExp, by: string) =>
    refiled(name, (data) => {
      const files = Object.entries(data).map(([file, text]) => [file, text.replace(pattern, by)] as const);
      assert.notDeepEqual(Object.fromEntries(files), data, name);
      return Object.fromEntries(files);
    });
  const fileOf = (name: string, file: string) =>
    plan
      .find((resource) => resource.name === name)
      ?.properties.at("data", file)
      .text() ?? assert.fail(`${name} has no ${file}`);

  const refusals: readonly (readonly [title: string, plan: () => readonly StackResource[], finds: RegExp])[] = [
    [
      "a caller that only a sidecar lets in",
      () =>
        replacing("lucid-blocks-sidecar-envoy", /(lucid-wallet\/sa\/|lucid-wallet:)payout-router/g, "$1tron-payment"),
      /^lucid-blocks-sidecar-envoy: data\["listeners\.yaml"\]\S+: authorization: Chain\/lucid-blocks lets Wallet\/tron-payment send everything to Chain\/lucid-blocks on http, which may not be/,
    ],
    [
      "a way to a service that the ceiling doesn't list",
      () => replacing("admin-ui-sidecar-envoy", /payout-router/g, "tron-payment"),
      /^admin-ui-sidecar-envoy: data\["clusters\.yaml"\]\S+: ways: Ops\/admin-ui has a way to Wallet\/tron-payment on http \(15001\/TCP, http\.tron-payment\.ops\), which may not be/,
    ],
    [
      "the roots of a zone with which a service has nothing to do",
      () =>
        refiled("tron-payment-sidecar-trust", (data) => ({
          ...data,
          "chain.yaml": fileOf("payout-router-sidecar-trust", "chain.yaml"),
        })),
      /^tron-payment-sidecar-trust: data\["chain\.yaml"\]: trust: Wallet\/tron-payment trusts whom the CA of zone chain certifies/,
    ],
    [
      "the roots of one zone in the place of another's",
      () =>
        refiled("payout-router-sidecar-trust", (data) => ({
          ...data,
          "chain.yaml": fileOf("payout-router-sidecar-trust", "ops.yaml").replace("trust/ops", "trust/chain"),
        })),
      /trust: whom the CA of zone (ops|chain) certifies, \S+ takes for one of zone (ops|chain), too/,
    ],
    [
      "a name that leads to another service",
      () => replacing("admin-ui-sidecar-envoy", /name: payout-router\.lucid\.internal/, "name: login.lucid.internal"),
      /^admin-ui-sidecar-envoy: \S+: names: Ops\/admin-ui's resolver answers login\.lucid\.internal with 127\.\S+, where Wallet\/payout-router is/,
    ],
    [
      "a file of a sidecar that can't be read",
      () => replacing("payout-router-sidecar-envoy", /^version_info: .*$/m, "surprise: true"),
      /^payout-router-sidecar-envoy: \S*: sidecars: /,
    ],
    [
      "a call that sidecars let through and the network doesn't",
      () => changed("wallet-payout-router", "spec.egress[0].to", [peer("ops", "jaeger")]),
      /agreement: the layers don't agree on Wallet\/payout-router and Wallet\/tron-payment on http \(15001\/TCP\): it is open by the authorization layer \(ConfigMap lucid-wallet\/tron-payment-envoy, .*\), and the ways layer \(ConfigMap lucid-wallet\/payout-router-envoy, .*\); it is closed by the network layer \(NetworkPolicy lucid-wallet\/default-deny with NetworkPolicy lucid-wallet\/payout-router\)/,
    ],
    [
      "a call that the network lets through and sidecars don't",
      () => {
        const out = changed("wallet-tron-payment", "spec.egress[0].to[1]", peer("wallet", "payout-router"));
        return changed("wallet-payout-router", "spec.ingress[0].from[1]", peer("wallet", "tron-payment"), out);
      },
      /agreement: the layers don't agree on Wallet\/tron-payment and Wallet\/payout-router on any port \(15001\/TCP\): it is open by the network layer \(.*\); it is closed by the authorization layer/,
    ],
    [
      "trust that can't be known and comes from another zone's root",
      () => unknownTrust("ops.lucid.internal root"),
      /^lucid-blocks-sidecar-trust: data\S*: sidecars: can't be known at preview/,
    ],
    [
      "a caller that the ceiling doesn't list, though the other side refuses it",
      () => changed("wallet-payout-router", "spec.ingress[0].from[1]", peer("chain", "lucid-blocks")),
      /^wallet-payout-router: spec\.ingress\[0\]\.from\[1\]: network: Wallet\/payout-router lets Chain\/lucid-blocks in on 15001\/TCP/,
    ],
    [
      "a caller elsewhere, where its zone stands in another stack",
      () => changed("wallet-payout-router", "spec.ingress[0].from[1]", peer("chain", "lucid-blocks"), ofZone("wallet")),
      /network: pods \(app\.kubernetes\.io\/name=lucid-blocks\) of namespaces \(kubernetes\.io\/metadata\.name=lucid-chain\) can reach Wallet\/payout-router on 15001\/TCP/,
    ],
    [
      "all of a zone in another stack",
      () => changed("wallet-payout-router", "spec.ingress[0].from[0].podSelector", {}, ofZone("wallet")),
      /network: every pod of namespaces \(kubernetes\.io\/metadata\.name=lucid-ops\) can reach Wallet\/payout-router/,
    ],
    [
      "a way to addresses",
      () => changed("wallet-payout-router", "spec.egress[0].to[0]", { ipBlock: { cidr: "203.0.113.0/24" } }),
      /network: Wallet\/payout-router can reach 203\.0\.113\.0\/24 on 15001\/TCP, which nobody declared/,
    ],
    [
      "an address of pods, which anybody may have",
      () => changed("mesh-mesh-controller", "spec.egress[4].to[0].ipBlock.cidr", "10.244.3.0/24"),
      /^mesh-mesh-controller: spec\.egress\[4\]\.to\[0\]\.ipBlock/,
    ],
    [
      "a pod under another's account",
      () => changed("jaeger-deployment", "spec.template.spec.serviceAccountName", "stranger"),
      /Ops\/stranger/,
    ],
    [
      "a pod that bears a name by which others are let in",
      () => changed("jaeger-deployment", `spec.template.metadata.labels["${NAME}"]`, "prometheus"),
      /network: .*lets Ops\/jaeger in on 15090\/TCP|network: Ops\/jaeger can reach .* on 15090\/TCP/,
    ],
    [
      "a namespace that is closed in one direction, for a pod without a policy",
      () => [
        ...changed("wallet-default-deny", "spec.policyTypes", ["Ingress"]).filter(
          ({ name }) => name !== "wallet-tron-payment",
        ),
      ],
      /^tron-payment-deployment: : network: no NetworkPolicy restricts whom Wallet\/tron-payment reaches/,
    ],
    [
      "a policy that can't be known",
      // No JSON value: what the engine does not know yet is a value of its own.
      () => changed("wallet-payout-router", "spec.podSelector", UNKNOWN as unknown as Json),
      /^wallet-payout-router: spec\.podSelector\S*: network: can't be known at preview/,
    ],
    [
      "a type that contradicts its inputs",
      () => changed("wallet-payout-router", "kind", "ConfigMap"),
      /^wallet-payout-router: kind: is `ConfigMap`, and the resource's type is of NetworkPolicy/,
    ],
    [
      "two policies of one name",
      () => [...plan, ...plan.filter(({ name }) => name === "wallet-payout-router")],
      /^wallet-payout-router: metadata\.name: network: two objects have this name/,
    ],
  ];
  for (const [title, resources, finds] of refusals) {
    it(`refuses ${title}`, () => {
      const texts = found(resources());
      assert.ok(
        texts.some((text) => finds.test(text)),
        JSON.stringify(texts, undefined, 2),
      );
    });
  }

  it("takes trust that can't be known by the zones whose roots it comes from", () => {
    assert.deepEqual(
      found(unknownTrust(...["ops", "wallet", "mesh"].map((zone) => `${zone}.lucid.internal root`))),
      [],
    );
  });

  /** The plan with a trust ConfigMap as previews have it: what its data comes from is known, and no more. */
  function unknownTrust(...commonNames: readonly string[]): readonly StackResource[] {
    const name = "lucid-blocks-sidecar-trust";
    const roots = commonNames.map((commonName): StackResource => ({
      type: "tls:index/selfSignedCert:SelfSignedCert",
      name: commonName,
      urn: commonName,
      properties: new Field({ subject: { commonName } }),
      origins: () => [],
    }));
    const files = Object.keys(plan.find((one) => one.name === name)?.properties.at("data").plain ?? {}).sort();
    assert.deepEqual(files, ["mesh.yaml", "ops.yaml", "wallet.yaml"]);
    const data = Object.fromEntries(files.map((file) => [file, UNKNOWN as unknown as Json]));
    return changed(name, "data", data).map((resource) =>
      resource.name === name
        ? { ...resource, origins: (property: string) => (property === "data" ? roots : []) }
        : resource,
    );
  }

  it("goes by the ceiling that it is given: an edge taken out is refused, one put in is not", () => {
    const without = LUCID_CEILING.edges.filter(
      ({ from, to }) => from !== "wallet/payout-router" || to !== "chain/lucid-blocks",
    );
    assert.match(
      found(plan, { ...LUCID_CEILING, edges: without }).join("\n"),
      /Wallet\/payout-router can reach Chain\/lucid-blocks on 15001\/TCP, which nobody declared/,
    );
    const opened = changed("wallet-payout-router", "spec.ingress[0].from[1]", peer("chain", "lucid-blocks"));
    const edge = { from: "chain/lucid-blocks", to: "wallet/payout-router", ports: ["15001/TCP"], reason: "tried" };
    assert.deepEqual(found(opened, { ...LUCID_CEILING, edges: [...LUCID_CEILING.edges, edge] }), []);
  });

  it("takes no leave from an edge whose ports are none", () => {
    const edges = LUCID_CEILING.edges.map((edge) =>
      edge.to === "mesh/consul" ? { ...edge, ports: ["8501", "99999/TCP"] } : edge,
    );
    assert.match(
      found(plan, { ...LUCID_CEILING, edges }).join("\n"),
      /Mesh\/mesh-controller can reach Mesh\/consul on 8501\/TCP/,
    );
  });

  /** The part of the plan that one zone's own stack has. */
  function ofZone(zone: string): readonly PlannedResource[] {
    return plan.filter(({ properties, type }) => {
      const key = type.endsWith(":Namespace") ? "name" : "namespace";
      return type.startsWith("kubernetes:") && properties.at("metadata", key).is(`lucid-${zone}`);
    });
  }

  function changedOne(resource: PlannedResource, path: string, value: Json | undefined): PlannedResource {
    const inputs: Plain = edit(resource.inputs as JsonObject, path, value);
    return { ...resource, inputs, properties: new Field(inputs) };
  }
});
