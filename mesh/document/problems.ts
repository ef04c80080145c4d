/** What is wrong with a document, said in a way that a person can act on. */

/** Place in the document as parsed: keys and list indices from the root. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a document. */
export interface Problem {
  /** Where: `services.admin-ui.calls[0].service`; a service without a usable name is `services[3]`. */
  readonly path: string;
  /** What is wrong, with the offending value. */
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
  /** Line in the file, from 1; absent where the document was not read from text. */
  readonly line?: number;
}

/** Takes one finding of a check. `line` only where it is not the line of the value at `path`. */
export type Report = (path: Path, message: string, mend: string, line?: number) => void;

/** So many problems are written into the message; `problems` holds all of them. */
const SHOWN = 100;

/** A document that was refused: every problem at once, in the order of the document. */
export class MeshDocumentError extends Error {
  override readonly name = "MeshDocumentError";

  /**
   * @param problems at least one
   * @param file name shown before each line number
   */
  constructor(
    readonly problems: readonly Problem[],
    readonly file = "mesh.yaml",
  ) {
    const count = problems.length === 1 ? "1 problem" : `${String(problems.length)} problems`;
    const lines = problems.slice(0, SHOWN).map((problem) => `  ${describeProblem(problem, file)}`);
    if (problems.length > SHOWN) lines.push(`  … and ${String(problems.length - SHOWN)} more`);
    super(`${file}: ${count}; nothing was planned\n${lines.join("\n")}`);
  }
}

/** `mesh.yaml:12 services.admin-ui.plane: what is wrong; mend`. */
export function describeProblem(problem: Problem, file: string): string {
  const place = problem.line === undefined ? "" : `${file}:${String(problem.line)} `;
  return `${place}${problem.path}: ${problem.message}; ${problem.mend}`;
}

/** A value as shown in a message: quoted, on one line, cut where it is long. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? `'${value.replace(/\p{Cc}/gu, "?")}'` : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…'` : text;
}
