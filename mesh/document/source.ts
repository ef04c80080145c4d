/** YAML text as plain data, with the line of every value: the only place that knows YAML. */
import { constructFromEvents, EVENT_ID, getScalarValue, parseEvents, YAMLException, type Event } from "js-yaml";
import type { Path, Report } from "./problems";
import { show } from "./problems";

/** Larger documents are refused unread; a thousand services take about one MiB. */
export const MAX_DOCUMENT_LENGTH = 16 * 1024 * 1024;

/** What the text says, and where. */
export interface Source {
  readonly value: unknown;
  /** The line (from 1) of the value at a path, or of the nearest value around it. */
  lineOf(path: Path): number | undefined;
}

/**
 * Reads one YAML document (YAML 1.2 core schema: no dates, no merge keys). Never throws: whatever is wrong is reported.
 * Aliases are refused, because nested ones expand without bound and because what stands in the document should be what is read.
 *
 * @returns undefined when the text can't be understood at all
 */
export function readSource(text: string, report: Report): Source | undefined {
  if (text.length > MAX_DOCUMENT_LENGTH) {
    report([], `the document has ${String(text.length)} characters`, `keep it below ${String(MAX_DOCUMENT_LENGTH)}`);
    return undefined;
  }
  try {
    const events = parseEvents(text, { maxDepth: 50 });
    const walked = walk(text, events);
    const source = { lineOf: walked.lineOf };
    for (const fault of walked.faults) report(fault.path, fault.message, fault.mend, fault.line);
    if (walked.hasAliases) return undefined;
    const documents = constructFromEvents(events, { source: text, json: true, maxAliases: 0 });
    if (documents.length !== 1) {
      report(
        [],
        documents.length === 0 ? "the document is empty" : `the file holds ${String(documents.length)} documents`,
        "write one document with apiVersion, zones and services",
      );
      return undefined;
    }
    return { ...source, value: documents[0] };
  } catch (error) {
    const reason = error instanceof YAMLException ? error.reason : String(error);
    const mark = error instanceof YAMLException ? error.mark : undefined;
    const line = mark === undefined ? undefined : mark.line + 1;
    report([], `this is not YAML that can be read: ${reason}`, "mend the text there", line);
    return undefined;
  }
}

interface Fault {
  readonly path: Path;
  readonly line: number;
  readonly message: string;
  readonly mend: string;
}

/** A collection being walked. `key` is the key whose value comes next, or undefined when a key comes next. */
interface Frame {
  readonly path: Path;
  readonly keys?: Map<string, number>;
  key?: string;
  index: number;
}

/** One pass over the events: lines of all values, keys said twice, aliases. */
function walk(text: string, events: readonly Event[]) {
  const lineAt = lineFinder(text);
  const lines = new Map<string, number>();
  const faults: Fault[] = [];
  let hasAliases = false;
  const stack: (Frame | undefined)[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      stack.push({ path: [], index: -1 });
      continue;
    }
    if (event.type === EVENT_ID.POP) {
      stack.pop();
      continue;
    }
    const frame = stack.at(-1);
    const offset =
      event.type === EVENT_ID.SCALAR
        ? event.valueStart
        : event.type === EVENT_ID.ALIAS
          ? event.anchorStart
          : event.start;
    if (frame?.keys !== undefined && frame.key === undefined && event.type === EVENT_ID.SCALAR) {
      const key = getScalarValue(text, event);
      frame.key = key;
      const path = [...frame.path, key];
      const line = lineAt(offset);
      const first = frame.keys.get(key);
      if (first === undefined) {
        frame.keys.set(key, line);
        lines.set(pointer(path), line);
      } else {
        const message = `the key ${show(key)} stands twice (first on line ${String(first)})`;
        faults.push({ path, line, message, mend: "keep one of them" });
      }
      if (key === "__proto__")
        faults.push({ path, line, message: `the key ${show(key)} is refused`, mend: "rename it" });
      continue;
    }
    const path = frame === undefined ? [] : nextPath(frame);
    if (!lines.has(pointer(path)) && offset >= 0) lines.set(pointer(path), lineAt(offset));
    if (event.type === EVENT_ID.ALIAS) {
      hasAliases = true;
      const message = `the alias *${text.slice(event.anchorStart, event.anchorEnd)} is refused`;
      faults.push({ path, line: lineAt(offset), message, mend: "write the value out" });
    } else if (event.type === EVENT_ID.MAPPING) {
      stack.push({ path, keys: new Map(), index: 0 });
    } else if (event.type === EVENT_ID.SEQUENCE) {
      stack.push({ path, index: 0 });
    }
  }
  const lineOf = (path: Path): number | undefined => {
    for (let length = path.length; length >= 0; length--) {
      const line = lines.get(pointer(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  };
  return { lineOf, faults, hasAliases };
}

/** Path of the next value in a collection (or of the document's root, whose frame has index -1). */
function nextPath(frame: Frame): Path {
  if (frame.index < 0) return frame.path;
  if (frame.keys === undefined) return [...frame.path, frame.index++];
  const key = frame.key ?? "?";
  frame.key = undefined;
  return [...frame.path, key];
}

function pointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Line (from 1) of an offset, by binary search. */
function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
