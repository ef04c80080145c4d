/** Texts of a resource that are documents themselves: each field of theirs is a field of the resource. */
import { CORE_SCHEMA, dump, load } from "js-yaml";
import { kindOf } from "../../../policies/kubernetes/object";
import type { Plain } from "../../../policies/judgement/plain";
import type { Spec } from "./plan";
import type { Path } from "./place";

/** How a text is read as a document, and written again. */
export interface Format {
  readonly read: (text: string) => Plain;
  readonly write: (document: Plain) => string;
}

const YAML: Format = {
  read: (text) => load(text, { schema: CORE_SCHEMA }) as Plain,
  write: (document) => dump(document, { noRefs: true, schema: CORE_SCHEMA }),
};
const JSON_TEXT: Format = {
  read: (text) => JSON.parse(text) as Plain,
  write: (document) => JSON.stringify(document),
};
const LINES: Format = {
  read: (text) => text.split("\n"),
  write: (document) => (document as readonly string[]).join("\n"),
};
/** PEM blocks, one an element. */
const BLOCKS: Format = {
  read: (text) => text.split(/(?<=-----END [A-Z0-9 ]+-----\n)/),
  write: (document) => (document as readonly string[]).join(""),
};

/** The format of the text at a path of a resource; undefined for a text that is nothing but text. */
export function formatAt({ type, inputs }: Spec, path: Path, text: string): Format | undefined {
  if (text.startsWith("-----BEGIN ")) return BLOCKS;
  const [first, second, ...rest] = path;
  const kind = kindOf(type)?.kind ?? "";
  if (rest.length === 0 && (kind === "ConfigMap" || kind === "Secret") && typeof second === "string") {
    if (isSidecars(inputs)) return undefined;
    if (second.endsWith(".yaml")) return YAML;
    if (second.endsWith(".json")) return JSON_TEXT;
    if (second === "Corefile") return LINES;
  }
  if (type === "consul:index/aclPolicy:AclPolicy" && first === "rules" && second === undefined) return LINES;
  const isData = kind === "ValidatingAdmissionPolicy" && path[1] === "variables" && path.at(-1) === "expression";
  return isData && isJson(text) ? JSON_TEXT : undefined;
}

/** Files of sidecars are changed field by field in `reachability/envoy/mutations.test.ts`. */
function isSidecars({ metadata }: Spec["inputs"]): boolean {
  const { name } = metadata as { readonly name?: Plain };
  return typeof name === "string" && name.endsWith("-envoy");
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}
