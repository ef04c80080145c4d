/** Why a call was refused, out of one record of a sidecar's access log. */
import { findService } from "../../mesh";
import type { Enforced } from "../enforced/world";
import { CliError } from "../exit-status";
import { explain, type Explanation, type PlaceOf } from "./explain";
import type { LayerVerdict } from "./layers";
import {
  foreignToken,
  ofAuthenticator,
  ofEndUser,
  serviceOfIdentity,
  severalNames,
  text,
  type LogRecord,
} from "./refusals";
import { normalized } from "./request";

/** What a record tells. */
export interface RecordExplanation {
  readonly refused: boolean;
  /** The layer that refused; absent where none did. `request`: the request could not be judged at all. */
  readonly layer?: LayerVerdict["layer"] | "request";
  /** The line of the document that made it refuse, where that isn't the call's own: see `now.document`. */
  readonly place?: string;
  /** The layer that decided, and how it said so. */
  readonly says: readonly string[];
  /** What the document says of such a call now; absent where the record names none. */
  readonly now?: Explanation;
}

/**
 * Explains a record of `kind` call or refused.
 *
 * @throws CliError where it is no such record
 */
export function explainRecord(enforced: Enforced, placeOf: PlaceOf, line: string): RecordExplanation {
  const record = readRecord(line);
  switch (record.kind) {
    case "call":
      return record.direction === "outbound"
        ? ofCaller(enforced, placeOf, record)
        : ofCallee(enforced, placeOf, record);
    case "refused":
      return ofConnection(enforced, placeOf, record);
    default:
      throw new CliError(
        `--record: this is no record of a call (kind ${JSON.stringify(record.kind)}); take one of kind 'call' or 'refused'`,
      );
  }
}

function readRecord(line: string): LogRecord {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as LogRecord;
  } catch {
    // Told below.
  }
  throw new CliError("--record: this is no JSON object; give one line of a sidecar's log");
}

/** A request, as the callee's sidecar recorded it. */
function ofCallee(enforced: Enforced, placeOf: PlaceOf, record: LogRecord): RecordExplanation {
  const caller = serviceOfIdentity(text(record.caller));
  const now = explainNow(enforced, placeOf, record, caller, text(record.service));
  const details = text(record.details) ?? "";
  const status = Number(record.status);
  const service = text(record.service) ?? "?";
  const refused = (layer: RecordExplanation["layer"], says: readonly string[], place?: string): RecordExplanation => ({
    refused: true,
    ...(layer === undefined ? {} : { layer }),
    ...(place === undefined ? {} : { place }),
    says,
    ...optional(now),
  });
  const byEndUser = ofEndUser(record, details);
  if (byEndUser !== undefined) {
    const index = findService(enforced.mesh, service)?.ports.findIndex(({ name }) => name === record.port) ?? -1;
    const place = index < 0 ? undefined : placeOf(`services.${service}.ports[${String(index)}]`, "endUsers");
    return refused("end user", byEndUser, place);
  }
  if (details.startsWith("ext_authz"))
    return refused("authentication", ...ofAuthenticator(enforced, placeOf, status, details));
  if (record.authorization === "denied" || details.startsWith("rbac_access_denied")) {
    const by = `refused by authorization: the sidecar of ${service} answered ${String(status)} (${details})`;
    const foreign = foreignToken(record, caller);
    if (foreign !== undefined) return refused("token", [by, foreign]);
    const names = severalNames(record);
    return refused("authorization", [by, ...names, ...(names.length > 0 ? [] : changed(now))]);
  }
  if (details.startsWith("jwt_authn_access_denied")) {
    const by = `refused for its token: the sidecar of ${service} answered ${String(status)} (${details})`;
    const mend =
      "the caller's own sidecar adds the token: see that its volume holds a fresh one, and that both sidecars run this document";
    return refused("token", [by, mend]);
  }
  if (details === "path_normalization_failed") {
    const by = `refused before authorization: the path can't be judged (${details}), so it was answered ${String(status)}`;
    return refused("request", [by, "ask for a path without escaped slashes (%2f, %5c) and without '#'"]);
  }
  if (details.startsWith("via_upstream") || status < 400) {
    const by = text(record.policy);
    const let_in = by === undefined ? "let in" : `let in by the grant of '${by}'`;
    return {
      refused: false,
      says: [`not refused: ${let_in}; ${String(status)} is the application's own answer`],
      ...optional(now),
    };
  }
  const flags = text(record.flags) ?? "-";
  return {
    refused: false,
    says: [`not refused by an access rule: the sidecar answered ${String(status)} (${details}, flags ${flags})`],
    ...optional(now),
  };
}

