import assert from "node:assert/strict";
import { AddressSet, PortSet, compare } from "../../../../policies/reachability/network";
import type { Declaration } from "../../../../policies/reachability/network";
import { edit } from "../../support/edit";
import type { JsonObject } from "../../support/edit";
import { app, deployment, namespace, networkPolicy, reachabilityOf } from "./objects";

const NAME = "kubernetes.io/metadata.name";

const objects: readonly JsonObject[] = [
  namespace("red"),
  deployment("red", "client"),
  deployment("red", "server"),
  networkPolicy("red", "default-deny", { policyTypes: ["Ingress", "Egress"] }),
  networkPolicy("red", "client", {
    podSelector: app("client"),
    egress: [
      { to: [{ podSelector: app("server") }], ports: [{ port: 80 }] },
      {
        to: [{ namespaceSelector: { matchLabels: { [NAME]: "kube-system" } }, podSelector: app("dns") }],
        ports: [{ port: 53, protocol: "UDP" }],
      },
      { to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ port: 443 }] },
    ],
  }),
  networkPolicy("red", "server", {
    podSelector: app("server"),
    ingress: [
      { from: [{ podSelector: app("client") }], ports: [{ port: 80 }, { port: 8181 }] },
      { from: [{ ipBlock: { cidr: "198.51.100.0/24" } }], ports: [{ port: 80 }] },
    ],
  }),
];
const [, , , , client = {}, server = {}] = objects;

const block = (cidr: string) => AddressSet.parse(cidr) ?? assert.fail(cidr);
const dns = { name: "external/dns", namespace: "kube-system", labels: { app: "dns" } };
const bank = { name: "external/bank", addresses: block("192.0.2.0/24") };
const partner = { name: "external/partner", addresses: block("198.51.100.0/24") };

const declared: Declaration = {
  partyOf: ({ namespace: place, name }) => `${place.name}/${name}`,
  edges: [
    { from: "red/client", to: "red/server", ports: PortSet.tcp(80) },
    { from: "red/client", to: "red/server", ports: PortSet.tcp(8181), only: "ingress" },
  ],
  outsiders: [
    { party: "red/client", direction: "egress", outsider: dns, ports: PortSet.udp(53) },
    { party: "red/client", direction: "egress", outsider: bank, ports: PortSet.tcp(443) },
    { party: "red/server", direction: "ingress", outsider: partner, ports: PortSet.tcp(80) },
  ],
};

function violations(changed: readonly JsonObject[], declaration: Declaration = declared): string[] {
  return compare(reachabilityOf(changed), declaration).map(({ kind, text }) => `${kind}: ${text}`);
}

function withChanged(object: JsonObject, path: string, value?: Parameters<typeof edit>[2]): JsonObject[] {
  return objects.map((one) => (one === object ? edit(object, path, value) : one));
}

describe("network reachability: compared with what is declared", () => {
  it("is equal", () => {
    assert.deepEqual(violations(objects), []);
  });

  it("finds a connection that nobody declared, with the peers that open it", () => {
    const changed = withChanged(client, "spec.egress[0].ports[1]", { port: 8181 });
    assert.deepEqual(violations(changed), [
      "undeclared: red/client can reach red/server on 8181/TCP, which nobody declared: " +
        "NetworkPolicy red/client, spec.egress[0].to[0], selects pods (app=server) of its own namespace and lets it out; " +
        "NetworkPolicy red/server, spec.ingress[0].from[0], selects pods (app=client) of its own namespace and lets it in",
    ]);
    assert.deepEqual(compare(reachabilityOf(changed), declared)[0]?.places, [
      { object: "NetworkPolicy red/client", path: "spec.egress[0].to[0]" },
      { object: "NetworkPolicy red/server", path: "spec.ingress[0].from[0]" },
    ]);
  });

  it("finds a declared connection that is closed, on the side that closes it", () => {
    assert.deepEqual(violations(withChanged(client, "spec.egress[0]")), [
      "refused: red/client can't reach red/server on 80/TCP, which is declared: " +
        "red/client isn't let out by NetworkPolicy red/default-deny, NetworkPolicy red/client",
    ]);
    assert.deepEqual(violations(withChanged(server, "spec.ingress[0]")), [
      "refused: red/client can't reach red/server on 80/TCP, 8181/TCP, which is declared: " +
        "red/server doesn't let it in by NetworkPolicy red/default-deny, NetworkPolicy red/server",
    ]);
  });

  it("finds a half that nobody declared, though the other half refuses", () => {
    assert.deepEqual(violations(withChanged(server, "spec.ingress[0].from[0].podSelector", {})), [
      "half-open: red/server lets red/server in on 80/TCP, 8181/TCP, which nobody declared, and only the other side refuses it: " +
        "NetworkPolicy red/server, spec.ingress[0].from[0], selects every pod of its own namespace and lets it in",
    ]);
  });

  it("finds a workload that nothing restricts, and what that opens", () => {
    const open = violations(
      objects.filter((_, index) => index < 3),
      { ...declared, edges: [], outsiders: [] },
    );
    assert.ok(
      open.includes(
        "unrestricted: no NetworkPolicy restricts whom red/client reaches: Deployment red/client is selected by none",
      ),
    );
    assert.ok(
      open.includes(
        "undeclared: red/server can reach red/client on every port, which nobody declared: " +
          "no NetworkPolicy restricts whom red/server reaches; no NetworkPolicy restricts who reaches red/client",
      ),
    );
  });

  it("finds a declared party that is none", () => {
    const edges = [...declared.edges, { from: "red/ghost", to: "red/server", ports: PortSet.tcp(80) }];
    assert.deepEqual(violations(objects, { ...declared, edges }), [
      "refused: red/ghost can't reach red/server, which is declared: no workload is red/ghost",
    ]);
  });

  it("takes several workloads for one party: each of them is open, each is declared", () => {
    const second = deployment("red", "server-v2", { labels: { app: "server" } });
    const partyOf: Declaration["partyOf"] = ({ namespace: place, labels }) => `${place.name}/${labels.app ?? ""}`;
    assert.deepEqual(violations([...objects, second], { ...declared, partyOf }), []);
    const apart = deployment("red", "server-v2", { labels: { app: "server2" } });
    const named: Declaration["partyOf"] = ({ namespace: place, name }) => `${place.name}/${name.replace(/-v\d$/, "")}`;
    assert.match(
      violations([...objects, apart], { ...declared, partyOf: named }).join("\n"),
      /can't reach red\/server/,
    );
  });
});

