/** Reasons of a refusal, as one record of a callee's sidecar tells them. */
import type { Enforced } from "../enforced/world";
import type { PlaceOf } from "./explain";

/** A record of an access log: any JSON. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** A no of the authenticator, or no answer, with the line that has it asked or that revokes it. */
export function ofAuthenticator(
  enforced: Enforced,
  placeOf: PlaceOf,
  status: number,
  details: string,
): [says: string[], place: string] {
  const asked = enforced.mesh.authenticator?.service ?? "the service that answers for callers";
  const [revoked] = enforced.mesh.services.filter((service) => service.name === asked && service.revoked !== undefined);
  if (revoked?.revoked !== undefined) {
    const by = `refused because ${asked} can't be asked about callers: answered ${String(status)} (${details})`;
    return [[by, `${asked} is revoked: ${revoked.revoked}`], placeOf(`services.${asked}`, "revoked")];
  }
  const by = `refused by ${asked}, which answers for callers: answered ${String(status)} (${details})`;
  return [[by, "ask that service why; without its answer nobody is let in"], placeOf("authentication")];
}

/** A good token of somebody else: a policy asks that it is that of the service on the certificate. A pod is named for its service. */
export function foreignToken(record: LogRecord, caller: string | undefined): string | undefined {
  const instance = text(record.callerInstance);
  if (instance === undefined || caller === undefined || instance.startsWith(`${caller}-`)) return undefined;
  return `its token is that of pod '${instance}', beside the certificate of ${caller}: each is worth something with its own alone`;
}

/** All URI SANs of the caller's certificate stand in a record, joined by commas. */
export function severalNames(record: LogRecord): string[] {
  const names = text(record.caller)?.split(",") ?? [];
  return names.length < 2
    ? []
    : [`its certificate names ${String(names.length)} identities, and exactly one is taken (docs/certificates.md)`];
}

/** Why the end user of a request was refused; undefined where it was none or was let in. The caller itself was authorized before. */
export function ofEndUser(record: LogRecord, details: string): string[] | undefined {
  if (!("endUserVerdict" in record) || record.authorization !== "allowed") return undefined;
  const mend = "docs/end-users.md says what the port asks of its end users";
  if (details.startsWith("jwt_authn_access_denied")) return [`refused for the end user's token (${details})`, mend];
  if (record.endUserVerdict !== "denied") return undefined;
  return [`refused for what the token of end user '${text(record.endUser) ?? "nobody"}' says (${details})`, mend];
}

/** The service that an identity names; undefined for one that is none of the mesh's form, or several at once. */
export function serviceOfIdentity(identity: string | undefined): string | undefined {
  return /^spiffe:\/\/[a-z.]+\/ns\/[a-z-]+\/sa\/([a-z0-9-]+)$/.exec(identity ?? "")?.[1];
}

/** A field's text; Envoy writes `null` or `-` for what isn't there. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "-" && value !== "" ? value : undefined;
}
