import assert from "node:assert/strict";
import { Reachability, compare, readMesh } from "../../../../policies/reachability/envoy";
import { datacenterMesh, KEY_SETS } from "../../../unit/envoy/datacenters-fixture";
import type { JsonObject } from "../../support/edit";
import { declarationOf, objectsOf, trustFileOf } from "./rendered";

type Datacenter = "north" | "south";

/** What is told of a datacenter in one file of which a text is replaced: violations and what can't be judged alike. */
function told(
  datacenter: Datacenter,
  configMap: string,
  file: string,
  change: (text: string) => string | undefined,
): readonly string[] {
  const mesh = datacenterMesh(datacenter);
  const objects = objectsOf(mesh);
  const found = objects.find(
    (object) => (object.metadata as JsonObject).name === configMap && object.kind === "ConfigMap",
  );
  const data = found?.data as Record<string, string | undefined>;
  const before = data[file];
  const after = change(before ?? "");
  assert.notEqual(after, before, "nothing was changed");
  if (after === undefined) Reflect.deleteProperty(data, file);
  else data[file] = after;
  const { sidecars, findings } = readMesh(objects, { datacenter });
  const texts = findings.map(({ object, path, problem }) => `${object} ${path}: ${problem}`);
  if (sidecars === undefined) return texts;
  return compare(new Reachability(sidecars), declarationOf(mesh)).map(({ layer, text }) => `${layer}: ${text}`);
}

const replacing = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
const everywhere = (from: string, to: string) => (text: string) => text.replaceAll(from, to);

const LISTENERS = "listeners.yaml";
const CLUSTERS = "clusters.yaml";

