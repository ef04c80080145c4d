/** Services outside the cluster, from the document to the model. */
import { answersGet } from "../defaults";
import { endOf } from "../instant";
import { compare } from "../order";
import type { ExternalDeclaration } from "../schema/external";
import { compareAddresses } from "./addresses";
import { normalizedPem } from "./authorities";
import type { ExternalHealth, ExternalTls, ExternalWorkload, Plaintext } from "./model";

/** What of a port decides how it can be asked. */
type Port = { readonly name: string; readonly protocol: Parameters<typeof answersGet>[0] };

/** A service outside the cluster, every default filled in. @throws RangeError for a document that was not checked */
export function resolveExternal(
  { addresses, tls, plaintext, health }: ExternalDeclaration,
  ports: readonly Port[],
  replicas: number,
): ExternalWorkload {
  return {
    kind: "external",
    replicas,
    addresses: [...new Set(addresses)].sort(compareAddresses),
    ...(tls === undefined ? {} : { tls: resolveTls(tls) }),
    ...(plaintext === undefined ? {} : { plaintext: resolvePlaintext(plaintext) }),
    ...(health === undefined ? {} : { health: resolveHealth(health, ports) }),
  };
}

/** The earlier of two ends; undefined where there is none. */
export function earlierEnd(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

function resolveTls(declared: NonNullable<ExternalDeclaration["tls"]>): ExternalTls {
  const { names, authorities, presentCertificate, alpn } = declared;
  const serverName = declared.serverName ?? names.find((name) => !name.startsWith("*"));
  if (serverName === undefined) throw new RangeError("no name says whose certificate it must be");
  return {
    names: [...new Set(names)].sort(compare),
    serverName,
    authorities: normalizedPem(authorities),
    presentsCertificate: presentCertificate,
    alpn,
  };
}

function resolvePlaintext({ reason, owner, until }: NonNullable<ExternalDeclaration["plaintext"]>): Plaintext {
  const end = endOf(until);
  if (end === undefined) throw new RangeError(`'${until}' is no date`);
  return { reason: reason.trim(), owner, until: end };
}

function resolveHealth(
  { path, port }: NonNullable<ExternalDeclaration["health"]>,
  ports: readonly Port[],
): ExternalHealth {
  const asked = port ?? ports.find(({ protocol }) => answersGet(protocol))?.name;
  if (asked === undefined) throw new RangeError("no port can be asked whether the service is well");
  return { path, port: asked };
}
