import assert from "node:assert/strict";
import fc from "fast-check";
import type { Workload } from "../../../../policies/reachability/network";
import type { Protocol } from "../../../../policies/reachability/sets/port-set";
import type { JsonObject } from "../../support/edit";
import { reachabilityOf, workload } from "./objects";
import { isAllowed, isLetIn, isLetOut } from "./oracle";
import type { Pod } from "./oracle";
import { ADDRESSES, PROTOCOLS, SAMPLED_PORTS, randomCluster } from "./random";
import type { RandomCluster } from "./random";

const TARGETS = PROTOCOLS.flatMap((protocol) =>
  SAMPLED_PORTS.map((port) => ({ protocol: protocol as Protocol, port })),
);

/** Pods of a namespace that the evaluator is not told of. */
const STRANGERS: readonly Pick<Pod, "namespace" | "namespaceLabels" | "labels">[] = [
  {},
  { team: "red" },
  { team: "blue", env: "test" },
].flatMap((namespaceLabels) =>
  [{}, { app: "a" }, { app: "b", tier: "x" }, { app: "d", tier: "z" }].map((labels) => ({
    namespace: "elsewhere",
    namespaceLabels: namespaceLabels as Pod["labels"],
    labels: labels as Pod["labels"],
  })),
);

/** The evaluator computes sets; the oracle judges one connection at a time. They must agree wherever they are asked. */
describe("network reachability: an oracle that samples agrees", function () {
  this.timeout(60_000);

  it("between workloads", () => {
    const runs = countedRuns(randomCluster(), (cluster) => {
      const reachability = reachabilityOf([...cluster.namespaces, ...cluster.workloads, ...cluster.policies]);
      let open = 0;
      for (const from of podsOf(cluster)) {
        for (const to of podsOf(cluster)) {
          const computed = reachability.between(workload(reachability, from.name), workload(reachability, to.name));
          for (const target of TARGETS) {
            const allowed = isAllowed(cluster.policies, from.pod, to.pod, target);
            if (allowed) open++;
            const where = `${from.name} -> ${to.name} ${target.port}/${target.protocol}`;
            assert.equal(computed.ports.has(target.protocol, target.port), allowed, where);
            assert.equal(
              computed.egress.ports.has(target.protocol, target.port),
              isLetOut(cluster.policies, from.pod, to.pod, target),
              `${where}, egress`,
            );
          }
        }
      }
      return open > 0;
    });
    assert.ok(runs.true > 50 && runs.false > 5, `the samples are one-sided: ${JSON.stringify(runs)}`);
  });

  it("with addresses", () => {
    const runs = countedRuns(randomCluster(), (cluster) => {
      const reachability = reachabilityOf([...cluster.namespaces, ...cluster.workloads, ...cluster.policies]);
      let open = 0;
      let closed = 0;
      for (const { name, pod } of podsOf(cluster)) {
        const regions = {
          egress: reachability.addresses(workload(reachability, name), "egress"),
          ingress: reachability.addresses(workload(reachability, name), "ingress"),
        };
        for (const address of ADDRESSES) {
          const holding = {
            egress: regions.egress.filter(({ addresses }) => addresses.has(address)),
            ingress: regions.ingress.filter(({ addresses }) => addresses.has(address)),
          };
          assert.ok(holding.egress.length <= 1 && holding.ingress.length <= 1, "regions overlap");
          for (const { protocol, port } of TARGETS) {
            const out = isLetOut(cluster.policies, pod, address, { protocol, port });
            const into = isLetIn(cluster.policies, address, pod, { protocol, port });
            const where = `${name}, ${address}, ${port}/${protocol}`;
            assert.equal(holding.egress[0]?.ports.has(protocol, port) ?? false, out, `egress of ${where}`);
            assert.equal(holding.ingress[0]?.ports.has(protocol, port) ?? false, into, `ingress of ${where}`);
            if (out) open++;
            else closed++;
          }
        }
      }
      return open > 0 && closed > 0;
    });
    assert.ok(runs.true > 20, `the samples are one-sided: ${JSON.stringify(runs)}`);
  });

  it("with pods of namespaces that aren't among the objects", () => {
    const runs = countedRuns(randomCluster(), (cluster) => {
      const reachability = reachabilityOf([...cluster.namespaces, ...cluster.workloads, ...cluster.policies]);
      let open = 0;
      for (const { name, pod } of podsOf(cluster)) {
        const subject = workload(reachability, name);
        const reaches = {
          egress: reachability.strangers(subject, "egress"),
          ingress: reachability.strangers(subject, "ingress"),
        };
        for (const stranger of STRANGERS) {
          const labels = { ...stranger.namespaceLabels, "kubernetes.io/metadata.name": stranger.namespace };
          const selecting = (direction: "egress" | "ingress") =>
            reaches[direction].filter(
              ({ strangers }) => strangers.namespaces.matches(labels) && strangers.pods.matches(stranger.labels),
            );
          const [outwards, inwards] = [selecting("egress"), selecting("ingress")];
          for (const { protocol, port } of TARGETS) {
            // It may give every name to the very port that is asked for.
            const named = ["web", "dns", "metrics"].map((portName) => ({
              name: portName,
              protocol,
              containerPort: port,
            }));
            const party = { ...stranger, containers: [{ ports: named }] };
            const out = isLetOut(cluster.policies, pod, party, { protocol, port });
            const into = isLetIn(cluster.policies, party, pod, { protocol, port });
            const where = `${name}, ${JSON.stringify(stranger)}, ${port}/${protocol}`;
            assert.equal(
              outwards.some((reach) => reach.ports.has(protocol, port)),
              out,
              `egress of ${where}`,
            );
            assert.equal(
              inwards.some((reach) => reach.ports.has(protocol, port)),
              into,
              `ingress of ${where}`,
            );
            if (out) open++;
          }
        }
      }
      return open > 0;
    });
    assert.ok(runs.true > 50 && runs.false > 1, `the samples are one-sided: ${JSON.stringify(runs)}`);
  });

  it("on why: a grant is what its peer opens by itself", () => {
    const runs = countedRuns(randomCluster(), (cluster) => {
      const reachability = reachabilityOf([...cluster.namespaces, ...cluster.workloads, ...cluster.policies]);
      const pods = new Map(podsOf(cluster).map(({ name, pod }) => [name, pod]));
      const podOf = ({ namespace, name }: Workload) => pods.get(`${namespace.name}/${name}`) ?? "";
      let grants = 0;
      for (const connection of reachability.connections()) {
        const [from, to] = [podOf(connection.from), podOf(connection.to)];
        for (const { policy, opening, ports } of [...connection.egress.grants, ...connection.ingress.grants]) {
          const alone = [only(cluster.policies, policy.title, opening.path)];
          const asks = opening.path.startsWith("spec.egress") ? isLetOut : isLetIn;
          for (const target of TARGETS)
            assert.equal(ports.has(target.protocol, target.port), asks(alone, from, to, target), opening.path);
          grants++;
        }
      }
      return grants > 0;
    });
    assert.ok(runs.true > 50, `the samples are one-sided: ${JSON.stringify(runs)}`);
  });
});

