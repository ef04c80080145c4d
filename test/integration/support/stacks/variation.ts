/** The deployed mesh, changed as its users change it: by another document or other settings, and `pulumi up`. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { dump, load } from "js-yaml";
import { checkoutDir } from "../../../../dev/paths";
import type { MeshDocument } from "../../../../mesh";
import { pulumi } from "../pulumi";

/** A document as a person writes it: what has a default may be missing. */
export interface WrittenDocument {
  zones: Record<string, { members: string[] }>;
  services: WrittenService[];
  [key: string]: unknown;
}
export interface WrittenService {
  name: string;
  plane: MeshDocument["services"][number]["plane"];
  calls?: WrittenCall[];
  [key: string]: unknown;
}
export interface WrittenCall {
  service: string;
  ports?: string[];
  [key: string]: unknown;
}

/** A change of the declared mesh. */
export interface Variation {
  readonly document?: (document: WrittenDocument) => void;
  /** Keys of the stack's configuration, without the project's prefix. */
  readonly config?: Readonly<Record<string, string>>;
  /** Configuration of the policy pack, as CrossGuard reads it from a file. */
  readonly policyConfig?: Readonly<Record<string, unknown>>;
}

const FOLDER = path.join(checkoutDir, ".state", "variation");

/**
 * Deploys the document of the checkout with a change. What the stack's committed configuration says is not touched.
 *
 * @throws Error with Pulumi's output, where `up` fails
 */
export async function deploy(variation: Variation): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  const document = load(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8")) as WrittenDocument;
  variation.document?.(document);
  const documentFile = path.join(FOLDER, "mesh.yaml");
  writeFileSync(documentFile, dump(document, { lineWidth: -1, noRefs: true }));
  const config = { document: path.relative(checkoutDir, documentFile), ...variation.config };
  const policyFile = path.join(FOLDER, "policies.json");
  writeFileSync(policyFile, JSON.stringify(variation.policyConfig ?? {}));
  return up(
    ...Object.entries(config).flatMap(([key, value]) => ["--config", `lucid-mesh:${key}=${value}`]),
    ...(variation.policyConfig === undefined ? [] : ["--policy-pack-config", policyFile]),
  );
}

/** Deploys what the checkout declares. */
export async function deployDeclared(): Promise<string> {
  return up();
}

async function up(...args: string[]): Promise<string> {
  const { status, output } = await pulumi(
    "up",
    "--yes",
    "--skip-preview",
    "--non-interactive",
    "--policy-pack",
    "policies",
    ...args,
  );
  if (status !== 0) throw new Error(`pulumi up failed:\n${output}`);
  return output;
}

/** A service of the document that a change is made to. */
export function written(document: WrittenDocument, name: string): WrittenService {
  const found = document.services.find((service) => service.name === name);
  if (found === undefined) throw new Error(`the document has no service ${name}`);
  return found;
}
