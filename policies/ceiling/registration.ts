/** What the ceiling lets be done at the discovery backends, as the proof is told. */
import type { DiscoveryLeave } from "./lucid";
import { ceilingAllows, isMember } from "./edges";
import { KEEPER } from "../etcd/keeper";
import { partyName } from "../reachability";
import type { BackendName, Entitlement, RegistrationDeclaration } from "../reachability/registration";

/** Where each backend is asked: who may not reach it there, registers nobody. */
const APIS: Readonly<Record<BackendName, { readonly party: string; readonly port: string }>> = {
  consul: { party: "mesh/consul", port: "8501/TCP" },
  etcd: { party: "mesh/etcd", port: "2379/TCP" },
};
/** Who may do everything there: Consul's servers start from such a token, and etcd's keeper gives the others their rights. */
const ROOTS: Readonly<Record<BackendName, string>> = { consul: "mesh/consul", etcd: `mesh/${KEEPER}` };

/**
 * The ceiling as an upper bound, at each backend: who may reach its API registers the members of one zone by one credential, and who stands beside the mesh
 * looks names up and keeps its own nodes. Who takes snapshots of Consul writes its ACLs, which Consul asks of it, and who compares them reads them. Nobody else has any right there.
 */
export function registrationBounds(ceiling: DiscoveryLeave): readonly RegistrationDeclaration[] {
  const services = new Map(
    Object.entries(ceiling.members).flatMap(([zone, members]) =>
      members.map((member) => [member, partyName(zone, member)] as const),
    ),
  );
  return (["consul", "etcd"] as const).map((backend) => ({
    backend,
    entitlements: entitlementsOf(backend, ceiling),
    services,
    atMost: true,
  }));
}

function entitlementsOf(backend: BackendName, ceiling: DiscoveryLeave): Entitlement[] {
  const root = ROOTS[backend];
  const parties = Object.entries(ceiling.members).flatMap(([zone, members]) =>
    members.map((member) => `${zone}/${member}`),
  );
  const { party, port } = APIS[backend];
  const registrars = parties.filter(
    (candidate) =>
      !Object.hasOwn(ceiling.infrastructure, candidate) && ceilingAllows(candidate, party, port, "egress", ceiling),
  );
  // Who is root there gives the others their rights, and so has their passwords.
  const holders = [...registrars, ...(backend === "etcd" && isMember(root, ceiling) ? [root] : [])];
  return [
    ...Object.entries(ceiling.members).map(([zone, members]): Entitlement => ({
      ...NOTHING,
      title: `registers members of zone ${zone}`,
      word: zone,
      holders: holders.map(named),
      registers: new Set(members),
      nodePrefixes: [`lucid-${zone}-`],
      readsAll: true,
    })),
    ...Object.keys(ceiling.infrastructure).map((member): Entitlement => ({
      ...NOTHING,
      title: `looks names up for ${named(member)}`,
      word: serviceOf(member),
      holders: [named(member)],
      nodePrefixes: [`${serviceOf(member)}-`],
      readsAll: true,
    })),
    ...(backend === "consul" ? Object.keys(ceiling.snapshotTakers) : []).map((member): Entitlement => ({
      ...NOTHING,
      title: "takes snapshots",
      word: "snapshots",
      holders: [named(member)],
      writesAcls: true,
    })),
    ...(backend === "consul" ? Object.keys(ceiling.aclReaders) : []).map((member): Entitlement => ({
      ...NOTHING,
      title: "compares ACLs with what was declared",
      word: "acl-reader",
      holders: [named(member)],
      readsAcls: true,
    })),
    { ...NOTHING, title: "does everything", word: "root", holders: [named(root)], isRoot: true },
  ];
}

const NOTHING = {
  registers: new Set<string>(),
  nodePrefixes: [],
  readsAll: false,
  writesAcls: false,
  readsAcls: false,
  isRoot: false,
  isRequired: false,
} as const;

function named(member: string): string {
  return partyName(member.slice(0, member.indexOf("/")), serviceOf(member));
}

function serviceOf(member: string): string {
  return member.slice(member.indexOf("/") + 1);
}
