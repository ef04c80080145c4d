import assert from "node:assert/strict";
import { load, dump, CORE_SCHEMA } from "js-yaml";
import type { Ceiling } from "../../../policies/ceiling";
import { judgeResource } from "../../../policies/judgement/rule";
import type { StackResource } from "../../../policies/judgement/rule";
import { resourceRules, stackRules } from "../../../policies/rules";
import { datacenterMesh } from "../../unit/envoy/datacenters-fixture";
import { datacenterCeiling, linking, tokensOf } from "../fixtures/datacenters";
import { Plan, specOf } from "../mutations/plan";
import type { Spec } from "../mutations/plan";
import { assertTold } from "../support/judge";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";
import { plannedResources } from "../support/planned";

const NORTH = datacenterCeiling("north");
const GATEWAY = "edge/datacenter-gateway";

/** What all rules say of a plan, as `<rule>: <problem>`. */
function judged(resources: readonly StackResource[], ceiling: Ceiling): readonly string[] {
  const alone = resources.flatMap((resource) =>
    resourceRules
      .filter((rule) => rule.concerns(resource.type))
      .flatMap((rule) => judgeResource(rule, resource, ceiling).map(({ problem }) => `${rule.name}: ${problem}`)),
  );
  const together = stackRules.flatMap((rule) =>
    rule.judge(resources, ceiling).map(({ problem }) => `${rule.name}: ${problem}`),
  );
  return [...alone, ...together];
}

