/** End users as declared, resolved: keys read from where they stand, defaults filled in. */
import { keySetProblems, readKeySet, renderKeySet } from "./jwks";
import type { ClaimRequirement, EndUsers, TokenPlace } from "../model";
import { MeshDocumentError } from "../document/problems";
import type { EndUsersDeclaration, MeshDocument } from "../schema";

/** Texts of key set files by the paths at which the document names them. */
export type KeySets = Readonly<Record<string, string>>;

/** The key set files that a document names, each once, as written: whoever resolves it reads them first. */
export function keySetFiles({ services, datacenters = {} }: MeshDocument): readonly string[] {
  const files = services.flatMap(({ ports = [] }) => ports.flatMap((port) => port.endUsers?.jwksFile ?? []));
  return [...new Set([...files, ...Object.values(datacenters).map(({ tokens }) => tokens.jwksFile)])];
}

/**
 * Resolves the end users of one port.
 *
 * @param at path of the declaration in the document, for messages
 * @throws MeshDocumentError where the key set file is missing or can't be used
 */
export function resolveEndUsers(declaration: EndUsersDeclaration, keySets: KeySets, at: string): EndUsers {
  const [audience, ...audiences] = declaration.audiences;
  if (audience === undefined) throw wrong(`${at}.audiences`, "the list is empty", "name the service's own audience");
  return {
    issuer: declaration.issuer,
    audiences: [audience, ...audiences],
    keySet: renderKeySet(keysOf(declaration, keySets, at)),
    token: tokenPlace(declaration),
    forwardToken: declaration.forwardToken,
    forwardClaims: declaration.forwardClaims,
    clockSkewSeconds: declaration.clockSkewSeconds,
    claims: declaration.claims.map(requirement),
    rules: declaration.rules.map((rule) => ({
      methods: rule.methods ?? [],
      paths: rule.paths ?? [],
      anonymous: rule.anonymous,
      claims: rule.claims.map(requirement),
    })),
  };
}

function keysOf({ jwks, jwksFile }: EndUsersDeclaration, keySets: KeySets, at: string): readonly unknown[] {
  return jwksFile === undefined ? (jwks?.keys ?? []) : keysOfFile(jwksFile, keySets, `${at}.jwksFile`);
}

/**
 * The keys of a file that the document names.
 *
 * @param path of the name in the document, for messages
 * @throws MeshDocumentError where the file is missing or can't be used
 */
export function keysOfFile(jwksFile: string, keySets: KeySets, path: string): readonly unknown[] {
  const text = Object.hasOwn(keySets, jwksFile) ? keySets[jwksFile] : undefined;
  if (text === undefined) throw wrong(path, `the file '${jwksFile}' is not there`, "put it beside the document");
  const read = readKeySet(text);
  const [problem] = "problem" in read ? [read.problem] : keySetProblems(read.keys);
  if (problem !== undefined) {
    const place = problem.path.length === 0 ? "" : `, keys[${String(problem.path[0])}]`;
    const member = problem.path.slice(1).map((step) => `.${String(step)}`);
    throw wrong(path, `'${jwksFile}'${place}${member.join("")}: ${problem.message}`, problem.mend);
  }
  return "keys" in read ? read.keys : [];
}

function tokenPlace({ header, cookie }: EndUsersDeclaration): TokenPlace {
  if (cookie !== undefined) return { kind: "cookie", name: cookie };
  return header === undefined ? { kind: "bearer" } : { kind: "header", name: header };
}

function requirement({ claim, in: holders, values }: EndUsersDeclaration["claims"][number]): ClaimRequirement {
  const [outermost, ...inner] = holders ?? [];
  return { path: outermost === undefined ? [claim] : [outermost, ...inner, claim], values };
}

function wrong(path: string, message: string, mend: string): MeshDocumentError {
  return new MeshDocumentError([{ path, message, mend }], "document");
}
