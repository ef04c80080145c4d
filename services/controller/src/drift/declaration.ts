/** What was declared of a zone, as its ConfigMaps say. */
import { z } from "zod";
import {
  comparedKind,
  DECLARATION,
  declaredKey,
  textDigest,
  trustDigestAnnotation,
  type DeclaredObject,
} from "../../../../mesh/declarations/index.js";

const PART_NAME = new RegExp(`^${DECLARATION.prefix}\\d+$`);
const schema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    managedFields: z.array(z.object({ time: z.string().optional() })).optional(),
    creationTimestamp: z.string().optional(),
  }),
  data: z.record(z.string(), z.string()).optional(),
});
const declaredSchema = z.object({
  kind: z.string().refine((kind) => comparedKind(kind) !== undefined),
  namespace: z.string().optional(),
  name: z.string().min(1),
  labels: z.record(z.string(), z.string()),
  fields: z.record(z.string(), z.json()),
});

/** One ConfigMap of a declaration. */
export interface DeclarationPart {
  readonly name: string;
  readonly what: "objects" | "trust" | "done";
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** When it was written last: milliseconds since 1970. */
  readonly written: number;
}

/** @returns undefined of a ConfigMap that is none */
export function parsePart(object: unknown): DeclarationPart | undefined {
  const { metadata, data = {} } = schema.parse(object);
  const what = metadata.labels?.[DECLARATION.label];
  if (what !== "objects" && what !== "trust" && what !== "done") return undefined;
  const isNamed = what === "objects" ? PART_NAME.test(metadata.name) : metadata.name === DECLARATION[what];
  if (!isNamed) return undefined;
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)];
  const written = Math.max(0, ...times.map((time) => Date.parse(time ?? "")).filter((time) => !Number.isNaN(time)));
  return { name: metadata.name, what, data, annotations: metadata.annotations ?? {}, written };
}

/** What a zone's program declared, and how far it has come with it. */
export class ZoneDeclaration {
  private readonly entries: ReadonlyMap<string, string>;
  private readonly done: DeclarationPart | undefined;
  /** When what is declared was written last: milliseconds since 1970. */
  readonly written: number;

  constructor(private readonly parts: readonly DeclarationPart[]) {
    const objects = parts.filter(({ what }) => what === "objects");
    this.entries = new Map(objects.flatMap(({ data }) => Object.entries(data)));
    this.done = parts.find(({ what }) => what === "done");
    this.written = Math.max(0, ...objects.map(({ written }) => written));
  }

  /** Whether anything was declared at all. */
  get isThere(): boolean {
    return this.entries.size > 0;
  }

  /** Whether a program has come to its end with it, and is not about to take everything away. */
  get isWhole(): boolean {
    return this.isThere && this.done !== undefined;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  keys(): Iterable<string> {
    return this.entries.keys();
  }

  /** @throws ZodError, SyntaxError where what stands there is no declaration of the object */
  get(key: string): DeclaredObject | undefined {
    const text = this.entries.get(key);
    if (text === undefined) return undefined;
    const object = declaredSchema.parse(JSON.parse(text)) as DeclaredObject;
    if (declaredKey(object) !== key) throw new Error(`${key} declares ${declaredKey(object)}`);
    return object;
  }

  /** Whether an update changes the object at this moment, or died over it: what is declared is not what the last update ended with. */
  isChanging(key: string): boolean {
    const text = this.entries.get(key);
    return this.done?.data[key] !== (text === undefined ? undefined : textDigest(text));
  }

  /** Digest of the file by which sidecars trust a zone. */
  trust(zone: string): string | undefined {
    return this.annotation("trust", zone);
  }

  /** Whether an update changes by what a zone is trusted. */
  isTrustChanging(zone: string): boolean {
    return this.annotation("trust", zone) !== this.annotation("done", zone);
  }

  private annotation(what: DeclarationPart["what"], zone: string): string | undefined {
    return this.parts.find((part) => part.what === what)?.annotations[trustDigestAnnotation(zone)];
  }
}
