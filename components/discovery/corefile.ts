import { DISCOVERY_TIMES } from "../../mesh/drain";
import { DISCOVERY_DOMAIN, NODE_RESOLVER } from "../../mesh/wire";

/** Longest time for which the last good answer of a name is served while the backend can't be asked. */
const STALE_FOR = "1h";

/**
 * CoreDNS's configuration on each node: it answers discovery names and no others, so that it is no tunnel out.
 *
 * A name without a passing instance is answered SERVFAIL instead of NXDOMAIN: Envoy empties a cluster on NXDOMAIN, and keeps its last hosts on
 * SERVFAIL. `serve_stale … verify` asks the backend first, and serves the last answer only where that fails.
 *
 * @param plugin the plugin that asks the backend, line by line
 */
export function corefile(plugin: readonly string[]): string {
  const domain = DISCOVERY_DOMAIN.replaceAll(".", "\\.");
  return [
    `${DISCOVERY_DOMAIN}:${NODE_RESOLVER.dnsPort} {`,
    "    errors",
    `    cache ${String(DISCOVERY_TIMES.cache)} {`,
    `        success 10000 ${String(DISCOVERY_TIMES.cache)} ${String(DISCOVERY_TIMES.cache)}`,
    "        denial 1000 1 1",
    `        serve_stale ${STALE_FOR} verify`,
    "    }",
    `    rewrite stop rcode regex (.*)\\.${domain}\\. NXDOMAIN SERVFAIL`,
    ...plugin.map((line) => `    ${line}`),
    "    health :8080",
    `    ready :${NODE_RESOLVER.canaryPort}`,
    "    reload",
    "}",
    "",
  ].join("\n");
}
