import { edgesFrom, serviceNamed } from "../../mesh/edges";
import type { Mesh, Service } from "../../mesh/model";
import { extension, type Message } from "../message";
import { outboundName } from "../names";
import { DEFAULT_TRACE_SAMPLING, type EnvoyOptions } from "../options";

/**
 * Tracing of an HTTP connection manager: spans by OTLP over gRPC through the service's own telemetry edge, context by W3C `traceparent`. Undefined
 * where tracing is off or the service has no such edge (the collector itself).
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/trace/v3/opentelemetry.proto
 */
export function tracing(mesh: Mesh, service: Service, options: EnvoyOptions): Message | undefined {
  const edge = edgesFrom(mesh, service).find((candidate) => candidate.kind === "telemetry");
  if (!options.tracing || edge === undefined) {
    return undefined;
  }
  return {
    provider: {
      name: "envoy.tracers.opentelemetry",
      typed_config: {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        grpc_service: {
          // The authority would be the cluster's name, which is no host name, and HTTP/2 refuses it.
          envoy_grpc: { cluster_name: outboundName(edge), authority: serviceNamed(mesh, edge.to).hostname },
          timeout: "1s",
        },
        service_name: service.name,
        resource_detectors: [
          extension(
            "envoy.tracers.opentelemetry.resource_detectors.static_config",
            "envoy.extensions.tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig",
            { attributes: { "service.namespace": service.zone } },
          ),
        ],
      },
    },
    random_sampling: { value: (options.traceSampling ?? DEFAULT_TRACE_SAMPLING) * 100 },
    custom_tags: [
      { tag: "lucid.zone", literal: { value: service.zone } },
      { tag: "lucid.instance", environment: { name: "POD_NAME", default_value: service.name } },
    ],
  };
}

/** Tag of an inbound span: who called, as its certificate says. */
export const CALLER_TAG: Message = {
  tag: "lucid.caller",
  value: "%DOWNSTREAM_PEER_URI_SAN%",
};

/** Fields of a route that name its spans. The name is not sent on: the callee's own is the truer one. */
export function operation(name: string): Message {
  return { decorator: { operation: name, propagate: false } };
}
