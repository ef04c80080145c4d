import fc from "fast-check";
import type { Json, JsonObject } from "../../support/edit";
import { namespace, networkPolicy } from "./objects";

/** Random clusters, small enough that everything is near everything else: few names, few labels, ports and blocks that overlap. */

export interface RandomCluster {
  readonly namespaces: JsonObject[];
  readonly workloads: JsonObject[];
  readonly policies: JsonObject[];
}

/** What the other evaluator of a test can't judge, or judges otherwise by design. */
export interface Limits {
  /** Leave IPv6 out. */
  readonly ipv4Only?: boolean;
  /** Name ports of containers alone, each name for one protocol; and name no port to addresses. */
  readonly plainNames?: boolean;
}

export const NAMESPACES = ["alpha", "beta"];
const LABELS = { app: ["a", "b", "c"], tier: ["x", "y"] };
const NAMESPACE_LABELS = { team: ["red", "blue"], env: ["test"] };
const PORT_NAMES = ["web", "dns", "metrics"];
export const PROTOCOLS = ["TCP", "UDP", "SCTP"];
/** Ports that policies and containers name. */
const PORTS = [1, 53, 80, 81, 8080, 65535];

/** Blocks, each with blocks inside it. */
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  "0.0.0.0/0": ["10.0.0.0/8", "0.0.0.0/1", "203.0.113.7/32"],
  "10.0.0.0/8": ["10.0.0.0/16", "10.1.0.0/16", "10.255.255.255/32"],
  "10.1.2.3/16": ["10.1.0.0/17", "10.1.128.0/24"],
  "203.0.113.7/32": [],
};
const BLOCKS_V6: Readonly<Record<string, readonly string[]>> = {
  "::/0": ["2001:db8::/32", "8000::/1"],
  "2001:db8::/32": ["2001:db8:1::/48", "2001:db8::1/128"],
  "2001:db8:1::/48": ["2001:db8:1:ffff::/64"],
};

