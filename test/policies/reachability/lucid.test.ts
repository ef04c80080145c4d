import assert from "node:assert/strict";
import { AddressSet, PortSet, Reachability, compare, readCluster } from "../../../policies/reachability/network";
import type { Declaration, DeclaredEdge, DeclaredOutsider, Workload } from "../../../policies/reachability/network";
import type { Plain } from "../../../policies/judgement/plain";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";
import { API_SERVER, lucid, plannedResources } from "../support/planned";

const SURROUNDINGS = { clusterAddresses: ["10.244.0.0/16", "10.96.0.0/12"] };
const NAME = "app.kubernetes.io/name";

/** `Wallet/payout-router`: what Lucid's people call it. */
function party(zone: string, service: string): string {
  return `${zone.charAt(0).toUpperCase()}${zone.slice(1)}/${service}`;
}

const parties = new Map(lucid.services.map(({ name, zone }) => [name, party(zone, name)]));
const partyOf = ({ namespace, labels }: Workload) => party(namespace.name.replace(/^lucid-/, ""), labels[NAME] ?? "?");
const [resolver, consul, controller] = ["Mesh/node-resolver", "Mesh/consul", "Mesh/mesh-controller"];
const prometheus = "Ops/prometheus";
const dnsPorts = PortSet.tcp(53).union(PortSet.udp(53));
const gossip = PortSet.tcp(8301).union(PortSet.udp(8301));

/** What the document declares, and what the mesh itself needs. Nothing here comes from what renders the policies. */
const edges: readonly DeclaredEdge[] = [
  ...lucid.edges.map(({ from, to }) => ({
    from: parties.get(from) ?? from,
    to: parties.get(to) ?? to,
    ports: PortSet.tcp(15001),
  })),
  // One selector lets Prometheus out to every sidecar, its own among them; that one lets it not in.
  ...[...parties.values()].map((to): DeclaredEdge => ({
    from: prometheus,
    to,
    ports: PortSet.tcp(15090),
    ...(to === prometheus ? { only: "egress" } : {}),
  })),
  // The controller is let out to none of its own pods.
  ...[...parties.values()]
    .filter((to) => to !== controller)
    .flatMap((to): DeclaredEdge[] => [
      { from: controller, to, ports: PortSet.tcp(15090) },
      // The live canary: a pod that the controller comes to there has no enforced policy.
      { from: controller, to, ports: PortSet.tcp(15021), only: "egress" },
    ]),
  ...[...parties.values()].flatMap((from): DeclaredEdge[] => [
    { from, to: resolver, ports: dnsPorts },
    // The start gate's canary: a pod that reaches it has no enforced policy yet.
    { from, to: resolver, ports: PortSet.tcp(8181), only: "ingress" },
  ]),
  { from: controller, to: consul, ports: PortSet.tcp(8501) },
  ...[consul, resolver].map((from) => ({ from, to: consul, ports: PortSet.tcp(8300).union(gossip) })),
  ...[consul, resolver].map((from) => ({ from, to: resolver, ports: gossip })),
];