/** A policy with one rule of one direction, and one peer in it where the path names one. */
function only(policies: readonly JsonObject[], title: string, path: string): JsonObject {
  const [, direction = "", rule = "", word, peer] =
    /^spec\.(ingress|egress)\[(\d+)\](?:\.(from|to)\[(\d+)\])?$/.exec(path) ?? [];
  const policy = policies.find((one) => title.endsWith(`/${nameOf(one)}`));
  const spec = policy?.spec as Record<string, JsonObject[]> | undefined;
  const found = spec?.[direction]?.[Number(rule)];
  assert.ok(policy !== undefined && found !== undefined, `${title} has no ${path}`);
  const peers = word === undefined ? {} : { [word]: [(found[word] as JsonObject[])[Number(peer)] ?? null] };
  const type = direction === "egress" ? "Egress" : "Ingress";
  return { ...policy, spec: { ...spec, policyTypes: [type], [direction]: [{ ...found, ...peers }] } };
}

/** Runs a property, and counts what it answers: a property that meets one side only shows nothing. */
function countedRuns(clusters: fc.Arbitrary<RandomCluster>, property: (cluster: RandomCluster) => boolean) {
  const counts = { true: 0, false: 0 };
  fc.assert(
    fc.property(clusters, (cluster) => {
      counts[property(cluster) ? "true" : "false"]++;
    }),
    { numRuns: 250 },
  );
  return counts;
}

/** The pods of a cluster, one for each workload, as the oracle sees them. */
function podsOf(cluster: RandomCluster): { name: string; pod: Pod }[] {
  return cluster.workloads.map((object) => {
    const metadata = object.metadata as { name: string; namespace: string; labels?: Pod["labels"] };
    const template = object.kind === "Pod" ? object : ((object.spec as JsonObject).template as JsonObject);
    const labels = (template.metadata as { labels?: Pod["labels"] }).labels ?? {};
    const place = cluster.namespaces.find((one) => nameOf(one) === metadata.namespace);
    const namespaceLabels = (place?.metadata as { labels?: Pod["labels"] }).labels ?? {};
    const { containers, initContainers } = template.spec as unknown as Pick<Pod, "containers" | "initContainers">;
    return {
      name: `${metadata.namespace}/${metadata.name}`,
      pod: { namespace: metadata.namespace, namespaceLabels, labels, containers, initContainers },
    };
  });
}

function nameOf(object: JsonObject): string {
  return (object.metadata as { name: string }).name;
}
