import { dump } from "js-yaml";
import { OTLP_PORT, QUERY_PORT, type Service } from "../../mesh";

/** Most memory that Jaeger's container may use, in MiB. */
export const JAEGER_MEMORY_MIB = 512;
/** Traces kept in memory: at a few kilobytes a span and up to ten spans each, some 300 MiB. */
const MAX_TRACES = 10_000;

/**
 * Jaeger's configuration: spans by OTLP and the query page, both on the pod's loopback behind the sidecar. Traces of more spans than most are held back before
 * they use up the container's memory: then new spans are refused, and what is kept stays readable.
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
        pipelines: {
          traces: {
            receivers: ["otlp"],
            processors: ["memory_limiter", "batch"],
            exporters: ["jaeger_storage_exporter"],
          },
        },
        telemetry: { metrics: ownMetrics(service), logs: { level: "info" } },
      },
      extensions: {
        jaeger_storage: { backends: { memory: { memory: { max_traces: MAX_TRACES } } } },
        jaeger_query: {
          storage: { traces: "memory" },
          http: { endpoint: listen(QUERY_PORT) },
          grpc: { endpoint: "127.0.0.1:16685" },
        },
      },
      receivers: { otlp: { protocols: { grpc: { endpoint: listen(OTLP_PORT) } } } },
      processors: {
        memory_limiter: {
          check_interval: "1s",
          limit_mib: share(JAEGER_MEMORY_MIB, 0.85),
          spike_limit_mib: share(JAEGER_MEMORY_MIB, 0.15),
        },
        batch: { timeout: "500ms" },
      },
      exporters: { jaeger_storage_exporter: { trace_storage: "memory" } },
    },
    { lineWidth: -1, noRefs: true },
  );
}

/** Jaeger tells of itself where the document says so, and always by this path. */
function ownMetrics({ metrics }: Service) {
  if (metrics === undefined) return { level: "none" };
  const prometheus = { host: "127.0.0.1", port: metrics.port };
  return { level: "normal", readers: [{ pull: { exporter: { prometheus } } }] };
}

function share(mebibytes: number, part: number): number {
  return Math.floor(mebibytes * part);
}

function portNamed(service: Service, name: string): number {
  const port = service.ports.find((candidate) => candidate.name === name);
  if (port === undefined)
    throw new Error(`service ${service.name} has no port \`${name}\`; declare it in the document`);
  return port.port;
}
