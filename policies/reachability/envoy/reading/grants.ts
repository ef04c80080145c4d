import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { Grant } from "../model";
import type { Owned } from "./owner";
import type { PathPattern, RequestRule } from "../requests";
import { must, partyIn } from "./messages";
import { isTarget, methodOf, targetOf } from "./routes";

/** What an RBAC filter of a filter chain allows. The form has proven that it allows by name alone, both factors of each. @throws Unjudgeable */
export function grantsOf(rbac: Field, serverName: string, { title, datacenter }: Owned): Grant[] {
  for (const key of ["shadow_rules", "shadow_rules_stat_prefix"])
    must(!rbac.has(key), rbac.at(key), "rules that are not enforced look like rules", "take them out");
  return rbac
    .at("rules", "policies")
    .entries()
    .flatMap(([, policy]) => {
      const permissions = policy.at("permissions").items();
      const rules = permissions.flatMap((permission) => rulesOf(permission, serverName));
      const until = endOf(policy.at("condition"));
      // Nothing is left of a permission for another server name: a policy of a foreign chain allows nothing here.
      if (rules.length === 0) return [];
      return policy
        .at("principals")
        .items()
        .map((principal) => ({
          place: { object: title, path: policy.path },
          party: partyIn(certificateOf(principal), datacenter),
          rules,
          until,
        }));
    });
}

function certificateOf(principal: Field): Field {
  const [certificate] = principal.at("and_ids", "ids").items();
  return (certificate ?? principal).at("authenticated", "principal_name", "exact");
}

/** The end of a grant. The form has proven that a condition is that and nothing else. */
function endOf(condition: Field): string | undefined {
  if (condition.isAbsent) return undefined;
  const [, instant] = condition.at("call_expr", "args").items();
  const [text] = instant?.at("call_expr", "args").items() ?? [];
  const end = requiredText(text?.at("const_expr", "string_value") ?? condition);
  must(!Number.isNaN(Date.parse(end)), condition, `${end} is no instant, so nobody is let in`, "name one that exists");
  return end;
}

/** What a permission allows behind one server name, as alternatives. @throws Unjudgeable */
function rulesOf(permission: Field, serverName: string): RequestRule[] {
  return alternatives(permission).flatMap((terms): RequestRule[] => {
    const names = terms.flatMap((term) => ("serverName" in term ? [term.serverName] : []));
    must(names.length > 0, permission, "the permission names no server name that it is for", "name it");
    if (names.some((name) => name !== serverName)) return [];
    const methods = terms.flatMap((term) => ("method" in term ? [term.method] : []));
    const paths = terms.flatMap((term) => ("path" in term ? [term.path] : []));
    must(paths.length <= 1, permission, "two paths must hold at once", "name one of them in each alternative");
    // A request has one method: two different ones never hold.
    if (new Set(methods).size > 1) return [];
    return [
      { ...(methods[0] === undefined ? {} : { methods: [methods[0]] }), ...(paths.length === 0 ? {} : { paths }) },
    ];
  });
}

type Term = { readonly serverName: string } | { readonly method: string } | { readonly path: PathPattern };

/** More alternatives than a document makes: `and_rules` of `or_rules` multiply. */
const MOST_ALTERNATIVES = 4096;

/** A permission as alternatives, each of which names all that must hold. */
function alternatives(permission: Field): readonly (readonly Term[])[] {
  const [kind = ""] = permission.keys();
  must(
    !kind.endsWith("_rules") || permission.at(kind).keys().join() === "rules",
    permission,
    "has a field that isn't modelled",
    "give rules alone",
  );
  switch (kind) {
    case "requested_server_name":
      return [[{ serverName: requiredText(permission.at(kind, "exact")) }]];
    case "header":
      return isTarget(permission.at(kind))
        ? [[{ path: { exact: targetOf(permission.at(kind)) } }]]
        : [[{ method: methodOf(permission.at(kind)) }]];
    case "url_path":
      return [[{ path: pathOf(permission.at(kind)) }]];
    case "or_rules":
      return permission.at(kind, "rules").items().flatMap(alternatives);
    case "and_rules": {
      let all: readonly (readonly Term[])[] = [[]];
      for (const rule of permission.at(kind, "rules").items()) {
        const each = alternatives(rule);
        must(all.length * each.length <= MOST_ALTERNATIVES, permission, "has too many alternatives", "write fewer");
        all = all.flatMap((terms) => each.map((further) => [...terms, ...further]));
      }
      return all;
    }
    default:
      throw new Unjudgeable(
        permission.path,
        `\`${kind}\` isn't modelled`,
        "take header, url_path and both of their sums",
      );
  }
}

function pathOf(matcher: Field): PathPattern {
  const path = matcher.at("path");
  const [kind, ...others] = path.keys();
  must(
    matcher.keys().join() === "path" && others.length === 0 && (kind === "exact" || kind === "prefix"),
    matcher,
    "a path is told by something else than itself or its beginning",
    "match it exact or by prefix",
  );
  const text = requiredText(path.at(kind ?? ""));
  return kind === "exact" ? { exact: text } : { prefix: text };
}
