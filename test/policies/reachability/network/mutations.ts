import type { Json, JsonObject } from "../../support/edit";
import { app, container, deployment, namespace, networkPolicy } from "./objects";

export const CLUSTER = { clusterAddresses: ["10.244.0.0/16", "fd00:10:244::/56"] };

export const policy = networkPolicy("red", "server", {
  podSelector: app("server"),
  policyTypes: ["Ingress", "Egress"],
  ingress: [
    {
      from: [{ namespaceSelector: { matchLabels: { team: "red" } }, podSelector: { matchExpressions: [] } }],
      ports: [{ protocol: "TCP", port: 8000, endPort: 8010 }, { port: "web" }],
    },
  ],
  egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.128/25"] } }] }],
});
const web = { name: "web", containerPort: 8080 };
export const server = deployment("red", "server", { spec: { hostNetwork: false, containers: [container(web)] } });
export const red = namespace("red", { team: "red" });

/** One change of an object that can be judged, after which it can't be. */
export interface Mutation {
  readonly title: string;
  readonly object?: JsonObject;
  readonly path: string;
  readonly value?: Json;
  readonly finds: RegExp;
}

export const rule = "spec.ingress[0]";
export const port = `${rule}.ports[0]`;
export const block = "spec.egress[0].to[0].ipBlock";
export const pod = "spec.template.spec";

