import { Field, Unjudgeable } from "../../../judgement/field";
import type { Plain } from "../../../judgement/plain";
import { AddressSet } from "../../sets/address-set";
import { requiredText } from "./fields";
import { WITHOUT_EFFECT, groupKind } from "./kinds";
import { NAMESPACE_NAME } from "../model";
import type { Cluster, Namespace, ObjectFinding, Policy, Workload } from "../model";
import { readPolicy } from "./policy";
import { TEMPLATE_PATHS, readLabels, readPodNetwork } from "./workload";

/** What the objects don't say about the cluster. */
export interface Surroundings {
  /** CIDRs of pods and of Services' virtual addresses. */
  readonly clusterAddresses: readonly string[];
  /** Further kinds without an effect on the network, as `<group>/<kind>`. */
  readonly withoutEffect?: readonly string[];
}

export interface Reading {
  /** Undefined where an object can't be judged: nothing may be concluded from the others then. */
  readonly cluster: Cluster | undefined;
  /** What can't be judged; and workloads for which no NetworkPolicy holds, which are no part of the cluster. */
  readonly findings: readonly ObjectFinding[];
}

/**
 * Reads the objects of a cluster, as `kubectl get -o json`, YAML files or a plan give them. They must be complete: all namespaces, workloads and
 * policies that the question is about.
 *
 * @throws RangeError for a cluster address that is no CIDR
 */
export function readCluster(objects: readonly Plain[], surroundings: Surroundings): Reading {
  const reader = new Reader(surroundings);
  const typed = objects.flatMap((object) => reader.unlisted(object)).flatMap((object) => reader.typed(object));
  for (const object of typed) if (object.type === NAMESPACE) reader.read(object);
  for (const object of typed) if (object.type !== NAMESPACE) reader.read(object);
  return { cluster: reader.isComplete ? reader.cluster : undefined, findings: reader.findings };
}

const NAMESPACE = "v1/Namespace";
const NETWORK_POLICY = "networking.k8s.io/v1/NetworkPolicy";

interface TypedObject {
  readonly field: Field;
  readonly apiVersion: string;
  readonly kind: string;
  /** `<apiVersion>/<kind>`. */
  readonly type: string;
}

class Reader {
  readonly findings: ObjectFinding[] = [];
  readonly cluster = { namespaces: [] as Namespace[], workloads: [] as Workload[], policies: [] as Policy[] };
  isComplete = true;

  private readonly namespaces = new Map<string, Namespace>();
  private readonly titles = new Set<string>();
  private readonly withoutEffect: ReadonlySet<string>;
  private readonly inside: AddressSet;

  constructor(surroundings: Surroundings) {
    this.withoutEffect = new Set([...WITHOUT_EFFECT, ...(surroundings.withoutEffect ?? [])]);
    this.inside = AddressSet.union(
      surroundings.clusterAddresses.map((cidr) => {
        const addresses = AddressSet.parse(cidr);
        if (addresses === undefined) throw new RangeError(`clusterAddresses: ${cidr} is no CIDR`);
        return addresses;
      }),
    );
  }

  /** The objects of a `v1/List`, as kubectl prints one; any other object by itself. */
  unlisted(object: Plain): readonly Plain[] {
    const field = new Field(object);
    if (typeof object !== "object" || object === null || !field.at("kind").is("List")) return [object];
    const items = (object as { readonly items?: Plain }).items;
    if (field.at("apiVersion").is("v1") && Array.isArray(items)) return items as readonly Plain[];
    return this.judged("List", () => {
      throw new Unjudgeable("items", "the list is none of API v1 with its items", "give the objects one by one");
    });
  }

  /** An object with its type; nothing for one without. */
  typed(object: Plain): readonly TypedObject[] {
    const field = new Field(object);
    return this.judged(objectTitle(field), () => {
      const apiVersion = requiredText(field.at("apiVersion"));
      const kind = requiredText(field.at("kind"));
      return [{ field, apiVersion, kind, type: `${apiVersion}/${kind}` }];
    });
  }

  /** Reads one object; namespaces first, as the others lie in them. */
  read({ field, apiVersion, kind, type }: TypedObject): void {
    this.judged(objectTitle(field), () => {
      if (type === NAMESPACE) this.readNamespace(field);
      else if (type === NETWORK_POLICY) this.readPolicy(field);
      else if (Object.hasOwn(TEMPLATE_PATHS, type)) this.readWorkload(field, kind, TEMPLATE_PATHS[type] ?? []);
      else if (!this.withoutEffect.has(groupKind(apiVersion, kind)))
        throw new Unjudgeable(
          "kind",
          `it isn't known what a ${type} does to the network`,
          "take it out, or have the evaluator model it",
        );
      return [];
    });
  }

  private readNamespace(field: Field): void {
    const name = requiredText(field.at("metadata", "name"));
    const labels = readLabels(field.at("metadata", "labels"));
    if (Object.hasOwn(labels, NAMESPACE_NAME) && labels[NAMESPACE_NAME] !== name)
      throw new Unjudgeable(
        field.at("metadata", "labels", NAMESPACE_NAME).path,
        "is another name than the namespace's own",
        "take it out: the API server sets it",
      );
    this.refuseTwice(`Namespace ${name}`);
    const namespace = { name, labels: { ...labels, [NAMESPACE_NAME]: name } };
    this.namespaces.set(name, namespace);
    this.cluster.namespaces.push(namespace);
  }

  private readPolicy(field: Field): void {
    const { namespace, title } = this.identify(field, "NetworkPolicy");
    this.refuseTwice(title);
    this.cluster.policies.push({ title, namespace: namespace.name, ...readPolicy(field, this.inside) });
  }

  private readWorkload(field: Field, kind: string, path: readonly string[]): void {
    const { name, namespace, title } = this.identify(field, kind);
    this.refuseTwice(title);
    const { hostNetwork, ...pods } = readPodNetwork(field.at(...path));
    if (hostNetwork === undefined) this.cluster.workloads.push({ title, kind, name, namespace, ...pods });
    else
      this.findings.push({
        object: title,
        path: hostNetwork.path,
        problem: "its pods are on the node's own network, where no NetworkPolicy holds",
        mend: "take it out",
      });
  }

  private identify(field: Field, kind: string) {
    const name = requiredText(field.at("metadata", "name"));
    const place = field.at("metadata", "namespace");
    const namespace = this.namespaces.get(requiredText(place));
    if (namespace === undefined)
      throw new Unjudgeable(
        place.path,
        `Namespace ${place.text() ?? ""} isn't among the objects, so its labels aren't known`,
        "give the namespace as well",
      );
    return { name, namespace, title: `${kind} ${namespace.name}/${name}` };
  }

  private refuseTwice(title: string): void {
    if (this.titles.has(title))
      throw new Unjudgeable("metadata.name", "two objects have this name, and one will stand", "take one out");
    this.titles.add(title);
  }

  private judged<T>(object: string, read: () => readonly T[]): readonly T[] {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Unjudgeable)) throw error;
      this.isComplete = false;
      this.findings.push({ object, path: error.path, problem: error.problem, mend: error.mend });
      return [];
    }
  }
}

/** How messages name an object, whatever of it can be read. */
export function objectTitle(object: Field): string {
  const readable = (...keys: readonly string[]) => {
    try {
      return object.at(...keys).text();
    } catch {
      return undefined;
    }
  };
  const [kind, namespace, name] = [readable("kind"), readable("metadata", "namespace"), readable("metadata", "name")];
  return `${kind ?? "object"} ${namespace === undefined ? "" : `${namespace}/`}${name ?? "without a name"}`;
}
