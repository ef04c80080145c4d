import { CONSUL } from "../../../consul/resources";
/** In which objects of a plan credentials lie: told by what their data come from, for nobody knows tokens and keys before the update. */
import { KEEPER } from "../../../etcd/keeper";
import { Field } from "../../../judgement/field";
import type { StackResource } from "../../../judgement/rule";
import { TLS } from "../../../tls/resources";
import { objectTitle } from "../../network/reading/cluster";
import type { PlannedObject } from "../../objects/plan";
import { aclTitle } from "./planned-acl";

/** In which objects credentials lie. */
export interface Holdings {
  /** Titles of the objects that are made of a token, by what that is called. */
  readonly tokens: ReadonlyMap<string, readonly string[]>;
  /** Titles of the objects that are made of a password which etcd's keeper has, by the name of the resource that it comes from. */
  readonly passwords: ReadonlyMap<string, readonly string[]>;
  /** Titles of the objects that are made of a certificate's key, by the certificate's common name. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** What the token is called by which a program manages Consul. */
export const MANAGEMENT_TOKEN = "Consul's management token";

const PASSWORDS = `Secret lucid-mesh/${KEEPER}-passwords`;

/** @param planned the Kubernetes objects of the plan */
export function readHoldings(
  resources: readonly StackResource[],
  planned: readonly PlannedObject<StackResource>[],
): Holdings {
  const sources = sourcesOf(planned);
  const made = objectsBySource(sources);
  const madeOf = (urns: readonly string[]) => [...new Set(urns.flatMap((urn) => made.get(urn) ?? []))];

  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const tokens = ofType(CONSUL.aclToken).map((token) => [aclTitle(token), madeOf([token.urn])] as const);
  const management = ofType(CONSUL.provider).flatMap((provider) => provider.origins("token").map(({ urn }) => urn));
  const passwords = (sources.get(PASSWORDS) ?? []).map(({ urn, name }) => [name, madeOf([urn])] as const);
  const keys = [...keysByCommonName(ofType(TLS.request))].map(([name, urns]) => [name, madeOf(urns)] as const);
  return {
    tokens: new Map([...tokens, [MANAGEMENT_TOKEN, madeOf(management)]]),
    passwords: new Map(passwords),
    keys: new Map(keys),
  };
}

/** What each object is made of, by its title. */
type Sources = ReadonlyMap<string, readonly StackResource[]>;

function sourcesOf(planned: readonly PlannedObject<StackResource>[]): Sources {
  return new Map(
    planned.map(({ resource, object }) => [
      objectTitle(new Field(object)),
      resource.properties.keys().flatMap((property) => resource.origins(property)),
    ]),
  );
}

function objectsBySource(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const objects = new Map<string, string[]>();
  for (const [title, origins] of sources)
    for (const { urn } of origins) objects.set(urn, [...(objects.get(urn) ?? []), title]);
  return objects;
}

/** etcd takes who shows a certificate for the user that its common name says. */
function keysByCommonName(requests: readonly StackResource[]): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const request of requests) {
    const name = request.properties.at("subject", "commonName");
    if (name.isAbsent || !name.isText) continue;
    const own = request.origins("privateKeyPem").map(({ urn }) => urn);
    keys.set(name.text() ?? "", [...(keys.get(name.text() ?? "") ?? []), ...own]);
  }
  return keys;
}
