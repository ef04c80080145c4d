/** How Consul's ACL objects are known again: agreed between who makes them and who compares them with what there is. */

/** Who reads Consul's ACLs to compare them: by this its policy, its token and the file that holds that are named, where the other files are named for zones. */
export const ACL_READER = "acl-reader";

const NAMED = /^(lucid-[a-z0-9-]{1,60}): /;

/** Name of the policy, and of the token that bears it, by which one has a role. */
export function aclNameOf(role: string): string {
  return `lucid-${role}`;
}

/** Description of a token. Consul makes up a token's identifier itself, so that this is what the token is known by: its name before the colon. */
export function tokenDescription(name: string, purpose: string): string {
  return `${name}: ${purpose}`;
}

/** The name in a token's description; undefined of a token that isn't the mesh's. */
export function tokenNameIn(description: string): string | undefined {
  return NAMED.exec(description)?.[1];
}
