import { dump } from "js-yaml";
import type { Service } from "../../mesh";

/** Traces kept in memory. */
const MAX_TRACES = 50_000;

/**
 * Jaeger's configuration: spans by OTLP and the query page, both on the pod's loopback behind the sidecar.
 *
 * @param service the document's `jaeger`, with ports `query` and `otlp`.
 * @throws Error where the service lacks one of them.
 */
export function jaegerConfig(service: Service): string {
  const listen = (name: string) => `127.0.0.1:${portNamed(service, name)}`;
  return dump(
    {
      service: {
        extensions: ["jaeger_storage", "jaeger_query"],
        pipelines: { traces: { receivers: ["otlp"], processors: ["batch"], exporters: ["jaeger_storage_exporter"] } },
        telemetry: { metrics: { level: "none" }, logs: { level: "info" } },
      },
      extensions: {
        jaeger_storage: { backends: { memory: { memory: { max_traces: MAX_TRACES } } } },
        jaeger_query: {
          storage: { traces: "memory" },
          http: { endpoint: listen("query") },
          grpc: { endpoint: "127.0.0.1:16685" },
        },
      },
      receivers: { otlp: { protocols: { grpc: { endpoint: listen("otlp") } } } },
      processors: { batch: { timeout: "500ms" } },
      exporters: { jaeger_storage_exporter: { trace_storage: "memory" } },
    },
    { lineWidth: -1, noRefs: true },
  );
}

function portNamed(service: Service, name: string): number {
  const port = service.ports.find((candidate) => candidate.name === name);
  if (port === undefined)
    throw new Error(`service ${service.name} has no port \`${name}\`; declare it in the document`);
  return port.port;
}
