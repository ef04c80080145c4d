import type { EnvoyOptions } from "../../envoy";
import { SIDECAR_PORTS } from "../../mesh/wire";
import type { Settings } from "./settings";

/** What a stack's configuration says of every sidecar. */
export function envoyOptions(settings: Settings): EnvoyOptions {
  return {
    resolverAddress: settings.nodeResolverIp,
    tracing: settings.tracingEnabled,
    adminPort: SIDECAR_PORTS.admin,
    mtls: true,
  };
}
