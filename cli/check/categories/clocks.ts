/** Whether clocks agree: certificates, tokens and calls with an end depend on it. */
import { CLOCK_LIMITS } from "../../../mesh/wire";
import { counted, failure, judged, ok, skipped, warning } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import type { Lease } from "../cluster/objects";

const { most: MOST, notable: NOTABLE } = CLOCK_LIMITS;
const LEASES = "kube-node-lease";

export const clockChecks: readonly Check[] = [
  {
    id: "clock-here",
    category: "kubernetes",
    phase: "before",
    title: "this machine's clock agrees with the API server's",
    tells:
      "Compares it with the `Date` of an answer, to the second and the time of the answer. Certificates that `pulumi up` makes begin by this clock.",
    remedy: "let this machine keep its clock by NTP",
    more: "certificates.md#in-time",
    run: async ({ cluster }) => {
      const { server, asked, answered } = await cluster.clock();
      // The header is cut to the second: the server's clock was somewhere in the second after it.
      const ahead = (asked.getTime() - server.getTime()) / 1000 - 1;
      const behind = (server.getTime() - answered.getTime()) / 1000;
      const apart = Math.max(ahead, behind, 0);
      if (apart <= NOTABLE) return ok();
      const detail = `it is ${apart.toFixed(0)} s ${ahead > behind ? "ahead" : "behind"} at least`;
      return apart > MOST ? failure(detail) : warning(detail);
    },
  },
  {
    id: "node-clocks",
    category: "kubernetes",
    phase: "before",
    title: "the nodes' clocks agree with the API server's, and so with each other",
    tells:
      "Compares, in each node's lease, the instant that the kubelet wrote by its clock with the one at which the API server took it down by its own: to about two seconds, every ten seconds anew. Pods have their node's clock.",
    remedy: "let the nodes that are named keep their clocks by NTP (chrony, systemd-timesyncd)",
    more: "certificates.md#in-time",
    run: async ({ live }) => {
      const leases = await live.list(KINDS.leases, LEASES);
      const measured = leases.flatMap((lease) => {
        const ahead = aheadOf(lease);
        return ahead === undefined ? [] : [{ node: lease.metadata.name, ahead }];
      });
      if (measured.length === 0) return skipped("no node's lease says when it was taken down");
      const apart = (limit: number) =>
        measured
          .filter(({ ahead }) => Math.abs(ahead) > limit)
          .map(({ node, ahead }) => `${node} is ${Math.abs(ahead).toFixed(0)} s ${ahead > 0 ? "ahead" : "behind"}`);
      if (apart(MOST).length > 0)
        return failure("sidecars there refuse good tokens, or make them refused", apart(MOST));
      return judged(apart(NOTABLE), "clocks begin to differ", counted(measured.length, "node"), warning);
    },
  },
];

/** Seconds by which a node's clock is before the API server's; undefined where the lease doesn't tell. */
function aheadOf({ spec, metadata }: Lease): number | undefined {
  const written = Date.parse(spec?.renewTime ?? "");
  const taken = Math.max(...(metadata.managedFields ?? []).map(({ time }) => Date.parse(time ?? "")));
  const ahead = (written - taken) / 1000;
  return Number.isFinite(ahead) ? ahead : undefined;
}
