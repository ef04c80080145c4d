/** What the commands know: the document and the stack's configuration, read like the Pulumi program reads them. */
import type { Command } from "commander";
import { CORE_SCHEMA, YAMLException, load } from "js-yaml";
import { existsSync, readFileSync } from "node:fs";
import { DeclarationError, readDeclaration, type Declaration } from "../components/stack/declaration";
import { readSource } from "../mesh/document/source";
import { CliError } from "./exit-status";

/** A declaration, and where in its document things stand. */
export interface Project extends Declaration {
  /** `mesh.yaml:47`, the line of an edge's declaration, or of something in it; the source itself where it stands in no document. */
  readonly placeOf: (source: string, ...steps: readonly string[]) => string;
}

/**
 * Reads the project that the command line names. From then on the working directory is the project's, as it is in a Pulumi program.
 *
 * @param now the time, as `Date.prototype.toISOString` writes it: calls that have ended are set apart, as in a deployment; without it none is
 * @throws CliError with everything that is wrong
 */
export function readProject(command: Command, now?: string): Project {
  const { cwd } = command.optsWithGlobals<{ cwd: string }>();
  try {
    process.chdir(cwd);
  } catch {
    throw new CliError(`${cwd} is no folder; name the Pulumi project by --cwd`);
  }
  return readStack(stackOf(command), now);
}

/** The stack that the command line names. */
export function stackOf(command: Command): string {
  return command.optsWithGlobals<{ stack: string }>().stack;
}

/**
 * Reads what a stack of the project in the working directory declares.
 *
 * @param document another document than the stack's own
 * @param file another configuration than `Pulumi.<stack>.yaml`
 * @throws CliError with everything that is wrong
 */
export function readStack(stack: string, now?: string, document?: string, file?: string): Project {
  const settings = stackSettings(file ?? `Pulumi.${stack}.yaml`);
  try {
    const declaration = readDeclaration({ ...settings, ...(document === undefined ? {} : { document }) }, now);
    return { ...declaration, placeOf: placesIn(declaration.text, declaration.settings.document) };
  } catch (error) {
    if (error instanceof DeclarationError) throw new CliError(error.message);
    throw error;
  }
}

/** A stack's values in the project's namespace, as text, as Pulumi hands them to a program. */
function stackSettings(file: string): Record<string, string> {
  const project = readMap("Pulumi.yaml", "name the Pulumi project by --cwd");
  const prefix = `${typeof project.name === "string" ? project.name : ""}:`;
  const { config } = readMap(file, "name another stack by --stack, or write it (docs/configuration.md)");
  return Object.fromEntries(
    Object.entries(isMap(config) ? config : {})
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

function readMap(file: string, mend: string): Readonly<Record<string, unknown>> {
  if (!existsSync(file)) throw new CliError(`${file} is missing; ${mend}`);
  try {
    const value = load(readFileSync(file, "utf8"), { schema: CORE_SCHEMA });
    if (isMap(value)) return value;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new CliError(`${file} is not YAML that can be read: ${error.reason}; mend the text there`);
  }
  throw new CliError(`${file} holds no map; ${mend}`);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function placesIn(text: string, file: string): Project["placeOf"] {
  const source = readSource(text, () => undefined);
  const root = isMap(source?.value) ? source.value.services : undefined;
  const names = (Array.isArray(root) ? root : []).map((service: unknown) =>
    isMap(service) ? service.name : undefined,
  );
  return (place, ...steps) => {
    const match = /^(authentication)$|^services\.([a-z0-9-]+)(?:\.(calls|ports)\[(\d+)\])?$/.exec(place);
    if (match === null || source === undefined) return place;
    const [, part, name, list, index] = match;
    const service = ["services", names.indexOf(name), ...(list === undefined ? [] : [list, Number(index)])];
    const path = [...(part === undefined ? service : [part]), ...steps];
    const line = source.lineOf(path);
    return line === undefined ? file : `${file}:${line}`;
  };
}
