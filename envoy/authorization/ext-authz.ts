import { authenticatorOf } from "../../mesh/authentication/authenticator";
import { serviceNamed } from "../../mesh/edges";
import type { Mesh, ServicePort } from "../../mesh/model";
import { extension, type Message } from "../message";
import { outboundName } from "../names";

/** Name of the filter that asks the authenticator. */
export const EXT_AUTHZ = "envoy.filters.http.ext_authz";

/** Headers that it is shown always: they name the request in logs and traces, and nobody can act by them. */
const SHOWN = ["traceparent", "x-request-id"] as const;

/** What a record of the access log tells of the question: how long the answer took, in microseconds; nothing where none was asked. */
export const AUTHENTICATOR_FIELDS: Message = {
  authenticatorMicros: `%FILTER_STATE(${EXT_AUTHZ}:FIELD:latency_us)%`,
};

/**
 * The filter that asks the mesh's authenticator about each request of a port, after all that the sidecar can judge itself; none where the port doesn't
 * ask. It sends method, path, the caller's identity and its certificate, and takes a yes or a no. No answer in time, or one that is none, is a no (503).
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter
 */
export function authenticatorFilters(mesh: Mesh, port: ServicePort): Message[] {
  const authenticator = authenticatorOf(mesh, port);
  if (authenticator === undefined) return [];
  const cluster = outboundName({ to: authenticator.service, port: authenticator.port });
  return [
    extension(EXT_AUTHZ, "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz", {
      transport_api_version: "V3",
      grpc_service: {
        // The authority would be the cluster's name, which is no host name, and HTTP/2 refuses it.
        envoy_grpc: { cluster_name: cluster, authority: serviceNamed(mesh, authenticator.service).hostname },
        timeout: `${String(authenticator.timeoutMs / 1000)}s`,
      },
      failure_mode_allow: false,
      status_on_error: { code: "ServiceUnavailable" },
      include_peer_certificate: true,
      include_tls_session: true,
      allowed_headers: {
        patterns: [...new Set([...SHOWN, ...authenticator.headers])].map((name) => ({ exact: name })),
      },
      // A yes changes nothing in the request: no header, no route, no metadata that a later filter would believe.
      validate_mutations: true,
      decoder_header_mutation_rules: { disallow_all: true, disallow_is_error: true },
      enable_dynamic_metadata_ingestion: false,
      clear_route_cache: false,
      emit_filter_state_stats: true,
    }),
  ];
}