describe("the plan of a datacenter", function () {
  this.timeout(120_000);
  let plan: Plan;
  let specs: ReadonlyMap<string, Spec>;
  before(async () => {
    const resources = await plannedResources(datacenterMesh("north", true), {
      datacenter: "north",
      datacenterStacks: "{}",
    });
    plan = new Plan(resources.map(specOf));
    specs = new Map(plan.specs.map((spec) => [spec.name, spec]));
  });

  describe("is refused by a ceiling that lists", () => {
    const gateless = { name: "north", gateway: "edge/rates", nodePort: "30444/TCP" };
    const others = (from: string) => NORTH.edges.filter((edge) => edge.from !== from);
    const less: readonly (readonly [title: string, ceiling: Ceiling, told: readonly RegExp[]])[] = [
      [
        "no datacenter",
        { ...NORTH, datacenter: undefined, links: {} },
        [
          /tls-certificates: the identity is none of the mesh's form/,
          /tls-certificates: `ops\.north\.lucid\.internal root` is no zone's authority/,
          /services-internal-only: the Service's type is `NodePort`/,
        ],
      ],
      [
        "another datacenter",
        { ...NORTH, datacenter: { ...gateless, name: "west", gateway: GATEWAY } },
        [
          /tls-certificates: the identity is one of another datacenter/,
          /`ops\.north\.lucid\.internal root` is no zone/,
        ],
      ],
      [
        "no link to one of them",
        linking("north", "east", undefined),
        [
          /upstreams-mtls: it links this datacenter to east, which the ceiling does not allow/,
          /upstreams-mtls: the file is no zone's/,
          /listeners-mtls: it passes calls of zone ops on to ledger of east, which the ceiling does not allow/,
          /zone-isolation: it lets edge\/datacenter-gateway out to `192\.0\.2\.5\/32` on 30443\/TCP, which no link/,
          /egress-tor-only: `192\.0\.2\.5\/32` leads out of the cluster/,
          /admission-policies: it lets NetworkPolicies open edge\/datacenter-gateway>192\.0\.2\.5\/32:30443\/TCP/,
          /stack-invariants: ways: Ops\/billing has a way to Ops\/ledger of east on http \(15443\/TCP/,
        ],
      ],
      [
        "one callee less there",
        linking("north", "south", { calls: ["ops/archive"] }),
        [
          /listeners-mtls: it passes calls of zone ops on to ledger of south/,
          /ways: Ops\/billing has a way to Ops\/ledger of south on http/,
        ],
      ],
      [
        "nobody here who may be called from there",
        linking("north", "south", { exports: [], sources: [], tokens: [] }),
        [
          /listeners-mtls: it lets ops\.south\/ledger reach edge\/rates on 15001\/TCP/,
          /listeners-mtls: it lets edge\.south\/datacenter-gateway reach edge\/datacenter-gateway on 15001\/TCP/,
          /upstreams-mtls: it passes calls from other datacenters on to rates, which the ceiling does not let/,
          /listeners-mtls: tokens of datacenter south are believed by the keys [0-9a-f]{32}, which/,
          /zone-isolation: it lets `198\.51\.100\.0\/28` reach edge\/datacenter-gateway on 15001\/TCP/,
          /services-internal-only: the port is open on every node/,
          /admission-policies: it lets a Service open edge\/datacenter-gateway:30444\/TCP on the nodes/,
          /authorization: Ops\/ledger of south can send|authorization: Edge\/rates lets Ops\/ledger of south send/,
        ],
      ],
      [
        "somebody else here",
        linking("north", "south", { exports: ["ops/ledger"] }),
        [/listeners-mtls: it lets ops\.south\/ledger reach edge\/rates/, /passes calls .* on to rates/],
      ],
      [
        "another address of its gateway",
        linking("north", "south", { addresses: ["198.51.100.8"] }),
        [
          /upstreams-mtls: the link leads to `198\.51\.100\.7`, which the ceiling does not list for south/,
          /out to `198\.51\.100\.7\/32` on 30443\/TCP/,
          /network: Edge\/datacenter-gateway can reach 198\.51\.100\.7/,
        ],
      ],
      [
        "another port of it",
        linking("north", "south", { ports: ["30444/TCP"] }),
        [/the link leads to `?30443`?, which/, /out to `198\.51\.100\.7\/32` on 30443\/TCP/],
      ],
      [
        "a narrower block from which it comes",
        linking("north", "south", { sources: ["198.51.100.7/32"] }),
        [
          /it lets `198\.51\.100\.0\/28` reach edge\/datacenter-gateway/,
          /network: 198\.51\.100\..* can reach Edge\/datacenter-gateway/,
        ],
      ],
      [
        "other keys of its cluster",
        linking("north", "south", { tokens: ["0".repeat(32)] }),
        [new RegExp(`tokens of datacenter south are believed by the keys ${tokensOf("south")}`)],
      ],
      [
        "no leave for the open internet",
        linking("north", "south", { leave: {} }),
        [/`198\.51\.100\.7\/32` leads out of the cluster/, /it lets `198\.51\.100\.0\/28` reach/],
      ],
      [
        "another port on the nodes",
        { ...NORTH, datacenter: { name: "north", gateway: GATEWAY, nodePort: "30443/TCP" } },
        [/the Service's type is `NodePort`/, /the port is open on every node/],
      ],
      [
        "another gateway",
        { ...NORTH, datacenter: gateless },
        [
          /it links this datacenter to south/,
          /the Service's type is `NodePort`/,
          /out to `198\.51\.100\.7\/32`|no party/,
        ],
      ],
      [
        "no call between the two, wherever they run",
        { ...NORTH, edges: others("ops/billing") },
        [
          /Ops\/billing has a way to Chain\/lucid-blocks of east/,
          /passes calls of zone ops on to lucid-blocks of east/,
        ],
      ],
    ];
    for (const [title, ceiling, told] of less) {
      it(title, () => {
        const found = plan.with(new Map(), (resources) => judged(resources, ceiling));
        for (const expected of told) assertTold(found, expected);
      });
    }
  });

  /** The plan with one place of one resource changed. */
  const changed = (name: string, path: string, value: Json | undefined) => {
    const spec = specs.get(name) ?? assert.fail(`there is no ${name}`);
    const inputs = edit(structuredClone(spec.inputs) as JsonObject, path, value);
    return plan.with(new Map([[spec.urn, [{ ...spec, inputs }]]]), (resources) => judged(resources, NORTH));
  };
  /** The plan with one place of one file of a sidecar changed; `change` is handed its resources by their names. */
  const refiled = (service: string, file: string, change: (resources: Map<string, JsonObject>) => void) => {
    const spec = specs.get(`${service}-sidecar-envoy`) ?? assert.fail(service);
    const data = (spec.inputs as { data: Record<string, string> }).data;
    const document = load(data[file] ?? assert.fail(file), { schema: CORE_SCHEMA }) as JsonObject;
    const before = JSON.stringify(document);
    change(new Map((document.resources as JsonObject[]).map((one) => [one.name as string, one])));
    assert.notEqual(JSON.stringify(document), before);
    const inputs = { ...spec.inputs, data: { ...data, [file]: dump(document, { noRefs: true }) } };
    return plan.with(new Map([[spec.urn, [{ ...spec, inputs }]]]), (resources) => judged(resources, NORTH));
  };

  describe("by its own ceiling is refused with", () => {
    it("nothing changed: it isn't", () => {
      assert.deepEqual(
        plan.with(new Map(), (resources) => judged(resources, NORTH)),
        [],
      );
    });

    const POLICY = "edge-datacenter-gateway";
    const IN = "spec.ingress[2]";
    const OUT = "spec.egress[4]";
    const objects: readonly (readonly [
      title: string,
      name: string,
      path: string,
      value: Json | undefined,
      told: RegExp,
    ])[] = [
      [
        "a gateway that goes elsewhere",
        POLICY,
        `${OUT}.to[0].ipBlock.cidr`,
        "198.51.100.9/32",
        /no link of the ceiling/,
      ],
      ["a gateway that goes to a block", POLICY, `${OUT}.to[0].ipBlock.cidr`, "198.51.100.0/28", /no link of the/],
      ["a gateway that goes to another port", POLICY, `${OUT}.ports[0].port`, 443, /on 443\/TCP, which no link/],
      [
        "a gateway that anybody reaches",
        POLICY,
        `${IN}.from[0].ipBlock.cidr`,
        "0.0.0.0/0",
        /it lets `0\.0\.0\.0\/0` reach/,
      ],
      ["inspection from outside", POLICY, `${IN}.ports[0].port`, 15090, /on 15090\/TCP, which no link/],
      ["departures from outside", POLICY, `${IN}.ports[0].port`, 15443, /on 15443\/TCP, which no link/],
      [
        "an API server's address as the gateway's",
        POLICY,
        `${OUT}.to[0].ipBlock.cidr`,
        "10.77.0.10/32",
        /no link of the ceiling/,
      ],
      [
        "Wallet at the gateway",
        POLICY,
        "spec.ingress[1].from[0]",
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "lucid-wallet" } },
          podSelector: { matchLabels: { "app.kubernetes.io/name": "payout-router" } },
        },
        /it lets wallet\/payout-router reach edge\/datacenter-gateway on 15443\/TCP/,
      ],
      [
        "a gateway that reaches who isn't called from elsewhere",
        POLICY,
        "spec.egress[2].to[0]",
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "lucid-ops" } },
          podSelector: { matchLabels: { "app.kubernetes.io/name": "ledger" } },
        },
        /it lets edge\/datacenter-gateway reach ops\/ledger on 15001\/TCP/,
      ],
      [
        "a pod beside the gateway that goes there",
        "ops-billing",
        "spec.egress[2].to[0]",
        { ipBlock: { cidr: "198.51.100.7/32" } },
        /are no party of the ceiling/,
      ],
      [
        "callers whom policies don't let to the gateway",
        "ops-billing",
        "spec.egress[2]",
        undefined,
        /agreement: the layers don't agree on Ops\/billing and Edge\/datacenter-gateway on the way to other datacenters/,
      ],
      [
        "callees whom policies don't let the gateway reach",
        "edge-rates",
        "spec.ingress[2]",
        undefined,
        /agreement: the layers don't agree on Edge\/datacenter-gateway and Edge\/rates on calls from other datacenters/,
      ],
      ["another port on the nodes", "datacenter-gateway-link", "spec.ports[0].nodePort", 30445, /open on every node/],
      ["a port behind it", "datacenter-gateway-link", "spec.ports[0].targetPort", 15090, /open on every node/],
      [
        "another port beside it",
        "datacenter-gateway-link",
        "spec.ports[1]",
        { name: "other", port: 15021, targetPort: 15021, nodePort: 30446, protocol: "TCP" },
        /open on every node/,
      ],
      [
        "callers whose address is hidden",
        "datacenter-gateway-link",
        "spec.externalTrafficPolicy",
        "Cluster",
        /the Service's type is `NodePort`/,
      ],
      [
        "a load balancer of the cluster's",
        "datacenter-gateway-link",
        "spec.type",
        "LoadBalancer",
        /the Service's type is `LoadBalancer`/,
      ],
      [
        "other pods behind it",
        "datacenter-gateway-link",
        'spec.selector["app.kubernetes.io/name"]',
        "rates",
        /the Service's type is `NodePort`/,
      ],
      [
        "a leaf of another datacenter",
        "rates-sidecar-request",
        "uris",
        ["spiffe://edge.south.lucid.internal/ns/lucid-edge/sa/rates"],
        /the identity is one of another datacenter \(edge\.south\)/,
      ],
      [
        "a leaf of none",
        "rates-sidecar-request",
        "uris",
        ["spiffe://edge.lucid.internal/ns/lucid-edge/sa/rates"],
        /the identity is none of the mesh's form/,
      ],
      [
        "an authority of another datacenter",
        "ops-ca-root",
        "subject.commonName",
        "ops.south.lucid.internal root",
        /is no zone's authority/,
      ],
      [
        "a declaration under another datacenter's identity",
        "ledger-declaration",
        "spec.identity",
        "spiffe://ops.south.lucid.internal/ns/lucid-ops/sa/ledger",
        /the service's identity is/,
      ],
    ];
    for (const [title, name, path, value, told] of objects) {
      it(title, () => {
        assertTold(changed(name, path, value), told);
      });
    }

    const files: readonly (readonly [
      title: string,
      service: string,
      file: string,
      resource: string,
      path: string,
      value: Json | undefined,
      told: RegExp,
    ])[] = [
      [
        "calls passed on that the ceiling doesn't list",
        "datacenter-gateway",
        "listeners.yaml",
        "departure",
        "filter_chains[0].filter_chain_match.server_names[0]",
        "http.rates.east.ops.north",
        /it passes calls of zone ops on to rates of east/,
      ],
      [
        "calls of Wallet passed on",
        "datacenter-gateway",
        "listeners.yaml",
        "departure",
        "filter_chains[0].filter_chain_match.server_names[0]",
        "http.ledger.east.wallet.north",
        /it passes calls of zone wallet on to ledger of east/,
      ],
      [
        "calls for whom a pattern of names matches",
        "datacenter-gateway",
        "listeners.yaml",
        "departure",
        "filter_chains[0].name",
        "link|.*",
        /isn't TLS for a callee of the one datacenter/,
      ],
      [
        "calls for one datacenter to another's gateway",
        "datacenter-gateway",
        "listeners.yaml",
        "departure",
        "filter_chains[0].filters[2].typed_config.cluster",
        "link|south",
        /calls for one datacenter go to the gateway of another/,
      ],
      [
        "TLS that the gateway ends",
        "datacenter-gateway",
        "listeners.yaml",
        "departure",
        "filter_chains[0].transport_socket",
        { name: "envoy.transport_sockets.tls" },
        /the gateway ends TLS that isn't its own/,
      ],
      [
        "plain text passed on",
        "datacenter-gateway",
        "listeners.yaml",
        "departure",
        "filter_chains[0].filter_chain_match.transport_protocol",
        "raw_buffer",
        /isn't TLS for a callee/,
      ],
      [
        "a link to another than the gateway",
        "datacenter-gateway",
        "clusters.yaml",
        "link|south",
        "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address",
        "198.51.100.9",
        /the link leads to `198\.51\.100\.9`/,
      ],
      [
        "calls from elsewhere for somebody who isn't called from there",
        "datacenter-gateway",
        "clusters.yaml",
        "arrival|rates",
        "name",
        "arrival|payout-router",
        /passes calls from other datacenters on to payout-router/,
      ],
      [
        "calls from elsewhere that go on to somebody else",
        "datacenter-gateway",
        "clusters.yaml",
        "arrival|rates",
        "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address",
        "payout-router.service.north.discovery.lucid.internal",
        /calls for rates go on to somebody else/,
      ],
      [
        "calls from elsewhere that go on to inspection",
        "datacenter-gateway",
        "clusters.yaml",
        "arrival|rates",
        "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value",
        15090,
        /go where no mutual TLS is demanded/,
      ],
      [
        "a caller elsewhere whom the ceiling doesn't let call",
        "rates",
        "listeners.yaml",
        "inbound",
        "filter_chains[1].transport_socket.typed_config.common_tls_context.combined_validation_context.default_validation_context.match_typed_subject_alt_names[0].matcher.exact",
        "spiffe://ops.south.lucid.internal/ns/lucid-ops/sa/billing",
        /it lets ops\.south\/billing reach edge\/rates/,
      ],
      [
        "whoever is of a zone elsewhere",
        "rates",
        "listeners.yaml",
        "inbound",
        "filter_chains[1].transport_socket.typed_config.common_tls_context.combined_validation_context.default_validation_context.match_typed_subject_alt_names[0].matcher",
        { prefix: "spiffe://ops.south.lucid.internal/" },
        /names no exact identity of zone ops\.south/,
      ],
      [
        "tokens of callers elsewhere by the own cluster's keys",
        "rates",
        "listeners.yaml",
        "inbound",
        "filter_chains[1].filters[2].typed_config.http_filters[0].config_discovery.config_source.path_config_source.path",
        "/etc/envoy/config/..data/tokens.yaml",
        /that is not the check of identity tokens/,
      ],
    ];
    for (const [title, service, file, resource, path, value, told] of files) {
      it(title, () => {
        const found = refiled(service, file, (resources) => {
          const one = resources.get(resource) ?? assert.fail(resource);
          Object.assign(one, edit(one, path, value));
        });
        assertTold(found, told);
      });
    }

    it("other keys by which tokens of callers elsewhere are checked", () => {
      const found = refiled("rates", "tokens.south.yaml", (resources) => {
        const [check] = [...resources.values()];
        const provider = "typed_config.providers.cluster";
        const keys = datacenterMesh("south").datacenters?.peers.find(({ name }) => name === "north")?.tokens.keySet;
        const path = `${provider}.local_jwks.inline_string`;
        Object.assign(check ?? assert.fail(), edit(check ?? assert.fail(), path, keys ?? assert.fail()));
      });
      assertTold(found, /tokens of datacenter south are believed by the keys [0-9a-f]{32}, which the ceiling/);
    });

    it("keys by which whoever checks tokens could make them", () => {
      const found = refiled("rates", "tokens.south.yaml", (resources) => {
        const [check] = [...resources.values()];
        const path = "typed_config.providers.cluster.local_jwks.inline_string";
        const shared = JSON.stringify({ keys: [{ kty: "oct", k: "c2VjcmV0", alg: "HS256" }] });
        Object.assign(check ?? assert.fail(), edit(check ?? assert.fail(), path, shared));
      });
      assertTold(found, /are not checked by public keys of an issuer/);
    });

    it("calls from one datacenter for whom another alone may call", () => {
      const spec = specs.get("datacenter-gateway-sidecar-envoy") ?? assert.fail();
      const elsewhere = linking("north", "south", { exports: ["ops/ledger"] });
      const east = {
        ...elsewhere.links.south,
        exports: ["edge/rates"],
        reason: "East calls it",
      } as Ceiling["links"][string];
      const ceiling = { ...elsewhere, links: { ...elsewhere.links, east } };
      const found = plan.with(new Map(), (resources) =>
        judged(
          resources.filter(({ urn }) => urn === spec.urn),
          ceiling,
        ),
      );
      assertTold(found, /requests go on to `arrival\|rates`, which is not behind this listener/);
    });

    it("another sidecar that passes calls on", () => {
      const spec = specs.get("datacenter-gateway-sidecar-envoy") ?? assert.fail();
      const { "listeners.yaml": listeners = "" } = (spec.inputs as { data: Record<string, string> }).data;
      const document = load(listeners, { schema: CORE_SCHEMA }) as { resources: JsonObject[] };
      const departure = document.resources.find(({ name }) => name === "departure") ?? assert.fail();
      const found = refiled("rates", "listeners.yaml", (resources) => {
        const health = resources.get("health") ?? assert.fail();
        for (const key of Object.keys(health)) Reflect.deleteProperty(health, key);
        Object.assign(health, structuredClone(departure));
      });
      assertTold(found, /it passes calls of zone ops on to \w+ of \w+, which the ceiling does not allow/);
    });
  });
});
