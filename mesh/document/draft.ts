/**
 * The document read leniently, so that the checks of meaning run on a document whose shape is wrong too and all problems come at once.
 * A value of the wrong type is undefined here: the schema has reported it, and no check says anything about it again. Indices are those of the
 * document.
 */
import { z } from "zod";
import { ZONES, type ZoneName } from "../model";
import { callTraffic, documentTraffic, JOB_KINDS, METHODS, PROTOCOLS, serviceTraffic } from "../schema";

const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

/** A list whose unusable elements keep their places. */
function list<T extends z.ZodType>(element: T) {
  return z.array(element).optional().catch(undefined);
}

const rule = z.object({
  methods: list(z.enum(METHODS).optional().catch(undefined)),
  paths: list(text),
  grpc: list(text),
});

const route = z
  .object({ version: text, methods: list(text), paths: list(text), headers: z.unknown().optional() })
  .catch({});

const call = rule
  .extend({
    service: text,
    ports: list(text),
    reason: text,
    rules: list(rule.optional().catch(undefined)),
    traffic: callTraffic.optional().catch(undefined),
    weights: z.record(z.string(), number).optional().catch(undefined),
    routes: list(route),
  })
  .catch({});

const endUserRule = rule.extend({ anonymous: flag, claims: z.unknown().optional() });

const endUsers = z.object({
  jwks: z
    .object({ keys: list(z.unknown()) })
    .optional()
    .catch(undefined),
  jwksFile: z.unknown().optional(),
  header: text,
  cookie: z.unknown().optional(),
  forwardToken: flag,
  rules: list(endUserRule.optional().catch(undefined)),
});

const port = z
  .object({
    name: text,
    port: number,
    protocol: z.enum(PROTOCOLS).default("http").optional().catch(undefined),
    dialPort: number,
    endUsers: endUsers.optional().catch(undefined),
    askAuthentication: flag,
  })
  .catch({});

const resources = z.object({
  requests: z.object({ memory: text }).optional().catch(undefined),
  limits: z.object({ memory: text }).optional().catch(undefined),
});

const version = z
  .object({
    name: text,
    image: text,
    replicas: number,
    weight: number,
    resources: resources.optional().catch(undefined),
  })
  .catch({});

const workload = z
  .object({
    kind: z.enum(JOB_KINDS).optional().catch(undefined),
    schedule: z.unknown().optional(),
    timeZone: z.unknown().optional(),
    concurrencyPolicy: z.unknown().optional(),
    completions: number,
    parallelism: number,
  })
  .optional()
  .catch({});

const external = z
  .object({
    addresses: list(text),
    tls: z
      .object({ names: list(text), serverName: text, alpn: list(text) })
      .optional()
      .catch({}),
    plaintext: z.unknown().optional(),
    health: z.object({ port: text }).optional().catch(undefined),
  })
  .optional()
  .catch({});

const datacenter = z
  .object({
    gateway: z
      .object({ addresses: list(text) })
      .optional()
      .catch(undefined),
    calls: list(z.object({ datacenter: text }).catch({})),
  })
  .catch({});

const service = z
  .object({
    name: text,
    plane: z.enum(ZONES).optional().catch(undefined),
    component: flag,
    joinedBy: text,
    external,
    image: text,
    command: z.unknown().optional(),
    args: z.unknown().optional(),
    env: z.unknown().optional(),
    resources: resources.optional().catch(undefined),
    version: z.unknown().optional(),
    replicas: z.unknown().optional(),
    workload,
    versions: list(version),
    routes: list(route),
    ports: list(port),
    health: z
      .object({ path: text, port: z.union([z.string(), z.number()]).optional().catch(undefined) })
      .optional()
      .catch({}),
    metrics: z
      .object({ port: z.union([z.string(), z.number()]).optional().catch(undefined) })
      .optional()
      .catch({}),
    address: text,
    traffic: serviceTraffic.optional().catch(undefined),
    askAuthentication: flag,
    datacenters: list(text),
    failover: list(text),
    calls: list(call),
  })
  .catch({});

const draftSchema = z
  .object({
    zones: z
      .record(
        z.string(),
        z
          .object({ members: list(text) })
          .optional()
          .catch(undefined),
      )
      .optional()
      .catch(undefined),
    traffic: documentTraffic.optional().catch(undefined),
    authentication: z
      .object({ service: text, port: z.unknown().optional(), headers: list(text) })
      .optional()
      .catch(undefined),
    datacenters: z.record(z.string(), datacenter).optional().catch(undefined),
    services: list(service),
  })
  .catch({});

export type Draft = z.output<typeof draftSchema>;
export type DraftService = z.output<typeof service>;
export type DraftPort = z.output<typeof port>;
export type DraftCall = z.output<typeof call>;
export type DraftEndUsers = z.output<typeof endUsers>;
export type DraftEndUserRule = z.output<typeof endUserRule>;
export type DraftRule = z.output<typeof rule>;
export type DraftRoute = z.output<typeof route>;

/** What of a value can be understood as a document. Never throws. */
export function readDraft(value: unknown): Draft {
  return draftSchema.parse(value);
}

/** Whether a value as written is a map of keys and values. */
export function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The services of a draft with their places, those whose name is used twice included. */
export function draftServices(
  draft: Draft,
): readonly { readonly service: DraftService; readonly path: readonly ["services", number] }[] {
  return (draft.services ?? []).map((service, index) => ({ service, path: ["services", index] as const }));
}

/** The first service of each name. */
export function servicesByName(draft: Draft): ReadonlyMap<string, DraftService> {
  const found = new Map<string, DraftService>();
  for (const service of draft.services ?? []) {
    if (service.name !== undefined && !found.has(service.name)) found.set(service.name, service);
  }
  return found;
}

/** The closed list of a zone's members; undefined where it can't be read, so that nobody's absence from it is told. */
export function membersOf(draft: Draft, zone: ZoneName): readonly (string | undefined)[] | undefined {
  const { zones } = draft;
  if (zones === undefined) return undefined;
  if (!Object.hasOwn(zones, zone)) return [];
  const declared = zones[zone];
  return declared === undefined || Object.hasOwn(declared, "members") ? declared?.members : [];
}
