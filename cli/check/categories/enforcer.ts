import { failure, ok, warning } from "../check";
import type { Result } from "../check";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import type { Workload } from "../cluster/objects";
import type { CheckContext } from "../context";
import { gatedPods } from "./gates";

/** Programs that enforce NetworkPolicies, by what their DaemonSets are called or run. */
const ENFORCERS =
  /calico|cilium|anetd|kube-router|antrea|weave|ovnkube|kube-ovn|kube-network-policies|network-policy-agent|azure-npm|canal/i;
/** Programs that connect pods, and enforce nothing. */
const OTHERS = /flannel/i;

/** By which program policies are enforced; see the check `network-enforcer`. */
export async function enforcer({ live, declaration }: CheckContext): Promise<Result> {
  const all = await live.list(KINDS.daemonSets);
  const enforcing = all.filter((set) => runs(set, ENFORCERS) && !isSwitchedOff(set));
  if (enforcing.length > 0) {
    const behind = enforcing.filter(({ status }) => (status?.numberReady ?? 0) < (status?.desiredNumberScheduled ?? 0));
    return behind.length === 0
      ? ok(enforcing.map(titleOf).join(", "))
      : failure("it is not ready on all nodes", behind.map(progress), "look at the pods that are not ready");
  }
  const off = all.filter(isSwitchedOff).map(titleOf);
  const gated = declaration instanceof Error ? [] : (await gatedPods(live)).filter(({ passed }) => passed);
  if (gated.length > 0) return ok(`seen in force by the start gates of ${String(gated.length)} pods`);
  if (off.length > 0) return failure("its firewall is switched off", off, "let it run with --run-firewall=true");
  const known = all.filter((set) => runs(set, OTHERS)).map(titleOf);
  if (known.length > 0) return failure("the network plugin enforces nothing", known);
  return warning(
    "no program is known here that does",
    [],
    "if yours does, install: the start gates of the pods tell. Where it does not, no application starts",
  );
}

function runs({ metadata, spec }: Workload, pattern: RegExp): boolean {
  const { containers } = spec.template.spec;
  return (
    pattern.test(metadata.name) || containers.some(({ name, image = "" }) => pattern.test(name) || pattern.test(image))
  );
}

function isSwitchedOff(set: Workload): boolean {
  const args = set.spec.template.spec.containers.flatMap(({ args = [], command = [] }) => [...command, ...args]);
  return runs(set, /kube-router/i) && args.includes("--run-firewall=false");
}

function progress(set: Workload): string {
  const { numberReady = 0, desiredNumberScheduled = 0 } = set.status ?? {};
  return `${titleOf(set)}: ${String(numberReady)} of ${String(desiredNumberScheduled)}`;
}
