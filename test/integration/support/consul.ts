import { CONSUL, NODE_RESOLVER, WELL_KNOWN, ZONES, namespaceOf } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { ACCESSES } from "../../../policies/consul/acl/authorizer";
import type { ConsulItem, Credential, Item, Right } from "../../../policies/reachability/registration";
import { core, forward, podOf } from "./cluster";
import type { PodRef } from "./cluster";
import type { Listener } from "./discovery";

/** TCP ports of its servers, and who reaches which of them. */
export const SERVERS: readonly Listener[] = [
  {
    name: CONSUL.service,
    ports: [CONSUL.rpcPort, CONSUL.gossipPort, CONSUL.httpsPort],
    openTo: {
      [NODE_RESOLVER.service]: [CONSUL.rpcPort, CONSUL.gossipPort],
      [WELL_KNOWN.controller]: [CONSUL.httpsPort],
    },
  },
];
/** Those of its agents in the node resolvers' pods. */
export const IN_RESOLVERS: Omit<Listener, "name"> = {
  ports: [CONSUL.gossipPort],
  openTo: { [CONSUL.service]: [CONSUL.gossipPort] },
};

export interface ConsulAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks Consul's API, through a port-forward to a server's loopback. @param options `server`: which one; default: any */
export async function consul(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  options: { readonly token?: string; readonly body?: unknown; readonly server?: PodRef } = {},
): Promise<ConsulAnswer> {
  const at = options.server ?? (await podOf({ name: CONSUL.service, namespace: "lucid-mesh" }));
  const server = await forward(at, CONSUL.httpPort);
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { connection: "close", ...(options.token === undefined ? {} : { "x-consul-token": options.token }) },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    return { status: response.status, body: await response.text() };
  } finally {
    server.close();
  }
}

/** The token with which the controller registers a zone's services. */
export async function registrarToken(zone: ZoneName): Promise<string> {
  const { data } = await core.readNamespacedSecret({ name: "mesh-controller-tokens", namespace: "lucid-mesh" });
  const token = data?.[zone];
  if (token === undefined) throw new Error(`mesh-controller-tokens has no token for ${zone}`);
  return Buffer.from(token, "base64").toString();
}

/** Most questions that Consul takes at once. */
const AT_ONCE = 64;

/** Asks Consul itself what the token of a zone lets be done with items. Nothing is registered. */
export async function rightsOf(zone: ZoneName, items: readonly Item[]): Promise<readonly (readonly Right[])[]> {
  const token = await registrarToken(zone);
  const questions = (items as readonly ConsulItem[]).flatMap((item) =>
    ACCESSES.filter((access) => access !== "list" || item.kind === "key").map((access) => ({ item, access })),
  );
  const allowed = new Map<Item, Right[]>(items.map((item) => [item, []]));
  for (let first = 0; first < questions.length; first += AT_ONCE) {
    const asked = questions.slice(first, first + AT_ONCE);
    const { status, body } = await consul("POST", "/v1/internal/acl/authorize", {
      token,
      body: asked.map(({ item, access }) => ({ Resource: item.kind, Access: access, Segment: item.name })),
    });
    if (status !== 200) throw new Error(`Consul answered ${status}: ${body}`);
    for (const [index, { Allow }] of (JSON.parse(body) as { Allow: boolean }[]).entries()) {
      const question = asked[index];
      if (Allow && question !== undefined) allowed.get(question.item)?.push(question.access);
    }
  }
  return items.map((item) => allowed.get(item) ?? []);
}

/** Tells the credential of a zone among those that were computed. */
export async function credentialOf(
  zone: ZoneName,
  credentials: readonly Credential[],
): Promise<Credential | undefined> {
  const { body } = await consul("GET", "/v1/acl/token/self", { token: await registrarToken(zone) });
  const { AccessorID } = JSON.parse(body) as { AccessorID: string };
  return credentials.find(({ title }) => title.startsWith(`token ${AccessorID}`));
}

/** The token that may do everything, from what the servers start with. */
export async function managementToken(): Promise<string> {
  const { data } = await core.readNamespacedSecret({ name: `${CONSUL.service}-config`, namespace: "lucid-mesh" });
  const config = Buffer.from(data?.[`${CONSUL.service}-0.json`] ?? "", "base64").toString();
  const { acl } = JSON.parse(config) as { acl: { tokens: { initial_management: string } } };
  return acl.tokens.initial_management;
}

/** Consul's ACL objects, as \`mesh reachability --acl\` takes them. */
export async function credentials(): Promise<string | undefined> {
  const token = await managementToken();
  const ask = async (path: string) => {
    const { status, body } = await consul("GET", `/v1/acl/${path}`, { token });
    if (status !== 200) throw new Error(`Consul answered ${status} to ${path}`);
    return JSON.parse(body) as { ID: string }[];
  };
  const policies = await ask("policies");
  return JSON.stringify({
    policies: await Promise.all(policies.map(({ ID }) => ask(`policy/${ID}`))),
    roles: await ask("roles"),
    tokens: await ask("tokens"),
    authMethods: await ask("auth-methods"),
    bindingRules: await ask("binding-rules"),
  });
}

interface HealthEntry {
  readonly Service: {
    readonly Address: string;
    readonly Port: number;
    readonly ID: string;
    readonly Tags: readonly string[];
  };
}

/** Whether the token of a zone may register a service, on any zone's nodes. */
export async function mayRegister(zone: ZoneName, service: string): Promise<boolean> {
  const token = await registrarToken(zone);
  const statuses = await Promise.all(
    ZONES.map(async (owner) => {
      const body = {
        Node: `${namespaceOf(owner)}-intruder`,
        Address: "127.0.0.9",
        Service: { Service: service, Address: "127.0.0.9", Port: 1 },
      };
      return (await consul("PUT", "/v1/catalog/register", { token, body })).status;
    }),
  );
  return statuses.some((status) => status !== 403);
}

/** Passing instances of a service in the catalogue. */
export async function passingInstances(service: string, zone: ZoneName): Promise<HealthEntry["Service"][]> {
  const { status, body } = await consul("GET", `/v1/health/service/${service}?passing`, {
    token: await registrarToken(zone),
  });
  if (status !== 200) throw new Error(`Consul answered ${status}: ${body}`);
  return (JSON.parse(body) as HealthEntry[]).map((entry) => entry.Service);
}