const changes: [
  title: string,
  datacenter: Datacenter,
  configMap: string,
  file: string,
  change: (text: string) => string | undefined,
  told: RegExp,
][] = [
  [
    "a callee elsewhere that is another's identity",
    "north",
    "billing-envoy",
    CLUSTERS,
    everywhere(
      "spiffe://ops.south.lucid.internal/ns/lucid-ops/sa/archive",
      "spiffe://ops.south.lucid.internal/ns/lucid-ops/sa/ledger",
    ),
    /accepts ops\.south\/ledger in its place/,
  ],
  [
    "a callee elsewhere of another datacenter",
    "north",
    "billing-envoy",
    CLUSTERS,
    (text) =>
      text
        .replaceAll("http.archive.south.ops.north", "http.archive.east.ops.north")
        .replaceAll(
          "ops.south.lucid.internal/ns/lucid-ops/sa/archive",
          "ops.east.lucid.internal/ns/lucid-ops/sa/archive",
        )
        .replace(/trust\/ops\.south([\s\S]*?)ops\.south\.yaml/, "trust/ops.east$1ops.east.yaml"),
    /ways: .*(billing has a way to ops\.east\/archive|can't reach ops\.south\/archive)/,
  ],
  [
    "a way past the gateway",
    "north",
    "billing-envoy",
    CLUSTERS,
    replacing(
      /datacenter-gateway\.service\.north\.discovery\.lucid\.internal/,
      "archive.service.north.discovery.lucid.internal",
    ),
    /ways: .*can't reach ops\.south\/archive on http.*looks up archive\.service\.north/,
  ],
  [
    "another port of the gateway",
    "north",
    "billing-envoy",
    CLUSTERS,
    replacing("port_value: 15443", "port_value: 15001"),
    /ways: .*can't reach ops\.south\/archive on http.*goes to port 15001/,
  ],
  [
    "another order of datacenters",
    "north",
    "billing-envoy",
    CLUSTERS,
    replacing(/- (outbound\|ledger\|http\|south)\n(\s+)- (outbound\|ledger\|http\|east)/, "- $3\n$2- $1"),
    /ways: .*asks ops\/ledger, then ops\.east\/ledger, then ops\.south\/ledger, and not/,
  ],
  [
    "a datacenter that is left out",
    "north",
    "billing-envoy",
    CLUSTERS,
    replacing(/\n\s+- outbound\|ledger\|http\|east\n/, "\n"),
    /ways: .*(can't reach ops\.east\/ledger|and not ops\/ledger, then ops\.south\/ledger, then ops\.east\/ledger)/,
  ],
  [
    "clusters of another call among those of one",
    "north",
    "billing-envoy",
    CLUSTERS,
    replacing("- outbound|ledger|http|east\n", "- outbound|archive|http\n"),
    /stands above others than the call's own/,
  ],
  [
    "a caller from another datacenter that nobody declared",
    "south",
    "ledger-envoy",
    LISTENERS,
    everywhere(
      "spiffe://ops.north.lucid.internal/ns/lucid-ops/sa/billing",
      "spiffe://ops.north.lucid.internal/ns/lucid-ops/sa/ledger",
    ),
    /the policy admits more than exact identities|authorization: .*ops\.north\/ledger/,
  ],
  [
    "callers of another datacenter's chain by the roots of one's own",
    "south",
    "ledger-envoy",
    LISTENERS,
    replacing(/trust\/ops\.north([\s\S]*?)ops\.north\.yaml/, "trust/ops$1ops.yaml"),
    /the matcher names no exact identity of zone ops|server name is not one/,
  ],
  [
    "callers elsewhere whose tokens are checked by one's own keys",
    "south",
    "ledger-envoy",
    LISTENERS,
    (text) => text.replace("identity-token.north", "identity-token").replace("tokens.north.yaml", "tokens.yaml"),
    /a filter is found by discovery that is not the check of identity tokens/,
  ],
  [
    "callers here whose tokens are checked by another datacenter's keys",
    "south",
    "ledger-envoy",
    LISTENERS,
    (text) =>
      text
        .replace("name: identity-token\n", "name: identity-token.north\n")
        .replace("/tokens.yaml", "/tokens.north.yaml"),
    /a filter is found by discovery that is not the check of identity tokens/,
  ],
  [
    "keys of another datacenter's tokens that are not the declared ones",
    "south",
    "ledger-envoy",
    "tokens.north.yaml",
    (text) =>
      text
        .replace(KEY_SETS["keys/north.json"].slice(60, 90), KEY_SETS["keys/east.json"].slice(60, 90))
        .replace(/"kid":"north"/, '"kid":"other"'),
    /trust: ops\/ledger believes tokens of datacenter north by the keys \w+, which nobody declared/,
  ],
  [
    "a shared key among those of another datacenter",
    "south",
    "ledger-envoy",
    "tokens.north.yaml",
    replacing('"kty":"EC"', '"kty":"oct"'),
    /not checked by public keys/,
  ],
  [
    "no token asked of callers elsewhere",
    "south",
    "ledger-envoy",
    "tokens.north.yaml",
    replacing("provider_name: cluster", "allow_missing: {}"),
    /tokens\.north\.yaml.*(models|passes without a token)/,
  ],
  [
    "a server name that the gateway passes on and nobody declared",
    "north",
    "datacenter-gateway-envoy",
    LISTENERS,
    replacing(
      "- http.archive.south.ops.north\n",
      "- http.archive.south.ops.north\n            - http.rates.south.ops.north\n",
    ),
    /ways: edge\/datacenter-gateway passes http\.rates\.south\.ops\.north on to edge\.south\/datacenter-gateway, which nobody declared/,
  ],
  [
    "a declared call that the gateway doesn't pass on",
    "north",
    "datacenter-gateway-envoy",
    LISTENERS,
    replacing(/ +- http\.archive\.south\.ops\.north\n/, ""),
    /ways: what is declared is not there: .*http\.archive\.south\.ops\.north/,
  ],
  [
    "a chain of the gateway that goes to another datacenter than it names",
    "north",
    "datacenter-gateway-envoy",
    LISTENERS,
    (text) => text.replace("cluster: link|south", "cluster: link|east"),
    /calls for one datacenter go to the gateway of another/,
  ],
  [
    "plain text that the gateway passes on",
    "north",
    "datacenter-gateway-envoy",
    LISTENERS,
    (text) => {
      const [before = "", after = ""] = text.split("name: link|east");
      return `${before}name: link|east${after.replace("transport_protocol: tls\n", "transport_protocol: raw_buffer\n")}`;
    },
    /what is passed on isn't TLS/,
  ],
  [
    "a link to another address",
    "north",
    "datacenter-gateway-envoy",
    CLUSTERS,
    everywhere("198.51.100.7", "198.51.100.8"),
    /ways: .*can't reach edge\.south\/datacenter-gateway on link.*looks up 198\.51\.100\.8/,
  ],
  [
    "a link to another port",
    "north",
    "datacenter-gateway-envoy",
    CLUSTERS,
    everywhere("port_value: 30443", "port_value: 30445"),
    /ways: .*can't reach edge\.(south|east)\/datacenter-gateway on link.*goes to port 30445/,
  ],
  [
    "a link to somebody else than the gateway there",
    "north",
    "datacenter-gateway-envoy",
    CLUSTERS,
    everywhere(
      "edge.south.lucid.internal/ns/lucid-edge/sa/datacenter-gateway",
      "edge.south.lucid.internal/ns/lucid-edge/sa/rates",
    ),
    /the link leads to another than the gateway of south/,
  ],
  [
    "a link in plain text",
    "north",
    "datacenter-gateway-envoy",
    CLUSTERS,
    replacing(/ +transport_socket:\n( {6}.*\n)+/, ""),
    /sends plain text off the pod/,
  ],
  [
    "somebody else than a declared gateway who enters by the link",
    "south",
    "datacenter-gateway-envoy",
    LISTENERS,
    everywhere(
      "spiffe://edge.north.lucid.internal/ns/lucid-edge/sa/datacenter-gateway",
      "spiffe://edge.north.lucid.internal/ns/lucid-edge/sa/rates",
    ),
    /authorization: .*edge\.north\/(rates|datacenter-gateway)|more than exact identities/,
  ],
  [
    "a call that arrives and nobody declared",
    "south",
    "datacenter-gateway-envoy",
    LISTENERS,
    everywhere("exact: http.archive.south.ops.north:15001", "exact: http.rates.south.ops.north:15001"),
    /authorization: .*http\.rates\.south\.ops\.north:15001/,
  ],
  [
    "a call that arrives and is passed on to another service",
    "south",
    "datacenter-gateway-envoy",
    LISTENERS,
    replacing("cluster: arrival|archive", "cluster: arrival|ledger"),
    /authorization: .*http\.archive\.south\.ops\.north:15001 as it is to ledger\.service\.south/,
  ],
  [
    "calls that are passed on whomever they name",
    "south",
    "datacenter-gateway-envoy",
    LISTENERS,
    replacing(
      /( +)- name: :authority\n\s+string_match:\n\s+exact: http\.archive[^\n]*\n/,
      "$1- name: :authority\n$1  present_match: true\n",
    ),
    /whom it exactly names/,
  ],
  [
    "calls that are passed on to another port than 15001",
    "south",
    "datacenter-gateway-envoy",
    CLUSTERS,
    replacing(/(archive\.service\.south\.discovery\.lucid\.internal\n\s+port_value: )15001/, "$18080"),
    /go where no mutual TLS is demanded/,
  ],
  [
    "roots of a zone elsewhere with which nobody has to do",
    "north",
    "rates-trust",
    "chain.south.yaml",
    () => trustFileOf("chain.south"),
    /trust: edge\/rates trusts whom the CA of zone chain\.south certifies/,
  ],
  [
    "roots of one's own zone that stand for another datacenter's",
    "north",
    "billing-trust",
    "ops.south.yaml",
    () => trustFileOf("ops").replaceAll("trust/ops", "trust/ops.south"),
    /trust: whom the CA of zone (ops|ops\.south) certifies.*takes for one of zone/,
  ],
  [
    "no roots of a callee's zone elsewhere",
    "north",
    "billing-trust",
    "ops.south.yaml",
    () => undefined,
    /trust: ops\/billing can't trust anybody of zone ops\.south/,
  ],
];

describe("what a datacenter's sidecars do that its document doesn't declare", () => {
  for (const [title, datacenter, configMap, file, change, expected] of changes) {
    it(`is told: ${title}`, () => {
      const texts = told(datacenter, configMap, file, change);
      assert.ok(
        texts.some((text) => expected.test(text)),
        texts.join("\n") || "nothing was told",
      );
    });
  }

  it("is told of every identity where the objects are said to be of another datacenter, or of none", () => {
    for (const datacenter of ["east", undefined]) {
      const { sidecars, findings } = readMesh(objectsOf(datacenterMesh("north")), { datacenter });
      assert.equal(sidecars, undefined);
      assert.ok(findings.length > 0);
    }
  });
});