const clusterDns = { name: "external/kube-dns", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
const apiServer = { name: "external/api-server", addresses: AddressSet.parse(API_SERVER.cidr) ?? AddressSet.none };
const outsiders: readonly DeclaredOutsider[] = [
  { party: controller, direction: "egress", outsider: apiServer, ports: PortSet.tcp(API_SERVER.port) },
  ...[consul, resolver].map((name): DeclaredOutsider => ({
    party: name,
    direction: "egress",
    outsider: clusterDns,
    ports: dnsPorts,
  })),
];
const declaration: Declaration = { edges, outsiders, partyOf };

/** The generator and the evaluator share no code; here they meet. */
describe("Lucid's network reachability", function () {
  this.timeout(60_000);

  let objects: readonly JsonObject[] = [];

  before(async () => {
    objects = (await plannedResources())
      .filter(({ type }) => type.startsWith("kubernetes:"))
      .map(({ inputs }) => inputs as JsonObject);
  });

  const violations = (changed: readonly Plain[]) => {
    const { cluster, findings } = readCluster(changed, SURROUNDINGS);
    assert.deepEqual(findings, []);
    return cluster === undefined ? [] : compare(new Reachability(cluster), declaration).map(({ text }) => text);
  };

  it("is what the document declares and what the mesh needs, pair by pair and half by half", () => {
    assert.deepEqual(violations(objects), []);
  });

  it("is about every workload, and opens no pair but the declared ones", () => {
    const { cluster } = readCluster(objects, SURROUNDINGS);
    const reachability = new Reachability(cluster ?? assert.fail());
    const found = new Set(reachability.workloads.map(partyOf));
    assert.deepEqual([...found].sort(), [...parties.values(), consul, resolver].sort());
    const pairs = (list: readonly { from: string; to: string }[]) =>
      [...new Set(list.map(({ from, to }) => `${from} -> ${to}`))].sort();
    const open = [...reachability.connections()]
      .filter(({ ports }) => !ports.isEmpty)
      .map(({ from, to }) => ({ from: partyOf(from), to: partyOf(to) }));
    assert.deepEqual(pairs(open), pairs(edges.filter(({ only }) => only === undefined)));
  });

  /** Changes the object of a kind and name at a path. */
  function changed(kind: string, name: string, path: string, value?: Json): JsonObject[] {
    const isMeant = (object: JsonObject) => {
      const metadata = object.metadata as { namespace?: string; name: string };
      return object.kind === kind && `${metadata.namespace ?? ""}/${metadata.name}` === name;
    };
    assert.equal(objects.filter(isMeant).length, 1, `${kind} ${name}`);
    return objects.map((object) => (isMeant(object) ? edit(object, path, value) : object));
  }

  const peer = (zone: string, service: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `lucid-${zone}` } },
    podSelector: { matchLabels: { [NAME]: service } },
  });
  const call = (word: string, ...peers: JsonObject[]) => ({ [word]: peers, ports: [{ protocol: "TCP", port: 15001 }] });

  it("finds a call that both sides were opened to, with the counterexample", () => {
    const out = changed(
      "NetworkPolicy",
      "lucid-chain/lucid-blocks",
      "spec.egress[0].to[1]",
      peer("wallet", "payout-router"),
    );
    objects.forEach((object, index) => {
      if (object.kind !== "NetworkPolicy") return;
      const { name } = object.metadata as { name: string };
      if (name === "payout-router") out[index] = edit(object, "spec.ingress[0].from[1]", peer("chain", "lucid-blocks"));
    });
    assert.deepEqual(violations(out), [
      "Chain/lucid-blocks can reach Wallet/payout-router on 15001/TCP, which nobody declared: " +
        "NetworkPolicy lucid-chain/lucid-blocks, spec.egress[0].to[1], selects pods (app.kubernetes.io/name=payout-router) of namespaces (kubernetes.io/metadata.name=lucid-wallet) and lets it out; " +
        "NetworkPolicy lucid-wallet/payout-router, spec.ingress[0].from[1], selects pods (app.kubernetes.io/name=lucid-blocks) of namespaces (kubernetes.io/metadata.name=lucid-chain) and lets it in",
    ]);
  });

  const mutations: readonly (readonly [title: string, objects: () => JsonObject[], finds: RegExp])[] = [
    [
      "a caller too many, though no caller is let out",
      () =>
        changed("NetworkPolicy", "lucid-wallet/tron-payment", "spec.ingress[0].from[1]", peer("chain", "lucid-blocks")),
      /^Wallet\/tron-payment lets Chain\/lucid-blocks in on 15001\/TCP, which nobody declared, and only the other side/,
    ],
    [
      "a caller too few",
      () => changed("NetworkPolicy", "lucid-chain/lucid-blocks", "spec.ingress[0].from[1]"),
      /^Wallet\/payout-router can't reach Chain\/lucid-blocks on 15001\/TCP, which is declared: .*doesn't let it in/,
    ],
    [
      "a peer torn in two",
      () => {
        const { namespaceSelector, podSelector } = peer("ops", "admin-ui");
        const halves = call("from", { namespaceSelector }, { podSelector });
        return changed("NetworkPolicy", "lucid-wallet/payout-router", "spec.ingress[0]", halves);
      },
      /^Wallet\/payout-router lets Ops\/jaeger in on 15001\/TCP/,
    ],
    [
      "no peers left in a rule",
      () => changed("NetworkPolicy", "lucid-wallet/payout-router", "spec.ingress[0].from", []),
      /^every address can reach Wallet\/payout-router on 15001\/TCP, .*names no peer, which means everyone/,
    ],
    [
      "no ports left in a rule",
      () => changed("NetworkPolicy", "lucid-wallet/payout-router", "spec.egress[0].ports"),
      /^Wallet\/payout-router is let out to Wallet\/tron-payment on 1-15000\/TCP, 15002-65535\/TCP, every UDP port/,
    ],
    [
      "a range where there was a port",
      () => changed("NetworkPolicy", "lucid-ops/prometheus", "spec.egress[2].ports[0].endPort", 15091),
      /^Ops\/prometheus is let out to .* on 15091\/TCP/,
    ],
    [
      "a direction that is no longer restricted",
      () =>
        changed("NetworkPolicy", "lucid-chain/default-deny", "spec.policyTypes", ["Ingress"]).map((object) => {
          const { name, namespace } = object.metadata as { name: string; namespace?: string };
          const isMeant = object.kind === "NetworkPolicy" && name === "lucid-blocks" && namespace === "lucid-chain";
          return isMeant ? edit(object, "spec.policyTypes", ["Ingress"]) : object;
        }),
      /^no NetworkPolicy restricts whom Chain\/lucid-blocks reaches: Deployment lucid-chain\/lucid-blocks is selected by none/,
    ],
    [
      "a pod that bears another's name",
      () => changed("Deployment", "lucid-ops/admin-ui", `spec.template.metadata.labels["${NAME}"]`, "prometheus"),
      /^Ops\/admin-ui can't reach Chain\/lucid-blocks on 15001\/TCP|no workload is Ops\/admin-ui/,
    ],
    [
      "a wider way to the API server",
      () => changed("NetworkPolicy", "lucid-mesh/mesh-controller", "spec.egress[4].to[0].ipBlock.cidr", "10.77.0.0/24"),
      /^Mesh\/mesh-controller can reach 10\.77\.0\.0-10\.77\.0\.9, 10\.77\.0\.11-10\.77\.0\.255 on 6443\/TCP/,
    ],
    [
      "every pod of kube-system in place of its DNS",
      () => changed("NetworkPolicy", "lucid-mesh/consul", "spec.egress[2].to[0].podSelector", {}),
      /^Mesh\/consul can reach every pod of namespaces \(kubernetes\.io\/metadata\.name=kube-system\) on 53\/TCP, 53\/UDP/,
    ],
  ];
  for (const [title, objectsOf, finds] of mutations) {
    it(`finds ${title}`, () => {
      const found = violations(objectsOf());
      assert.ok(
        found.some((text) => finds.test(text)),
        JSON.stringify(found, undefined, 2),
      );
    });
  }

  it("can't be said where a workload is on the node's own network", () => {
    const host = changed("Deployment", "lucid-wallet/payout-router", "spec.template.spec.hostNetwork", true);
    assert.match(
      readCluster(host, SURROUNDINGS)
        .findings.map(({ object, problem }) => `${object}: ${problem}`)
        .join("\n"),
      /^Deployment lucid-wallet\/payout-router: its pods are on the node's own network, where no NetworkPolicy holds$/,
    );
  });
});
