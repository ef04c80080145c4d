import type { Service } from "../../mesh/model";
import { SIDECAR_PATHS } from "../../mesh/wire";
import { DEFAULT_CONCURRENCY, type EnvoyOptions } from "../options";

/**
 * How long connections of a changed or removed listener or filter chain may go on, in seconds. Requests under way end well within it: it is twice the time that
 * an HTTP call has. A new request finds the new policy at once, because a drained connection is told to go away with its next answer; a stream, and a peer that
 * doesn't listen, have this long.
 */
export const DRAIN_SECONDS = 30;

/**
 * The arguments of a sidecar's `envoy`. `$(POD_NAME)` is for Kubernetes to expand, from an environment variable of the container
 * that names the pod.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/operations/cli
 */
export function sidecarCommand(service: Service, options: EnvoyOptions): string[] {
  return [
    "--config-path",
    `${SIDECAR_PATHS.config}/bootstrap.yaml`,
    "--service-node",
    "$(POD_NAME)",
    "--service-cluster",
    service.name,
    "--service-zone",
    service.zone,
    // A field that Envoy does not know in a listener or cluster file refuses the file; otherwise it would only be logged.
    "--reject-unknown-dynamic-fields",
    "--drain-time-s",
    String(DRAIN_SECONDS),
    "--drain-strategy",
    "immediate",
    "--disable-hot-restart",
    "--concurrency",
    String(options.concurrency ?? DEFAULT_CONCURRENCY),
    "--log-level",
    "warning",
    // Records reach the log within a second; the default keeps them back for ten.
    "--file-flush-interval-msec",
    "1000",
  ];
}