describe("network reachability: compared with declared outsiders", () => {
  it("finds addresses that nobody declared, and declared ones that are closed", () => {
    assert.deepEqual(violations(withChanged(client, "spec.egress[2].to[0].ipBlock.cidr", "192.0.2.0/23")), [
      "undeclared: red/client can reach 192.0.3.0/24 on 443/TCP, which nobody declared: " +
        "NetworkPolicy red/client, spec.egress[2].to[0], names 192.0.2.0/23 and lets it out",
    ]);
    assert.deepEqual(violations(withChanged(client, "spec.egress[2].to[0].ipBlock.cidr", "192.0.2.0/25")), [
      "refused: red/client can't reach external/bank (192.0.2.128/25) on 443/TCP, which is declared",
    ]);
    assert.deepEqual(violations(withChanged(server, "spec.ingress[1].from[0].ipBlock.cidr", "0.0.0.0/0")), [
      "undeclared: 0.0.0.0-198.51.99.255, 198.51.101.0-255.255.255.255 can reach red/server on 80/TCP, which nobody declared: " +
        "NetworkPolicy red/server, spec.ingress[1].from[0], names 0.0.0.0/0 and lets it in",
    ]);
  });

  it("finds ports that nobody declared, and declared ones that are closed", () => {
    assert.deepEqual(violations(withChanged(client, "spec.egress[2].ports[0]", { port: 443, endPort: 444 })), [
      "undeclared: red/client can reach 192.0.2.0/24 on 444/TCP, which nobody declared: " +
        "NetworkPolicy red/client, spec.egress[2].to[0], names 192.0.2.0/24 and lets it out",
    ]);
    assert.deepEqual(violations(withChanged(server, "spec.ingress[1]")), [
      "refused: external/partner (198.51.100.0/24) can't reach red/server on 80/TCP, which is declared",
    ]);
  });

  it("finds pods elsewhere that nobody declared, and declared ones that are closed", () => {
    const to = "spec.egress[1].to[0]";
    const opened = "NetworkPolicy red/client, spec.egress[1].to[0], selects";
    assert.deepEqual(violations(withChanged(client, `${to}.podSelector`)), [
      `undeclared: red/client can reach every pod of namespaces (${NAME}=kube-system) on 53/UDP, which nobody declared and ` +
        `no policy here closes: ${opened} every pod of namespaces (${NAME}=kube-system) and lets it out`,
    ]);
    assert.match(
      violations(withChanged(client, `${to}.namespaceSelector.matchLabels`, { team: "dns" })).join("\n"),
      /can reach pods \(app=dns\) of namespaces \(team=dns\).*\n.*can't reach external\/dns on 53\/UDP/,
    );
    assert.deepEqual(violations(withChanged(client, "spec.egress[1]")), [
      "refused: red/client can't reach external/dns on 53/UDP, which is declared",
    ]);
    assert.match(
      violations(withChanged(server, "spec.ingress[1].from[0]", { namespaceSelector: {} })).join("\n"),
      /undeclared: every pod of every namespace can reach red\/server on 80\/TCP/,
    );
  });
});
