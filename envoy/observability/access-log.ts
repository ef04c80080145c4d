import { CALLER_INSTANCE } from "../identity/identity-token";
import { extension, type Message } from "../message";

/** Fields that every record has, whatever it tells of. */
const COMMON: Message = {
  time: "%START_TIME%",
  instance: "%ENVIRONMENT(POD_NAME)%",
  durationMs: "%DURATION%",
  flags: "%RESPONSE_FLAGS%",
};

/** Fields that name the peer of an inbound connection by what its certificate proves, and its token: the instance. */
const PROVEN: Message = {
  caller: "%DOWNSTREAM_PEER_URI_SAN%",
  callerCertificate: "%DOWNSTREAM_PEER_FINGERPRINT_256%",
  callerInstance: CALLER_INSTANCE,
  // By this number a certificate is revoked.
  callerSerial: "%DOWNSTREAM_PEER_SERIAL%",
  callerAddress: "%DOWNSTREAM_REMOTE_ADDRESS%",
  serverName: "%REQUESTED_SERVER_NAME%",
};

/** The same fields where nothing was proven: what a refused certificate claimed. */
const CLAIMED: Message = {
  claimedCaller: "%DOWNSTREAM_PEER_URI_SAN%",
  claimedCertificate: "%DOWNSTREAM_PEER_FINGERPRINT_256%",
  claimedSerial: "%DOWNSTREAM_PEER_SERIAL%",
  callerAddress: "%DOWNSTREAM_REMOTE_ADDRESS%",
  serverName: "%REQUESTED_SERVER_NAME%",
};

/**
 * Who decided: `policy` is the grant that let the request in (the caller's policy in the RBAC filter), absent where none did. What refused it stands in
 * `details`: `rbac_access_denied_matched_policy[none]` is this filter.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rbac_filter#dynamic-metadata
 */
const DECIDED: Message = {
  authorization: "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_engine_result)%",
  policy: "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%",
};

/** Fields of a request. The query is left out: it may hold what must not lie in a log. */
const REQUEST: Message = {
  method: "%REQ(:METHOD)%",
  authority: "%REQ(:AUTHORITY)%",
  path: "%PATH(NQ:PATH)%",
  protocol: "%PROTOCOL%",
  status: "%RESPONSE_CODE%",
  grpcStatus: "%GRPC_STATUS_NUMBER%",
  details: "%RESPONSE_CODE_DETAILS%",
  requestBytes: "%BYTES_RECEIVED%",
  responseBytes: "%BYTES_SENT%",
  requestId: "%REQ(X-REQUEST-ID)%",
  traceId: "%TRACE_ID%",
};

/** Fields that name where a request went to off the pod, and what TLS with it failed of. */
export const UPSTREAM_FIELDS: Message = {
  upstream: "%UPSTREAM_HOST%",
  failure: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
};

/** What a record is about: `kind` and a few fixed fields. */
export type Subject = Readonly<Record<"kind" | "service", string>> & Readonly<Record<string, string>>;

/**
 * One record for each inbound request, allowed or refused.
 *
 * @param further fields of the filters that this listener alone has
 */
export function inboundRequests(subject: Subject, further: Message = {}): Message {
  return stdout({ ...subject, ...COMMON, ...PROVEN, ...REQUEST, ...DECIDED, ...further });
}

/** One record for each inbound request that was refused, or failed; for callers that ask the same again and again. */
export function refusedRequests(subject: Subject): Message {
  return { ...inboundRequests(subject), filter: FAILED };
}

/** One record for each inbound request of these that failed (status 400 and above), for listeners whose successes are only noise. */
export function failedRequests(subject: Subject): Message {
  return { ...stdout({ ...subject, ...COMMON, ...PROVEN, ...REQUEST }), filter: FAILED };
}

/** One record for each outbound request that failed; the callee's sidecar writes the others. */
export function failedCalls(subject: Subject): Message {
  return { ...stdout({ ...subject, ...COMMON, ...REQUEST, ...UPSTREAM_FIELDS }), filter: FAILED_OR_FLAGGED };
}

/**
 * One record for each connection that never carried a request because TLS refused it: nothing else would tell of it, since a failed handshake
 * has no HTTP access log. Connections that were let in are filtered out: their requests have records of their own.
 */
export function refusedConnections(subject: Subject): Message {
  return { ...stdout({ ...subject, ...COMMON, ...CLAIMED, ...CONNECTION }), filter: REFUSED };
}

const CONNECTION: Message = {
  failure: "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
  details: "%CONNECTION_TERMINATION_DETAILS%",
  requestBytes: "%BYTES_RECEIVED%",
  responseBytes: "%BYTES_SENT%",
};

const FAILED: Message = {
  status_code_filter: {
    comparison: { op: "GE", value: { default_value: 400, runtime_key: "access_log.failed_from_status" } },
  },
};

const FAILED_OR_FLAGGED: Message = { or_filter: { filters: [FAILED, { response_flag_filter: {} }] } };

/** No filter chain bore the server name (`NR`), or TLS failed. */
const REFUSED: Message = {
  or_filter: {
    filters: [
      { response_flag_filter: { flags: ["NR"] } },
      {
        extension_filter: extension(
          "envoy.access_loggers.extension_filters.cel",
          "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
          { expression: "connection.transport_failure_reason != ''" },
        ),
      },
    ],
  },
};

function stdout(fields: Message): Message {
  return extension("envoy.access_loggers.stdout", "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", {
    log_format: { json_format: fields },
  });
}