/** A call that failed, as the caller's sidecar recorded it. */
function ofCaller(enforced: Enforced, placeOf: PlaceOf, record: LogRecord): RecordExplanation {
  const now = explainNow(enforced, placeOf, record, text(record.service), text(record.callee));
  const failure = text(record.failure) ?? "";
  const details = text(record.details) ?? "";
  if (/CERTIFICATE|TLSV1_ALERT|TLS_error|SSLV3_ALERT|decrypt error/i.test(failure)) {
    const by = `refused by TLS, between the two sidecars (${failure})`;
    return { refused: true, layer: "TLS", says: [by, ...changed(now)], ...optional(now) };
  }
  const network = now?.layers.find(({ layer }) => layer === "NetworkPolicy");
  if (network?.allowed === false && /timeout|timed out|delayed connect error/i.test(`${failure} ${details}`)) {
    const by = `refused by NetworkPolicy, as it seems: nothing answered (${[details, failure].filter(Boolean).join(", ")})`;
    return { refused: true, layer: "NetworkPolicy", says: [by, network.says], ...optional(now) };
  }
  if ([401, 403].includes(Number(record.status)) && details === "via_upstream") {
    const by = `answered ${String(record.status)} at the callee's side; its sidecar's record of the same requestId says by which layer`;
    return { refused: true, says: [by, ...changed(now)], ...optional(now) };
  }
  return {
    refused: false,
    says: [
      `not refused by an access rule: it failed at the caller's side (${[details, failure].filter(Boolean).join(", ")})`,
    ],
    ...optional(now),
  };
}

/** A connection that TLS refused: what its certificate claimed was not proven. */
function ofConnection(enforced: Enforced, placeOf: PlaceOf, record: LogRecord): RecordExplanation {
  const serverName = text(record.serverName);
  const service = text(record.service);
  const [port, callee, zone] = serverName?.split(".") ?? [];
  const claimed = serviceOfIdentity(text(record.claimedCaller));
  const failure = text(record.failure);
  const unknown = text(record.flags)?.includes("NR") === true;
  const by = unknown
    ? `refused by TLS: ${service ?? "the callee"} has no door '${serverName ?? "(no server name)"}'`
    : `refused by TLS: ${failure ?? "the handshake failed"}`;
  const who =
    claimed === undefined
      ? "the peer showed no certificate with an identity of this mesh"
      : `its certificate claims to be ${claimed}, which was not proven`;
  const asks = { ...record, port, service: callee };
  const now = callee === service ? explainNow(enforced, placeOf, asks, claimed, callee) : undefined;
  const zoneOf = claimed === undefined ? undefined : findService(enforced.mesh, claimed)?.zone;
  const foreign =
    zoneOf !== undefined && zone !== undefined && zoneOf !== zone
      ? [`it asked for the door of zone ${zone}, and ${claimed ?? ""} is of ${zoneOf}`]
      : [];
  return { refused: true, layer: "TLS", says: [by, who, ...foreign, ...changed(now)], ...optional(now) };
}

/** What the document says now of the call that a record names, or undefined where it names none that exists. */
function explainNow(
  enforced: Enforced,
  placeOf: PlaceOf,
  record: LogRecord,
  from: string | undefined,
  to: string | undefined,
): Explanation | undefined {
  const { mesh } = enforced;
  const port = text(record.port);
  if (from === undefined || to === undefined || findService(mesh, from) === undefined || from === to) return undefined;
  const callee = findService(mesh, to);
  if (callee === undefined || !callee.ports.some(({ name }) => name === port)) return undefined;
  const method = text(record.method);
  const path = text(record.path);
  const time = text(record.time);
  const request = {
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path: normalized(path) }),
    time: `${(time !== undefined && !Number.isNaN(Date.parse(time)) ? new Date(time) : new Date()).toISOString().slice(0, 19)}Z`,
  };
  return explain(enforced, placeOf, { from, to, ...(port === undefined ? {} : { port }), request });
}

function changed(now: Explanation | undefined): string[] {
  return now?.allowed === true
    ? [
        "this document allows such a call: it was changed since, or what runs is not this document (`pulumi preview` shows it), or the caller is not who it claims",
      ]
    : [];
}

function optional(now: Explanation | undefined): { readonly now?: Explanation } {
  return now === undefined ? {} : { now };
}
