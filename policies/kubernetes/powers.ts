/** Rights by which their holder could become another or go past what was planned (https://kubernetes.io/docs/concepts/security/rbac-good-practices/). */
interface Power {
  readonly group: RegExp;
  readonly resource: RegExp;
  readonly verbs: readonly string[];
  /** Whether naming the objects (`resourceNames`) makes the right harmless. */
  readonly namedIsHarmless?: boolean;
  readonly why: string;
}

const WRITES = ["create", "update", "patch", "delete", "deletecollection"];
const CHANGES = ["create", "update", "patch"];
const EVERY = ["get", "list", "watch", ...WRITES];

const POWERS: readonly Power[] = [
  {
    group: /^$/,
    resource: /^secrets$/,
    verbs: ["create", "list", "watch", "deletecollection"],
    why: "it reads the keys of everybody in its reach, or has a token of somebody made",
  },
  {
    group: /^$/,
    resource: /^secrets$/,
    verbs: ["get", "update", "patch", "delete"],
    namedIsHarmless: true,
    why: "it reads or replaces any key",
  },
  {
    group: /^$/,
    resource: /^configmaps$/,
    verbs: ["update", "patch", "delete", "deletecollection"],
    namedIsHarmless: true,
    why: "it rewrites what sidecars go by",
  },
  { group: /^$/, resource: /^pods\/(exec|attach|portforward|proxy)$/, verbs: EVERY, why: "it gets into others' pods" },
  { group: /^$/, resource: /^(services|nodes)\/proxy$/, verbs: EVERY, why: "it gets past NetworkPolicies" },
  { group: /^$/, resource: /^serviceaccounts\/token$/, verbs: CHANGES, why: "it makes tokens of others" },
  { group: /^$/, resource: /^serviceaccounts$/, verbs: WRITES, why: "it makes identities that nobody declared" },
  {
    group: /^$/,
    resource: /^(pods|pods\/ephemeralcontainers|pods\/status|replicationcontrollers|podtemplates)$/,
    verbs: CHANGES,
    why: "it starts or changes pods that nobody judged",
  },
  {
    group: /^(apps|batch)$/,
    resource: /^(deployments|statefulsets|daemonsets|replicasets|jobs|cronjobs)$/,
    verbs: CHANGES,
    why: "it starts or changes pods that nobody judged",
  },
  {
    group: /^$/,
    resource: /^(namespaces|nodes|persistentvolumes)$/,
    verbs: WRITES,
    why: "it moves the borders of zones and nodes",
  },
  { group: /^$/, resource: /^(endpoints|services)$/, verbs: CHANGES, why: "it sends others' traffic elsewhere" },
  {
    group: /^discovery\.k8s\.io$/,
    resource: /^endpointslices$/,
    verbs: CHANGES,
    why: "it sends others' traffic elsewhere",
  },
  { group: /^networking\.k8s\.io$/, resource: /^networkpolicies$/, verbs: WRITES, why: "it opens what is isolated" },
  { group: /^rbac\.authorization\.k8s\.io$/, resource: /./, verbs: WRITES, why: "it gives rights" },
  { group: /^admissionregistration\.k8s\.io$/, resource: /./, verbs: WRITES, why: "it decides what is admitted" },
  { group: /^apiextensions\.k8s\.io$/, resource: /./, verbs: WRITES, why: "it decides what objects are" },
  {
    group: /^mesh\.lucid\.internal$/,
    resource: /^meshservices$/,
    verbs: WRITES,
    why: "it declares services that nobody judged",
  },
  {
    group: /^coordination\.k8s\.io$/,
    resource: /^leases$/,
    verbs: WRITES,
    namedIsHarmless: true,
    why: "it has dead nodes pass for living ones, and takes the lead from whom others follow",
  },
  {
    group: /^certificates\.k8s\.io$/,
    resource: /./,
    verbs: [...WRITES, "approve", "sign"],
    why: "it has certificates made",
  },
];

/** Why a right is a power; undefined for one that is none. `named`: the rule names the objects. */
export function powerOf(group: string, resource: string, verb: string, named: boolean): string | undefined {
  return POWERS.find(
    (power) =>
      power.group.test(group) &&
      power.resource.test(resource) &&
      power.verbs.includes(verb) &&
      !(named && power.namedIsHarmless === true),
  )?.why;
}
