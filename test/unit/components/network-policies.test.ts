import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { consulNetwork } from "../../../components/discovery/consul/network";
import { networkPolicies } from "../../../components/network/network-policies";
import type {
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from "../../../components/network/network-peers";
import { isolate, pods, tcp } from "../../../components/network/network-peers";
import { checkoutDir } from "../../../dev/paths";
import { edgesFrom, edgesTo, loadMesh } from "../../../mesh";

const mesh = loadMesh(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true });
const surroundings = { apiServerCidr: "10.77.0.10/32", apiServerPort: 6443, discovery: { network: consulNetwork } };
const policies = mesh.zones.flatMap((zone) => networkPolicies(mesh, zone, surroundings));

function specOf(name: string): NetworkPolicySpec {
  const policy = policies.find((candidate) => candidate.name === name);
  assert.ok(policy, `no policy ${name}`);
  return policy.spec;
}

describe("network policies", () => {
  it("close every namespace in both directions", () => {
    for (const { namespace } of mesh.zones) {
      const deny = policies.find((policy) => policy.namespace === namespace && policy.name === "default-deny");
      assert.deepEqual(deny?.spec, {
        podSelector: { matchLabels: {} },
        policyTypes: ["Ingress", "Egress"],
        ingress: [],
        egress: [],
      });
    }
  });

  it("never have an empty peer list, an open selector or a rule without ports: each would mean everyone", () => {
    for (const { name, spec } of policies) {
      const rules: { peers: readonly NetworkPolicyPeer[]; ports: readonly NetworkPolicyPort[] }[] = [
        ...spec.ingress.map(({ from, ports }) => ({ peers: from, ports })),
        ...spec.egress.map(({ to, ports }) => ({ peers: to, ports })),
      ];
      for (const { peers, ports } of rules) {
        assert.ok(peers.length > 0 && ports.length > 0, name);
        for (const peer of peers.filter(({ ipBlock }) => ipBlock === undefined)) {
          assert.ok(Object.keys(peer.namespaceSelector?.matchLabels ?? {}).length > 0, name);
          assert.ok(Object.keys(peer.podSelector?.matchLabels ?? {}).length > 0, name);
        }
      }
    }
  });

  for (const service of mesh.services) {
    it(`let ${service.name} be called on 15001 by its declared callers alone`, () => {
      const calling = specOf(service.name).ingress.filter(({ ports }) => ports.some(({ port }) => port === 15001));
      const names = calling.flatMap(({ from }) =>
        from.map((peer) => peer.podSelector?.matchLabels["app.kubernetes.io/name"]),
      );
      assert.deepEqual(names.sort(), [...new Set(edgesTo(mesh, service).map(({ from }) => from))].sort());
    });

    it(`let ${service.name} reach its declared callees' 15001 alone`, () => {
      const called = specOf(service.name).egress.filter(({ ports }) => ports.some(({ port }) => port === 15001));
      const names = called.flatMap(({ to }) =>
        to.map((peer) => peer.podSelector?.matchLabels["app.kubernetes.io/name"]),
      );
      assert.deepEqual(names.sort(), [...new Set(edgesFrom(mesh, service).map(({ to }) => to))].sort());
    });
  }

  it("let only the controller reach the Kubernetes API", () => {
    const reaching = policies.filter(({ spec }) => spec.egress.some(({ to }) => to.some(({ ipBlock }) => ipBlock)));
    assert.deepEqual(reaching.map(({ name }) => name).sort(), ["mesh-controller"]);
  });

  it("let no workload reach the canary, which the start gate must find closed", () => {
    for (const { name, spec } of policies) {
      assert.ok(!spec.egress.some(({ ports }) => ports.some(({ port }) => port === 8181)), name);
    }
  });

  it("let the controller alone out to the live canary, by the rule that lets it out to the port beside, and nobody in", () => {
    const canaries = policies.flatMap(({ name, spec }) =>
      spec.egress.filter(({ ports }) => ports.some(({ port }) => port === 15021)).map(({ ports }) => ({ name, ports })),
    );
    assert.deepEqual(canaries, [{ name: "mesh-controller", ports: tcp(15090, 15021) }]);
    for (const { name, spec } of policies)
      assert.ok(!spec.ingress.some(({ ports }) => ports.some(({ port }) => port === 15021)), name);
  });

  it("drop a permission without peers instead of opening it to everyone", () => {
    assert.deepEqual(isolate("x", [{ peers: [], ports: tcp(1) }], [{ peers: [pods("n", "p")], ports: [] }]), {
      podSelector: { matchLabels: { "app.kubernetes.io/name": "x" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [],
    });
  });
});