/** First and last addresses of those blocks, and their neighbours. */
export const ADDRESSES = [
  ...["0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.255.255", "10.1.0.0", "10.1.127.255", "10.1.128.0", "10.1.128.255"],
  ...["10.1.129.0", "10.1.255.255", "10.2.0.0", "10.255.255.254", "10.255.255.255", "11.0.0.0", "127.255.255.255"],
  ...["128.0.0.0", "203.0.113.6", "203.0.113.7", "203.0.113.8", "255.255.255.255"],
  ...["::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8::1", "2001:db8::2", "2001:db8:1::"],
  ...["2001:db8:1:fffe:ffff::", "2001:db8:1:ffff::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "2001:db8:2::"],
  ...["2001:db9::", "7fff:ffff::", "8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
];
/** Ports on both sides of every boundary. */
export const SAMPLED_PORTS = [1, 2, 52, 53, 54, 79, 80, 81, 82, 8079, 8080, 8081, 65534, 65535];

function labels(of: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<JsonObject> {
  const entries = Object.entries(of).map(([key, values]) =>
    fc.option(fc.constantFrom(...values), { nil: undefined, freq: 3 }).map((value) => [key, value] as const),
  );
  return fc
    .tuple(...entries)
    .map((pairs) => Object.fromEntries(pairs.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))));
}

function selector(of: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<JsonObject> {
  const expression = fc.constantFrom(...Object.keys(of)).chain((key) =>
    fc.oneof(
      fc.record({
        key: fc.constant(key),
        operator: fc.constantFrom("In", "NotIn"),
        values: fc.subarray([...(of[key] ?? [])], { minLength: 1 }),
      }),
      fc.record({ key: fc.constant(key), operator: fc.constantFrom("Exists", "DoesNotExist") }),
    ),
  );
  return optional({ matchLabels: labels(of), matchExpressions: fc.array(expression, { maxLength: 2 }) }, [
    "matchLabels",
    "matchExpressions",
  ]);
}

/** A record of which these keys may be missing. */
function optional(model: Record<string, fc.Arbitrary<Json | undefined>>, keys: readonly string[]) {
  const required = Object.keys(model).filter((key) => !keys.includes(key));
  return fc.record(model, { requiredKeys: required }) as fc.Arbitrary<JsonObject>;
}

const podSelector = selector(LABELS);
const namespaceSelector = selector({
  ...NAMESPACE_LABELS,
  "kubernetes.io/metadata.name": [...NAMESPACES, "elsewhere"],
});

function ipBlock({ ipv4Only = false }: Limits): fc.Arbitrary<JsonObject> {
  const blocks = { ...BLOCKS, ...(ipv4Only ? {} : BLOCKS_V6) };
  return fc
    .constantFrom(...Object.entries(blocks))
    .chain(([cidr, inner]) => optional({ cidr: fc.constant(cidr), except: fc.subarray([...inner]) }, ["except"]));
}

const podPeer = fc.oneof(
  fc.record({ podSelector }),
  fc.record({ namespaceSelector }),
  fc.record({ namespaceSelector, podSelector }),
);

function peers(limits: Limits): fc.Arbitrary<JsonObject[]> {
  const peer: fc.Arbitrary<JsonObject> = fc.oneof(
    { weight: 3, arbitrary: podPeer },
    { weight: 2, arbitrary: fc.record({ ipBlock: ipBlock(limits) }) },
  );
  return fc.array(peer, { maxLength: 3 });
}

const numberedPort = fc.oneof(
  optional({ protocol: fc.constantFrom(...PROTOCOLS), port: fc.constantFrom(...PORTS) }, ["protocol", "port"]),
  fc
    .tuple(fc.constantFrom(...PROTOCOLS), fc.subarray(PORTS, { minLength: 2, maxLength: 2 }))
    .map(([protocol, [port = 1, endPort = 1]]) => ({ protocol, port, endPort })),
);
const namedPort = optional({ protocol: fc.constantFrom(...PROTOCOLS), port: fc.constantFrom(...PORT_NAMES) }, [
  "protocol",
]);
const rulePorts = fc.array(fc.oneof({ weight: 2, arbitrary: numberedPort }, { weight: 1, arbitrary: namedPort }), {
  maxLength: 3,
});

function rule(word: "from" | "to", limits: Limits): fc.Arbitrary<JsonObject> {
  const any = optional({ [word]: peers(limits), ports: rulePorts }, [word, "ports"]);
  if (word === "from" || limits.plainNames !== true) return any;
  return fc.oneof(
    optional({ to: peers(limits), ports: fc.array(numberedPort, { maxLength: 3 }) }, ["to", "ports"]),
    fc.record({ to: fc.array(podPeer, { minLength: 1, maxLength: 3 }), ports: rulePorts }) as fc.Arbitrary<JsonObject>,
  );
}

function policySpec(limits: Limits): fc.Arbitrary<JsonObject> {
  return optional(
    {
      podSelector,
      policyTypes: fc.subarray(["Ingress", "Egress"]),
      ingress: fc.array(rule("from", limits), { maxLength: 3 }),
      egress: fc.array(rule("to", limits), { maxLength: 3 }),
    },
    ["podSelector", "policyTypes", "ingress", "egress"],
  );
}

/** Containers of a pod, of which no two that run beside each other give one name to two ports of a protocol. */
function containers({ plainNames = false }: Limits): fc.Arbitrary<JsonObject> {
  const port = optional(
    {
      name: fc.constantFrom(...PORT_NAMES),
      protocol: fc.constantFrom(...PROTOCOLS),
      containerPort: fc.constantFrom(...PORTS),
    },
    ["name", "protocol"],
  );
  const named = fc.uniqueArray(port, {
    maxLength: 4,
    comparator: (a, b) => a.name === b.name && (plainNames || (a.protocol ?? "TCP") === (b.protocol ?? "TCP")),
  });
  return fc.tuple(named, fc.array(port, { maxLength: 2 }), fc.nat(4)).map(([own, early, cut]): JsonObject => {
    const numbered = (ports: JsonObject[], name: string) => ({ name, image: "app:1.0.0", ports });
    if (plainNames) return { containers: [numbered(own.slice(0, cut), "app"), numbered(own.slice(cut), "other")] };
    return {
      initContainers: [numbered(early, "early"), { ...numbered(own.slice(cut), "sidecar"), restartPolicy: "Always" }],
      containers: [numbered(own.slice(0, cut), "app")],
    };
  });
}

function workload(limits: Limits): fc.Arbitrary<(name: string) => JsonObject> {
  return fc
    .tuple(
      fc.constantFrom(...NAMESPACES),
      fc.constantFrom("apps/v1/Deployment", "apps/v1/StatefulSet", "apps/v1/DaemonSet", "batch/v1/Job", "v1/Pod"),
      labels(LABELS),
      containers(limits),
    )
    .map(([place, type, podLabels, spec]) => (name: string): JsonObject => {
      const slash = type.lastIndexOf("/");
      const [apiVersion, kind] = [type.slice(0, slash), type.slice(slash + 1)];
      if (kind === "Pod") return { apiVersion, kind, metadata: { name, namespace: place, labels: podLabels }, spec };
      const template = { metadata: { labels: podLabels }, spec };
      return { apiVersion, kind, metadata: { name, namespace: place }, spec: { template } };
    });
}

export function randomCluster(limits: Limits = {}): fc.Arbitrary<RandomCluster> {
  return fc
    .tuple(
      fc.tuple(...NAMESPACES.map(() => labels(NAMESPACE_LABELS))),
      fc.array(workload(limits), { minLength: 2, maxLength: 5, size: "max" }),
      fc.array(fc.tuple(fc.constantFrom(...NAMESPACES), policySpec(limits)), { maxLength: 8, size: "max" }),
    )
    .map(([namespaceLabels, workloads, policies]) => ({
      namespaces: NAMESPACES.map((name, index) => namespace(name, namespaceLabels[index])),
      workloads: workloads.map((make, index) => make(`w${index}`)),
      policies: policies.map(([place, spec], index) => networkPolicy(place, `p${index}`, spec)),
    }));
}
