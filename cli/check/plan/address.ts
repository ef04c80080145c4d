import { namespaceOf } from "../../../mesh";
import { failure, ok, skipped } from "../check";
import type { Result } from "../check";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import type { CheckContext } from "../context";

/**
 * Whether an address is a Service's own, or may become it.
 *
 * @param service of zone `mesh`
 */
export async function addressResult(context: CheckContext, ip: string, service: string): Promise<Result> {
  const holder = (await context.live.list(KINDS.services)).find(({ spec }) => spec.clusterIP === ip);
  if (holder !== undefined)
    return titleOf(holder) === `${namespaceOf("mesh")}/${service}`
      ? ok(ip)
      : failure(`${ip} is that of the Service ${titleOf(holder)}`);
  const refusal = await context.cluster.refusalOf("/api/v1/namespaces/default/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "mesh-check" },
    spec: { clusterIP: ip, ports: [{ port: 53, protocol: "UDP" }] },
  });
  if (refusal === undefined) return ok(`${ip}, free`);
  return refusal.includes(ip)
    ? failure(refusal)
    : skipped(`the API server refused a Service for another reason: ${refusal}`);
}
