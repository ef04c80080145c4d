/** What is asked alike of every backend: servers in a StatefulSet with volumes, behind a fixed address. */
import { namespaceOf } from "../../../mesh";
import type { Settings } from "../../../components/stack/settings";
import { failure, judged, ok, skipped } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { declaredIn } from "../context";
import { addressResult } from "../plan/address";
import type { BackendName } from "./backend";

const NAMESPACE = namespaceOf("mesh");

export interface Servers {
  readonly backend: BackendName;
  /** For people: `Consul`. */
  readonly title: string;
  /** StatefulSet, and Service of the API. */
  readonly service: string;
  readonly count: (settings: Settings) => number;
  /** Volumes that each server has of its own, by the names of their claim templates. */
  readonly claims: readonly string[];
  /** The setting that gives the API its address, and what it says; undefined where another backend is chosen. */
  readonly addressKey: string;
  readonly address: (settings: Settings) => string | undefined;
  /** When a server is ready, as a sentence, and what to look at where it is not. */
  readonly readiness: string;
  readonly remedy: string;
  /** Page about the backend, with its anchor. */
  readonly more: string;
}

/** Whether the API can have its address. */
export function addressCheck({ backend, title, service, addressKey, address }: Servers): Check {
  return {
    id: `${backend}-address`,
    category: "network",
    backend,
    phase: "before",
    title: `${addressKey} is a free address of the service range, or ${title}'s already`,
    tells: "As `resolver-address`.",
    remedy: "choose another address of the service range in `Pulumi.<stack>.yaml`",
    more: "configuration.md#stack-configuration",
    needs: ["document"],
    run: (context) => {
      const ip = address(declaredIn(context).settings);
      return ip === undefined ? skipped(`the stack declares no ${addressKey}`) : addressResult(context, ip, service);
    },
  };
}

/** Whether the servers have what they need, and are there. */
export function serverChecks({
  backend,
  title,
  service,
  count,
  claims: templates,
  readiness,
  remedy,
  more,
}: Servers): readonly Check[] {
  return [
    {
      id: `${backend}-volumes`,
      category: "discovery",
      backend,
      phase: "during",
      title: `each ${title} server has its ${templates.length === 1 ? "volume" : "volumes"}`,
      tells:
        "Reads whether the servers' claims are bound. One that waits for its first pod is not, and passes when the pod is scheduled.",
      remedy: "look at `kubectl -n lucid-mesh describe pvc`: the provisioner of the default StorageClass says why",
      more: "configuration.md#a-cluster-of-your-own",
      needs: ["namespaces-there"],
      run: async (context) => {
        const servers = count(declaredIn(context).settings);
        const claims = await context.live.list(KINDS.volumeClaims, NAMESPACE);
        const names = Array.from({ length: servers }, (_, ordinal) =>
          templates.map((template) => `${template}-${service}-${String(ordinal)}`),
        ).flat();
        const wrong = names.flatMap((name) => {
          const claim = claims.find(({ metadata }) => metadata.name === name);
          if (claim === undefined) return [`${name} is missing`];
          const phase = claim.status?.phase ?? "unknown";
          return phase === "Bound" ? [] : [`${name} is ${phase}`];
        });
        return judged(wrong, "servers lack their volumes", `${String(names.length)} bound`);
      },
    },
    {
      id: `${backend}-servers`,
      category: "discovery",
      backend,
      phase: "during",
      title: `all ${title} servers are ready`,
      tells: `Reads the StatefulSet. ${readiness}`,
      remedy,
      more,
      needs: ["namespaces-there"],
      run: async (context) => {
        const servers = count(declaredIn(context).settings);
        const set = (await context.live.list(KINDS.statefulSets, NAMESPACE)).find(
          ({ metadata }) => metadata.name === service,
        );
        if (set === undefined) return failure(`there is no StatefulSet ${service}`, [], "run `pulumi up`");
        const ready = set.status?.readyReplicas ?? 0;
        return ready === servers ? ok(String(ready)) : failure(`${String(ready)} of ${String(servers)} are`);
      },
    },
  ];
}