export const POLICIES: readonly Mutation[] = [
  {
    title: "an unknown field of the policy",
    path: "tier",
    value: 1,
    finds: /NetworkPolicy red\/server, tier: is no field/,
  },
  { title: "no spec", path: "spec", finds: /spec: nothing of the policy is known/ },
  {
    title: "an unknown field of the spec",
    path: "spec.podselector",
    value: {},
    finds: /spec\.podselector: is no field/,
  },
  {
    title: "an unknown field of a rule",
    path: `${rule}.action`,
    value: "Deny",
    finds: /ingress\[0\]\.action: is no field/,
  },
  { title: "the other direction's word", path: `${rule}.to`, value: [], finds: /ingress\[0\]\.to: is no field/ },
  { title: "an unknown peer", path: `${rule}.from[0].networks`, value: [], finds: /from\[0\]\.networks: is no field/ },
  { title: "an empty peer", path: `${rule}.from[0]`, value: {}, finds: /from\[0\]: the peer names nobody/ },
  {
    title: "a block and a selector in one peer",
    path: `${rule}.from[0].ipBlock`,
    value: { cidr: "192.0.2.0/24" },
    finds: /from\[0\]: the peer has an ipBlock and a selector/,
  },
  { title: "an unknown part of a selector", path: "spec.podSelector.labels", value: {}, finds: /labels: is no field/ },
  {
    title: "a label that is no text",
    path: "spec.podSelector.matchLabels.app",
    value: 1,
    finds: /app: is not a string/,
  },
  { title: "a label without a value", path: "spec.podSelector.matchLabels.app", value: null, finds: /app: is missing/ },
  ...(
    [
      ["an unknown operator", { key: "a", operator: "Equals", values: ["b"] }, /operator: `Equals` is no operator/],
      ["an operator in other letters", { key: "a", operator: "in", values: ["b"] }, /`in` is no operator/],
      ["no operator", { key: "a", values: ["b"] }, /operator: is missing/],
      ["no key", { operator: "Exists" }, /key: is missing/],
      ["In without values", { key: "a", operator: "In", values: [] }, /In has no values/],
      ["NotIn without values", { key: "a", operator: "NotIn" }, /NotIn has no values/],
      ["Exists with values", { key: "a", operator: "Exists", values: ["b"] }, /Exists has values/],
      [
        "a label that pods get late",
        { key: "pod-template-hash", operator: "DoesNotExist" },
        /pod-template-hash, which/,
      ],
      ["an unknown part of an expression", { key: "a", operator: "Exists", value: "b" }, /value: is no field/],
    ] as [string, JsonObject, RegExp][]
  ).map(([title, expression, finds]) => ({
    title,
    path: `${rule}.from[0].podSelector.matchExpressions`,
    value: [expression],
    finds,
  })),
  {
    title: "an unknown policy type",
    path: "spec.policyTypes[0]",
    value: "ingress",
    finds: /`ingress` is no policy type/,
  },
  { title: "an unknown protocol", path: `${port}.protocol`, value: "ICMP", finds: /`ICMP` is no protocol/ },
  { title: "a protocol in other letters", path: `${port}.protocol`, value: "tcp", finds: /`tcp` is no protocol/ },
  { title: "an unknown part of a port", path: `${port}.ports`, value: [], finds: /ports\[0\]\.ports: is no field/ },
  { title: "port 0", path: `${port}.port`, value: 0, finds: /`0` is no port/ },
  { title: "a port above 65535", path: `${port}.endPort`, value: 65536, finds: /`65536` is no port/ },
  { title: "a part of a port", path: `${port}.port`, value: 80.5, finds: /`80.5` is no port/ },
  { title: "a number in quotes", path: `${rule}.ports[1].port`, value: "80", finds: /`80` is no port's name/ },
  { title: "a name that is none", path: `${rule}.ports[1].port`, value: "", finds: /port: is empty/ },
  { title: "a range that ends before it begins", path: `${port}.endPort`, value: 7999, finds: /ends before it begins/ },
  { title: "a range of names", path: `${rule}.ports[1].endPort`, value: 90, finds: /no number to begin with/ },
  {
    title: "a range without a begin",
    path: `${rule}.ports[1]`,
    value: { endPort: 90 },
    finds: /no number to begin with/,
  },
  { title: "a block without addresses", path: `${block}.cidr`, finds: /cidr: is missing/ },
  {
    title: "an address without a prefix",
    path: `${block}.cidr`,
    value: "192.0.2.1",
    finds: /is no block of addresses/,
  },
  {
    title: "a prefix that is too long",
    path: `${block}.cidr`,
    value: "192.0.2.1/33",
    finds: /is no block of addresses/,
  },
  { title: "leading zeros", path: `${block}.cidr`, value: "192.0.02.0/24", finds: /is no block of addresses/ },
  { title: "an IPv4 block as IPv6", path: `${block}.cidr`, value: "::ffff:192.0.2.0/120", finds: /is no block/ },
  {
    title: "an exception outside",
    path: `${block}.except[0]`,
    value: "192.0.3.0/25",
    finds: /is no part of the block/,
  },
  {
    title: "an exception of everything",
    path: `${block}.except[0]`,
    value: "192.0.2.0/24",
    finds: /is no part of the/,
  },
  {
    title: "an exception of the other family",
    path: `${block}.except[0]`,
    value: "2001:db8::/64",
    finds: /is no part/,
  },
  { title: "an unknown part of a block", path: `${block}.exclude`, value: [], finds: /exclude: is no field/ },
  {
    title: "addresses of pods",
    path: block,
    value: { cidr: "10.0.0.0/8" },
    finds: /pods and Services \(10\.244\.0\.0\/16\)/,
  },
  { title: "all addresses, pods' too", path: block, value: { cidr: "::/0" }, finds: /\(fd00:10:244::\/56\)/ },
  {
    title: "an older version",
    path: "apiVersion",
    value: "extensions/v1beta1",
    finds: /extensions\/v1beta1\/NetworkPolicy/,
  },
  { title: "a policy without a name", path: "metadata.name", finds: /metadata\.name: is missing/ },
  { title: "a policy without a namespace", path: "metadata.namespace", finds: /metadata\.namespace: is missing/ },
  {
    title: "a namespace that isn't there",
    path: "metadata.namespace",
    value: "blue",
    finds: /blue isn't among the objects/,
  },
  {
    title: "another namespace's name as a label",
    object: red,
    path: 'metadata.labels["kubernetes.io/metadata.name"]',
    value: "blue",
    finds: /another name/,
  },
  { title: "an object without a kind", path: "kind", finds: /kind: is missing/ },
];

export const WORKLOADS: readonly Mutation[] = [
  { title: "an unknown pod", path: pod, finds: /nothing of the pods is known/ },
  {
    title: "a label that is no text",
    path: "spec.template.metadata.labels.app",
    value: true,
    finds: /is not a string/,
  },
  { title: "hostNetwork that is neither", path: `${pod}.hostNetwork`, value: "true", finds: /hostNetwork: is `true`/ },
  {
    title: "a port of the node",
    path: `${pod}.containers[0].ports[0].hostPort`,
    value: 80,
    finds: /the node's own address/,
  },
  {
    title: "an unknown protocol",
    path: `${pod}.containers[0].ports[0].protocol`,
    value: "ICMP",
    finds: /is no protocol/,
  },
  { title: "no port", path: `${pod}.containers[0].ports[0].containerPort`, finds: /missing is no port/ },
  {
    title: "a name for two ports",
    path: `${pod}.initContainers`,
    value: [{ ...container({ name: "web", containerPort: 8081 }), restartPolicy: "Always" }],
    finds: /two ports are named web\/TCP/,
  },
].map((mutation) => ({ ...mutation, object: server }));
