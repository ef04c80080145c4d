/** One rule of a Consul ACL policy: `node_prefix "lucid-ops-" { policy = "write" }`. */
export interface AclRule {
  /** `service`, `node_prefix`, `operator`, … */
  readonly kind: string;
  /** What it is about; undefined for rules about everything of a kind (`operator = "read"`). */
  readonly name?: string;
  readonly policy: string;
}

const BLOCK = /^([a-z_]+)\s+"([^"\\]*)"\s*\{\s*policy\s*=\s*"([a-z]+)"\s*\}\s*/;
const WHOLE = /^([a-z_]+)\s*=\s*"([a-z]+)"\s*/;

/**
 * Reads Consul's ACL rule language (https://developer.hashicorp.com/consul/docs/security/acl/acl-rules) as far as the mesh speaks it: blocks with one `policy`
 * each, and rules about a whole kind. Undefined for any other text: comments, `intentions`, nested blocks, JSON.
 */
export function parseAclRules(text: string): readonly AclRule[] | undefined {
  const rules: AclRule[] = [];
  let rest = text.trimStart();
  while (rest !== "") {
    const [block, kind = "", name = "", policy = ""] = BLOCK.exec(rest) ?? [];
    const [whole, wholeKind = "", wholePolicy = ""] = WHOLE.exec(rest) ?? [];
    if (block !== undefined) rules.push({ kind, name, policy });
    else if (whole !== undefined) rules.push({ kind: wholeKind, policy: wholePolicy });
    else return undefined;
    rest = rest.slice((block ?? whole ?? "").length);
  }
  return rules;
}
