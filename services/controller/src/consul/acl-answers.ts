/** What Consul tells of its ACLs (https://developer.hashicorp.com/consul/api-docs/acl), as far as it is compared. */
import { z } from "zod";

const orNone = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items): z.output<T>[] => items ?? []);
const text = z.string().default("");
const datacenters = orNone(z.string());
const index = z.number().int();
const link = z.object({ Name: z.string().default("?") });
const grants = {
  Policies: orNone(link),
  Roles: orNone(link),
  ServiceIdentities: orNone(z.object({ ServiceName: z.string(), Datacenters: datacenters })),
  NodeIdentities: orNone(z.object({ NodeName: z.string(), Datacenter: text })),
  TemplatedPolicies: orNone(
    z.object({
      TemplateName: z.string(),
      TemplateVariables: z.object({ name: text }).nullish(),
      Datacenters: datacenters,
    }),
  ),
};
const stamp = { Hash: text, ModifyIndex: index };

export const policiesSchema = z.array(
  z.object({ ...stamp, ID: z.string(), Name: z.string(), Datacenters: datacenters }),
);
export const policySchema = z.object({ ...stamp, Rules: text });
export const rolesSchema = z.array(z.object({ ...stamp, ...grants, Name: z.string() }));
export const tokensSchema = z.array(
  z.object({
    ...stamp,
    ...grants,
    AccessorID: z.string(),
    Description: text,
    AuthMethod: text,
    CreateTime: text,
    CreateIndex: index,
  }),
);
export const methodsSchema = z.array(z.object({ Name: z.string(), Type: z.string(), ModifyIndex: index }));
export const bindingsSchema = z.array(
  z.object({
    ID: z.string(),
    AuthMethod: z.string(),
    BindType: text,
    BindName: text,
    Selector: text,
    ModifyIndex: index,
  }),
);

export const namesSchema = z.record(z.string(), z.unknown());
/** Addresses of servers: `<host>:<port>`. */
export const peersSchema = z.array(z.string());
/** A token as it is shown to who bears it. Its secret is not taken from the answer. */
export const selfSchema = z.object({ AccessorID: z.string() });
/** Whatever a server tells of itself. */
export const stateSchema = z.object({});

export type Stamp = z.output<z.ZodObject<typeof stamp>>;
export type Granted = z.output<z.ZodObject<typeof grants>>;
export type Policy = z.output<typeof policiesSchema>[number];
export type Token = z.output<typeof tokensSchema>[number];
