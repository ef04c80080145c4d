import * as pulumi from "@pulumi/pulumi";
import {
  apiVersionOf,
  DECLARATION,
  kindNamed,
  STANDING_FOR,
  textDigest,
  type DeclaredKind,
  type DeclaredObject,
  type Json,
} from "../../mesh/declarations";
import type { DiscoveryBackend } from "../discovery/backend";

/** What is declared of an object, and the resource that is it. */
export interface Recorded {
  readonly object: DeclaredObject;
  readonly resource: pulumi.Resource;
}

/**
 * Takes down what a component's children declare of the objects that the controller compares, whichever component makes them; and has each of them made after the declaration
 * is written. What a program doesn't know as plain text stands there as some value: what a declaration says must be known at preview.
 */
export class DeclarationRecorder {
  readonly recorded: Recorded[] = [];

  /**
   * @param written resolves with what holds the declaration, when all is recorded
   * @param trusted the same, of by what zones are trusted: that is known later, for the lists of revoked certificates are made of those
   * @param declaredAt what resources of the discovery backend's own declare
   */
  constructor(
    private readonly written: pulumi.Output<pulumi.Resource[]>,
    private readonly trusted: pulumi.Output<pulumi.Resource[]>,
    private readonly declaredAt: DiscoveryBackend["declaredOf"],
  ) {}

  /** A transformation of the component. */
  readonly transformation: pulumi.ResourceTransformation = ({ resource, type, props, opts }) => {
    const object = type.startsWith("kubernetes:") ? declaredOf(props) : this.declaredAt?.(type, props);
    if (object === undefined) return undefined;
    this.recorded.push({ object, resource });
    // Those are changed before the zones' namespaces are there, which hold the declaration.
    if (kindNamed(object.kind)?.class === "admission") return undefined;
    const after = pulumi.mergeOptions(opts, { dependsOn: this.written });
    return { props, opts: holdsTrust(object) ? pulumi.mergeOptions(after, { dependsOn: this.trusted }) : after };
  };
}

function holdsTrust({ fields }: DeclaredObject): boolean {
  return JSON.stringify(fields).includes(JSON.stringify(STANDING_FOR.trust));
}

/** What is declared of an object by a resource's inputs; undefined of a kind that is not compared, and of a declaration itself. */
export function declaredOf(inputs: Readonly<Record<string, unknown>>): DeclaredObject | undefined {
  const kind = typeof inputs.kind === "string" ? kindNamed(inputs.kind) : undefined;
  if (kind === undefined || inputs.apiVersion !== apiVersionOf(kind)) return undefined;
  const metadata = (inputs.metadata ?? {}) as {
    readonly name?: unknown;
    readonly namespace?: unknown;
    readonly labels?: Readonly<Record<string, unknown>>;
  };
  const { name, namespace, labels = {} } = metadata;
  if (typeof name !== "string" || (namespace !== undefined && typeof namespace !== "string")) return undefined;
  if (Object.hasOwn(labels, DECLARATION.label)) return undefined;
  const texts = Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return {
    kind: kind.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    labels: Object.fromEntries(texts),
    fields: fieldsOf(kind, name, inputs),
  };
}

function fieldsOf(
  kind: DeclaredKind,
  name: string,
  inputs: Readonly<Record<string, unknown>>,
): DeclaredObject["fields"] {
  const given = kind.fields.filter((field) => inputs[field] !== undefined);
  const isFiles = kind.class === "configuration";
  return Object.fromEntries(
    given.map((field) => [field, isFiles ? filesOf(name, inputs[field]) : plain(inputs[field])] as const),
  );
}

/** Files are told by their digests: what they hold is the sidecars' to read. */
function filesOf(name: string, data: unknown): Json {
  if (typeof data !== "object" || data === null || pulumi.Output.isInstance(data)) return { [STANDING_FOR.any]: true };
  return Object.fromEntries(
    Object.entries(data).map(([file, text]: [string, unknown]): readonly [string, Json] => {
      if (typeof text === "string") return [file, { [STANDING_FOR.digest]: textDigest(text) }];
      const [, zone] = /^([a-z]+)\.yaml$/.exec(file) ?? [];
      const isTrust = name.endsWith("-trust") && zone !== undefined;
      return [file, isTrust ? { [STANDING_FOR.trust]: zone } : { [STANDING_FOR.any]: true }];
    }),
  );
}

function plain(value: unknown): Json {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  if (Array.isArray(value)) return (value as readonly unknown[]).map((item) => plain(item));
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return { [STANDING_FOR.any]: true };
  if (typeof value !== "object") return null;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([key, field]: [string, unknown]) => [key, plain(field)]));
}
