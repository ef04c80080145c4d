/** From text to a document without problems. */
import { checkMeaning } from "../checks";
import { readDraft } from "./draft";
import { MeshDocumentError, type Path, type Problem, type Report } from "./problems";
import type { MeshDocument } from "../schema";
import { checkShape } from "./shape";
import { readSource, type Source } from "./source";

/**
 * Reads `mesh.yaml`.
 *
 * @param text the file's text
 * @param file its name, for messages
 * @throws MeshDocumentError with every problem of the document; nothing else, whatever the text
 */
export function parseDocument(text: string, file = "mesh.yaml"): MeshDocument {
  const findings = new Findings();
  const source = readSource(text, findings.report);
  const document = source === undefined ? undefined : check(source.value, findings);
  return findings.resultOf(document, file, source);
}

/**
 * Checks a document that was made by a program rather than read from a file.
 *
 * @throws MeshDocumentError with every problem of the document
 */
export function validateDocument(value: unknown, file = "document"): MeshDocument {
  const findings = new Findings();
  return findings.resultOf(check(value, findings), file);
}

function check(value: unknown, findings: Findings): MeshDocument | undefined {
  findings.root = value;
  const raw = (path: Path) => valueAt(value, path);
  const document = checkShape(value, raw, findings.report);
  checkMeaning(readDraft(value), raw, findings.report);
  return document;
}

/** Problems as they are found, before their places have names and lines. */
class Findings {
  root: unknown = undefined;
  private readonly found: { path: Path; message: string; mend: string; line?: number }[] = [];

  readonly report: Report = (path, message, mend, line) => {
    this.found.push({ path, message, mend, line });
  };

  /** The document, or every problem in the order of the document. */
  resultOf(document: MeshDocument | undefined, file: string, source?: Source): MeshDocument {
    if (document !== undefined && this.found.length === 0) return document;
    const names = pathNames(this.root);
    const problems = this.found.map(({ path, message, mend, line }): Problem => {
      const at = line ?? source?.lineOf(path);
      const problem = { path: names(path), message, mend };
      return at === undefined ? problem : { ...problem, line: at };
    });
    throw new MeshDocumentError(inOrder(problems), file);
  }
}

/** By line where lines are known, otherwise as found. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Writes paths as people do: a service by its name, where the name is unique and usable. */
function pathNames(root: unknown): (path: Path) => string {
  const services = valueAt(root, ["services"]);
  const names = (Array.isArray(services) ? services : []).map((service) => valueAt(service, ["name"]));
  const counts = new Map<unknown, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return (path) => {
    let text = "";
    path.forEach((step, index) => {
      const name = index === 1 && path[0] === "services" && typeof step === "number" ? names[step] : undefined;
      if (typeof name === "string" && counts.get(name) === 1 && /^[a-z0-9-]+$/.test(name)) text += `.${name}`;
      else if (typeof step === "number") text += `[${String(step)}]`;
      else text += text === "" ? step : `.${step}`;
    });
    return text === "" ? "document" : text.replace(/\p{Cc}/gu, "?");
  };
}

/** The value at a path, own properties only. */
function valueAt(root: unknown, path: Path): unknown {
  let value: unknown = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
