/** What zod says about the shape of a document, in the words of the document's author. */
import type { z } from "zod";
import { show, type Path, type Report } from "./problems";
import { meshDocumentSchema } from "../schema";
import { didYouMean, listed } from "./suggest";

type Issue = z.core.$ZodIssue;

/**
 * Reports every problem of shape.
 *
 * @returns the document with its defaults, or undefined when there was any problem
 */
export function checkShape(value: unknown, raw: (path: Path) => unknown, report: Report) {
  const result = meshDocumentSchema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    reportIssue(issue, path, raw(path), report);
  }
  return undefined;
}

function reportIssue(issue: Issue, path: Path, value: unknown, report: Report): void {
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = knownKeys(path);
      for (const key of issue.keys) {
        report(
          [...path, key],
          `the key ${show(key)} is unknown`,
          didYouMean(key, known, `known keys: ${listed(known)}`),
        );
      }
      return;
    }
    case "invalid_value": {
      const allowed = issue.values.map(String);
      const message = value === undefined ? "this is missing" : `${show(value)} is not ${listed(allowed)}`;
      report(path, message, didYouMean(value, allowed, `write ${listed(allowed)}`));
      return;
    }
    case "invalid_type":
      if (value === undefined) report(path, "this is missing", `write ${KINDS[issue.expected] ?? issue.expected}`);
      else if (OWN_WORDS.has(issue.expected)) report(path, ...halves(issue.message));
      else report(path, `${kindOf(value)} stands here`, `write ${KINDS[issue.expected] ?? issue.expected}`);
      return;
    case "invalid_union":
      report(path, `${show(value)} is no name of a port and no port number`, "write one of them");
      return;
    case "invalid_key":
      report(path, ...wrongKey(issue.issues[0], path.at(-1)));
      return;
    default:
      report(path, ...halves(issue.message, value));
  }
}

/** A key of a map: a version or a header has words of its own, a variable has none. */
function wrongKey(issue: Issue | undefined, key: unknown): [message: string, mend: string] {
  return issue?.message.includes("; ") === true
    ? halves(issue.message, key)
    : [`${show(key)} is no name for a variable`, "use letters, digits and '_'"];
}

/** Types whose schema brings its own words. */
const OWN_WORDS: ReadonlySet<string> = new Set(["int"]);

const KINDS: Readonly<Record<string, string>> = {
  string: "text (in quotes, where it looks like a number or a truth value)",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys and values",
  record: "a map of keys and values",
};

function kindOf(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return `${typeof value === "string" ? "the text" : typeof value === "number" ? "the number" : "the value"} ${show(value)}`;
}

/** `what is wrong; mend`, as the schema's own texts are written. */
function halves(text: string, value?: unknown): [message: string, mend: string] {
  const [message = text, mend = "see docs/configuration.md"] = text.split("; ", 2);
  const simple = typeof value === "string" || typeof value === "number";
  return [simple ? `${message} (${show(value)})` : message, mend];
}

/** The keys that the schema knows at a path. */
function knownKeys(path: Path): readonly string[] {
  let schema: unknown = meshDocumentSchema;
  for (const step of path) {
    const inner = unwrap(schema);
    schema = typeof step === "number" ? inner?.element : inner?.shape?.[step];
  }
  return Object.keys(unwrap(schema)?.shape ?? {});
}

interface SchemaNode {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly innerType?: unknown;
}

/** The schema inside `default`, `prefault` and `optional`. */
function unwrap(schema: unknown): SchemaNode | undefined {
  let node = definitionOf(schema);
  while (node?.innerType !== undefined) node = definitionOf(node.innerType);
  return node;
}

function definitionOf(schema: unknown): SchemaNode | undefined {
  if (typeof schema !== "object" || schema === null || !("def" in schema)) return undefined;
  return schema.def as SchemaNode;
}
