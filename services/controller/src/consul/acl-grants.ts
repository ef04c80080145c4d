/** What Consul's tokens and roles give, and by what name a token is known. Pure. */
import { tokenNameIn } from "../../../../mesh/consul.js";
import type { AccessObject } from "../registry/access.js";
import type { Granted, Stamp, Token } from "./acl-answers.js";
import type { Opening } from "./tokenless.js";

/** The token of whoever shows none. */
export const ANONYMOUS = { accessor: "00000000-0000-0000-0000-000000000002", name: "anonymous" } as const;
/** How Consul describes the token that its servers are configured with. */
const INITIAL_MANAGEMENT = "Initial Management Token";
const MANAGEMENT = "global-management";

type Grants = Record<"policies" | "roles" | "serviceIdentities" | "nodeIdentities" | "templatedPolicies", string[]>;

/**
 * What whoever shows no token may do: by the token of such, and by how servers are configured. What a server shows is what that token gives where it gives anything; what a server gives by
 * another token it gives besides.
 *
 * @param given what the token of such gives, if anything
 */
export function anonymousObject(given: AccessObject | undefined, openings: readonly Opening[]): AccessObject[] {
  const besides = openings.filter(({ token }) => given === undefined || token !== undefined);
  if (besides.length === 0) return given === undefined ? [] : [given];
  const what = besides.flatMap(({ token, shows }) => [
    ...(token === undefined ? [] : [`what token ${token} gives`]),
    ...shows,
  ]);
  const hosts = besides.map(({ host }) => host);
  const servers = hosts.length === 1 ? `server ${hosts.join()} is` : `servers ${hosts.join(", ")} are`;
  const gives = `${[...new Set(what)].sort().join(", ")} to whoever shows no token, by how ${servers} configured`;
  const version = JSON.stringify([given?.version, besides]);
  if (given !== undefined) return [{ ...given, version, gives: `${given.gives}, and ${gives}` }];
  return [{ kind: "AclToken", name: ANONYMOUS.name, version, fields: {}, gives }];
}

/**
 * Of several that bear one name the oldest has it: the others are somebody's own, and known by what Consul calls them. By the servers' own token the mesh's were made, so that no older one
 * of those is there.
 */
export function tokenObjects(tokens: readonly Token[]): AccessObject[] {
  const taken = new Set<string>();
  let isAnyMeshs = false;
  return [...tokens]
    .sort((one, other) => one.CreateIndex - other.CreateIndex)
    .flatMap((token) => {
      const name = nameOf(token);
      const isNamed = name !== undefined && !taken.has(name);
      if (isNamed) taken.add(name);
      const isMeshs = isNamed && tokenNameIn(token.Description) === name;
      if (isMeshs) isAnyMeshs = true;
      if (isNamed && name === INITIAL_MANAGEMENT && !isAnyMeshs && isAsMade(token)) return [];
      const object = granting("AclToken", isNamed && name !== INITIAL_MANAGEMENT ? name : token.AccessorID, token);
      return isMeshs || givesSomething(object) ? [object] : [];
    });
}

function nameOf({ AccessorID, Description }: Token): string | undefined {
  if (AccessorID === ANONYMOUS.accessor) return ANONYMOUS.name;
  return Description === INITIAL_MANAGEMENT ? INITIAL_MANAGEMENT : tokenNameIn(Description);
}

/** Whether the servers' own token may do what it must, and has nothing besides. */
function isAsMade(token: Token): boolean {
  const { policies, ...others } = grantsOf(token);
  return policies.length === 1 && policies[0] === MANAGEMENT && Object.values(others).every(isEmpty);
}

export function granting(
  kind: "AclRole" | "AclToken",
  name: string,
  granted: Granted & Stamp & { readonly CreateTime?: string },
): AccessObject {
  const fields = grantsOf(granted);
  const given = Object.entries(WORDS).flatMap(([field, word]) => {
    const names = fields[field as keyof Grants];
    return isEmpty(names) ? [] : [`${word} ${names.join(", ")}`];
  });
  const since = granted.CreateTime === undefined ? "" : `, since ${granted.CreateTime.replace(/\.\d+Z$/, "Z")}`;
  const whose = kind === "AclToken" && name === ANONYMOUS.name ? " to whoever shows no token" : since;
  return { kind, name, version: versionOf(granted), fields, gives: `${given.join(", ") || "nothing"}${whose}` };
}

function grantsOf({ Policies, Roles, ServiceIdentities, NodeIdentities, TemplatedPolicies }: Granted): Grants {
  return {
    policies: Policies.map(({ Name }) => Name).sort(),
    roles: Roles.map(({ Name }) => Name).sort(),
    serviceIdentities: ServiceIdentities.map(({ ServiceName, Datacenters }) => within(ServiceName, Datacenters)).sort(),
    nodeIdentities: NodeIdentities.map(({ NodeName, Datacenter }) => within(NodeName, [Datacenter])).sort(),
    templatedPolicies: TemplatedPolicies.map(({ TemplateName, TemplateVariables, Datacenters }) =>
      within(`${TemplateName} ${TemplateVariables?.name ?? ""}`.trim(), Datacenters),
    ).sort(),
  };
}

const WORDS: Readonly<Record<keyof Grants, string>> = {
  policies: "policy",
  roles: "role",
  serviceIdentities: "service identity",
  nodeIdentities: "node identity",
  templatedPolicies: "templated policy",
};

export function givesSomething({ fields }: AccessObject): boolean {
  return !Object.values(fields as Grants).every(isEmpty);
}

function within(name: string, places: readonly string[]): string {
  const named = places.filter((place) => place !== "");
  return isEmpty(named) ? name : `${name} in ${[...named].sort().join(" ")}`;
}

export function versionOf({ Hash, ModifyIndex }: Stamp): string {
  return `${String(ModifyIndex)}/${Hash}`;
}

function isEmpty(list: readonly unknown[]): boolean {
  return list.length === 0;
}
