/** Stack `dev`, as it is planned and as it is carried out, and all mutations of it. */
import { isDeepStrictEqual } from "node:util";
import { UNKNOWN } from "../../../policies/judgement/plain";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { etcdSettings, rehearsed, settings, withIssuers } from "../../unit/proof/lucid";
import { lucid, plannedResources } from "../support/planned";
import { Judges } from "./judges";
import type { Measure } from "./judges";
import { fieldMutations } from "./fields";
import type { Mutation } from "./mutation";
import { namesOf } from "./names";
import { objectMutations, sourceMutations } from "./objects";
import type { Path } from "./place";
import { specOf } from "./plan";
import type { Spec } from "./plan";

/** Packages whose resources are changed. Components are made of them; their own inputs reach nobody. */
const RENDERED = /^(kubernetes|tls|consul|random|docker|pulumi:providers:consul)(:|$)/;

/** A plan and its mutations. */
export interface Patient {
  readonly title: string;
  readonly judges: Judges;
  readonly mutations: () => Generator<Mutation>;
}

/** What tells the controller what the plan makes. */
const DECLARATION = /^declared-/;

/** Before an update: what only it can know is unknown. */
export async function planned(): Promise<Patient> {
  const specs = undeclared((await rehearsed(lucid)).map(specOf));
  const keys = specs.filter(({ name }) => ["consul-management-token", "wallet-ca-issuing-key"].includes(name));
  const names = namesOf(lucid);
  return {
    title: "before an update",
    judges: new Judges(specs, measure(true)),
    mutations: function* () {
      for (const [spec, others] of rendered(specs)) {
        yield* fieldMutations(spec, others, names, { hasUnknowns: true, isMeant: () => true });
        yield* objectMutations(spec, others, names);
        yield* sourceMutations(spec, others, keys, names);
      }
    },
  };
}

/** What issuers add to the plan, before an update. */
export async function withIssuersPlanned(): Promise<Patient> {
  const without = new Map(undeclared((await rehearsed(lucid)).map(specOf)).map((spec) => [spec.urn, spec.inputs]));
  const specs = undeclared((await rehearsed(lucid, {}, withIssuers)).map(specOf));
  const names = namesOf(lucid);
  return {
    title: "with issuers",
    judges: new Judges(specs, { ...measure(true), settings: withIssuers }),
    mutations: function* () {
      for (const [spec, others] of rendered(specs)) {
        if (isDeepStrictEqual(spec.inputs, without.get(spec.urn))) continue;
        yield* fieldMutations(spec, others, names, { hasUnknowns: true, isMeant: () => true });
        yield* objectMutations(spec, others, names);
      }
    },
  };
}

/** What is told of the plan, before an update. */
export async function told(): Promise<Patient> {
  const specs = (await rehearsed(lucid)).map(specOf);
  const names = namesOf(lucid);
  return {
    title: "as it is declared",
    judges: new Judges(specs, measure(true)),
    mutations: function* () {
      for (const [spec, others] of rendered(specs)) {
        if (!DECLARATION.test(spec.name)) continue;
        const declarations = others.filter(({ name }) => DECLARATION.test(name));
        yield* fieldMutations(spec, declarations, names, { hasUnknowns: true, isMeant: () => true });
        yield* objectMutations(spec, declarations, names);
      }
    },
  };
}

/** The stack with etcd as its discovery backend, before an update; no mutations of it are made. */
export async function plannedWithEtcd(): Promise<Judges> {
  const specs = (await rehearsed(lucid, {}, etcdSettings)).map(specOf);
  return new Judges(specs, { ...measure(true), settings: etcdSettings });
}

/** During an update: the values that were unknown before. */
export async function carriedOut(): Promise<Patient> {
  const before = new Map(
    (await rehearsed(lucid)).map((resource) => [`${resource.type} ${resource.name}`, specOf(resource)]),
  );
  const specs = withSources(undeclared((await plannedResources(lucid)).map(specOf)), before);
  const names = namesOf(lucid);
  return {
    title: "during an update",
    judges: new Judges(specs, measure(false)),
    mutations: function* () {
      for (const [spec, others] of rendered(specs)) {
        const earlier = before.get(`${spec.type} ${spec.name}`);
        if (earlier === undefined || !spec.type.startsWith("kubernetes:")) continue;
        const isMeant = (path: Path) => path.length > 0 && wasUnknown(earlier, path);
        yield* fieldMutations(spec, others, names, { hasUnknowns: false, isMeant });
      }
    },
  };
}

/** Whoever changes an object tells of it as he changed it: that its declaration is another's must not be what a change is found by. */
function undeclared(specs: readonly Spec[]): readonly Spec[] {
  return specs.filter(({ name }) => !DECLARATION.test(name));
}

/** What values come from is known during an update as it is before. */
function withSources(specs: readonly Spec[], before: ReadonlyMap<string, Spec>): readonly Spec[] {
  const urns = new Map(specs.map(({ type, name, urn }) => [`${type} ${name}`, urn]));
  const known = new Map([...before].map(([key, { urn }]) => [urn, urns.get(key) ?? urn]));
  return specs.map((spec) => {
    const sources = Object.entries(before.get(`${spec.type} ${spec.name}`)?.sources ?? {});
    return {
      ...spec,
      sources: Object.fromEntries(
        sources.map(([property, from]) => [property, from.map((urn) => known.get(urn) ?? urn)]),
      ),
    };
  });
}

function measure(hasTimeline: boolean): Measure {
  return { mesh: lucid, ceiling: LUCID_CEILING, settings, hasTimeline };
}

/** Each resource with the others of its type, the next one first. */
function* rendered(specs: readonly Spec[]): Generator<[Spec, readonly Spec[]]> {
  for (const spec of specs.filter(({ type }) => RENDERED.test(type))) {
    const alike = specs.filter(({ type }) => type === spec.type);
    const index = alike.indexOf(spec);
    yield [spec, [...alike.slice(index + 1), ...alike.slice(0, index)]];
  }
}

function wasUnknown({ inputs }: Spec, path: Path): boolean {
  let value: unknown = inputs;
  for (const step of path) {
    if (value === UNKNOWN) return true;
    if (typeof value !== "object" || value === null) return false;
    value = (value as Readonly<Record<string, unknown>>)[String(step)];
  }
  return value === UNKNOWN;
}
