import type { Field } from "../judgement/field";
import { checkCondition } from "./condition";
import type { AcceptedPeers } from "./tls";
import type { Scope } from "./scope";
import { partyOfIdentity } from "./scope";
import { closedKeys } from "./shape";
import { namesOnlyIdentityOf } from "./single-identity";
import { namesTokenOf } from "./token";

/** Permissions that say something about the request. `any` and negations are not among them. */
const PERMISSIONS = ["requested_server_name", "header", "url_path", "and_rules", "or_rules"];

/**
 * Checks an RBAC filter (of HTTP or of connections): it allows by name, and nobody whom the TLS context would not let in. An absent `rules` would
 * allow everything, so would a principal or permission `any`.
 */
export function checkRbac(config: Field, peers: AcceptedPeers | undefined, scope: Scope): void {
  const { findings } = scope;
  closedKeys(
    config,
    [
      "@type",
      "rules",
      "stat_prefix",
      "track_per_rule_stats",
      "shadow_rules",
      "rules_stat_prefix",
      "shadow_rules_stat_prefix",
    ],
    findings,
  );
  const rules = config.at("rules");
  closedKeys(rules, ["action", "policies"], findings);
  findings.require(
    rules.at("action").is("ALLOW"),
    rules.at("action"),
    "the filter does not refuse what it does not name",
    "set action: ALLOW",
  );
  const policies = rules.at("policies").entries();
  findings.require(policies.length > 0, rules.at("policies"), "the filter names no policy", "name one for each caller");
  for (const [, policy] of policies) {
    closedKeys(policy, ["permissions", "principals", "condition"], findings);
    checkCondition(policy.at("condition"), scope);
    checkAll(
      policy.at("permissions"),
      (permission) => {
        checkPermission(permission, scope);
      },
      scope,
    );
    checkAll(
      policy.at("principals"),
      (principal) => {
        checkPrincipal(principal, peers, scope);
      },
      scope,
    );
  }
}

function checkAll(list: Field, check: (item: Field) => void, { findings }: Scope): void {
  const items = list.items();
  findings.require(items.length > 0, list, "the policy names none", "name at least one");
  items.forEach(check);
}

function checkPermission(permission: Field, scope: Scope): void {
  const [kind, ...others] = permission.keys();
  if (kind === undefined || others.length > 0 || !PERMISSIONS.includes(kind)) {
    scope.findings.add(
      permission,
      `the permission is \`${[kind ?? "empty", ...others].join(", ")}\``,
      `say what may be asked, by ${PERMISSIONS.join(", ")}`,
    );
    return;
  }
  if (kind === "and_rules" || kind === "or_rules") {
    checkAll(
      permission.at(kind, "rules"),
      (rule) => {
        checkPermission(rule, scope);
      },
      scope,
    );
  }
  if (kind === "requested_server_name") closedKeys(permission.at(kind), ["exact"], scope.findings);
}

/** A principal is both factors of one party: the exact identity of its certificate, which names no other, and the subject of its token. */
function checkPrincipal(principal: Field, peers: AcceptedPeers | undefined, scope: Scope): void {
  closedKeys(principal, ["and_ids"], scope.findings);
  closedKeys(principal.at("and_ids"), ["ids"], scope.findings);
  const [certificate, token, uris, ...others] = principal.at("and_ids", "ids").items();
  const party = certificate === undefined ? undefined : partyOf(certificate, peers, scope);
  const both = party !== undefined && token !== undefined && others.length === 0 && namesTokenOf(token, party, scope);
  if (!both) {
    refuse(principal, scope);
    return;
  }
  scope.findings.require(
    uris !== undefined && namesOnlyIdentityOf(uris, party, scope),
    principal,
    "a certificate that names other identities besides is taken",
    "ask, third, by filter_state lucid.peer-uri-sans for the exact identity: it holds all URI SANs",
  );
}

/** The party whose certificate is asked for; undefined where that is no exact identity. */
function partyOf(principal: Field, peers: AcceptedPeers | undefined, scope: Scope): string | undefined {
  closedKeys(principal, ["authenticated"], scope.findings);
  const name = principal.at("authenticated", "principal_name");
  closedKeys(principal.at("authenticated"), ["principal_name"], scope.findings);
  closedKeys(name, ["exact"], scope.findings);
  const party = partyOfIdentity(name.at("exact").text() ?? "", scope.ceiling.datacenter?.name);
  if (party !== undefined && peers !== undefined && !peers.parties.includes(party)) {
    scope.findings.add(
      name,
      `the policy names ${party}, whom the filter chain's TLS does not let in`,
      "give both the same identities",
    );
  }
  return party;
}

function refuse(principal: Field, { findings }: Scope): void {
  findings.add(
    principal,
    "the policy admits more than exact identities, each with its own token",
    "name each caller by and_ids: authenticated.principal_name.exact, and the subject of its token",
  );
}
