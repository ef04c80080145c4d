/** Whether the mesh controller does its work, by what it tells of itself. */
import { WELL_KNOWN, findService, firstPort, isJob } from "../../../mesh";
import { LABELS } from "../../../mesh/wire";
import { counted, failure, judged, ok, skipped, warning } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import { isReady } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { askEach } from "../plan/ask";

const PAGE = "controller.md#what-it-tells";
/** Milliseconds since the last comparison of a zone, after which something is wrong: four times the controller's own interval. */
const STALE = 60_000;
/** Milliseconds for which a failure that was tried again is worth a word. */
const LATELY = 600_000;

/** What `GET /status` answers. */
interface Status {
  readonly healthy: boolean;
  readonly reasons: readonly string[];
  /** Whether it is the one of its replicas that keeps the registry. */
  readonly leading: boolean;
  readonly services: readonly {
    readonly name: string;
    readonly zone: string;
    readonly instances: readonly { readonly pod: string; readonly ready: boolean; readonly registered: boolean }[];
  }[];
  readonly zones: readonly {
    readonly name: string;
    readonly lastSync: string | null;
    readonly error: string | null;
    readonly podsError: string | null;
    readonly refused: Readonly<Record<string, string>>;
  }[];
  readonly nodes: { readonly error: string | null; readonly dead: readonly string[] };
  /** What its live canary knows; null where it does not lead. */
  readonly canary: {
    readonly counts: readonly { readonly layer: string; readonly outcome: string; readonly count: number }[];
    readonly letIn: readonly Knocked[];
    readonly blind: readonly Knocked[];
  } | null;
  /** Sidecars that it asks by what they run; null where it asks none, or doesn't lead. */
  readonly inspection: { readonly asked: number; readonly silent: Readonly<Record<string, string>> } | null;
  readonly backlog: number;
  readonly failures: readonly { readonly time: string; readonly where: string; readonly message: string }[];
}

/** A pod, and what a layer of it did to the live canary. */
interface Knocked {
  readonly namespace: string;
  readonly pod: string;
  readonly node: string;
  readonly layer: string;
  readonly detail: string;
}

export const controllerChecks: readonly Check[] = [
  {
    id: "controller-health",
    category: "controller",
    phase: "after",
    title: "the mesh controller is ready and says that it is healthy",
    tells:
      "Asks the `/status` of each of its replicas by a port-forward to its loopback: that the one that leads has compared every zone once, mirrored the token keys and has answers of the discovery backend, and that the others see all pods.",
    remedy: "its reasons say which; `kubectl -n lucid-mesh logs deploy/mesh-controller -c controller` has more",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      if (findService(declaredIn(context).mesh, WELL_KNOWN.controller)?.revoked !== undefined)
        return skipped("the controller is revoked: nobody registers pods");
      const replicas = await replicasOf(context);
      if (replicas.length === 0) return failure("no pod of it is ready to be asked");
      const reasons = replicas.flatMap(({ healthy, reasons: own }) => (healthy ? [] : own));
      return judged(reasons, "it is not healthy", counted(replicas.length, "replica"));
    },
  },
  {
    id: "controller-leader",
    category: "controller",
    phase: "after",
    title: "one replica of the controller leads",
    tells:
      "Reads of each ready replica whether it leads, and the Lease by which they agree. For the seconds of a change of leader there is none; registrations stand meanwhile.",
    remedy:
      "ask again after 20 s; then see why none can renew the Lease: `kubectl -n lucid-mesh get lease mesh-controller -o yaml`, and the controllers' logs",
    more: "controller.md#replicas",
    needs: ["controller-health"],
    run: async (context) => {
      const leaders = (await replicasOf(context)).filter(({ leading }) => leading);
      const leases = await context.live.list(KINDS.leases, "lucid-mesh");
      const holder = leases.find(({ metadata }) => metadata.name === WELL_KNOWN.controller)?.spec?.holderIdentity;
      if (leaders.length > 1) return failure(`${counted(leaders.length, "replica")} say that they lead`);
      return leaders.length === 1
        ? ok(holder ?? undefined)
        : failure("none of the ready replicas leads", [`the Lease is held by ${holder ?? "nobody"}`]);
    },
  },
  told({
    id: "registrations",
    title: "every ready pod is registered in the discovery backend, and nothing else",
    tells:
      "Compares the instances that the controller holds, and knows to stand in the catalogue as they should, with the ready pods. It is the controller's word for the catalogue: it reads that every 15 s.",
    remedy: "wait some seconds and ask again; then look at the controller's failures and refusals",
    more: "controller.md#what-it-registers",
    find: registrations,
  }),
  told({
    id: "controller-zones",
    title: "the controller compares every zone's registrations again and again",
    tells: "Reads when it last did, by its own clock, and what hindered it.",
    remedy: "see what it says: the API server that refuses, or the discovery backend that doesn't answer",
    more: "controller.md#how-it-stays-true",
    find: ({ zones }, { now }) => {
      const wrong = zones.flatMap(({ name, lastSync, error, podsError }) => {
        const reason = error ?? podsError;
        if (reason !== null) return [`${name}: ${reason}`];
        if (lastSync === null) return [`${name} was never compared`];
        return now().getTime() - Date.parse(lastSync) > STALE ? [`${name} was compared last at ${lastSync}`] : [];
      });
      return judged(wrong, "registrations are not looked after", counted(zones.length, "zone"));
    },
  }),
  told({
    id: "controller-refusals",
    title: "the controller refuses no pod",
    tells:
      "Reads which pods ask for a registration and get none, and why: they name another zone, or run as somebody else.",
    remedy: "such a pod was not made by the mesh: see who made it, and delete it",
    more: "controller.md#what-it-registers",
    find: ({ zones }) =>
      judged(
        zones.flatMap(({ name, refused }) => Object.entries(refused).map(([pod, why]) => `${name}/${pod}: ${why}`)),
        "pods are refused",
      ),
  }),
  told({
    id: "controller-nodes",
    title: "the controller takes no node for dead",
    tells:
      "Reads which nodes have not renewed their leases within `serviceRegistryTtl`: their instances are out of the catalogue. In a cluster of one node nobody is left to notice.",
    remedy: "see to the node or its kubelet; what ran there is registered again when its lease is renewed",
    more: "controller.md#time-to-live",
    find: ({ nodes }) =>
      nodes.error === null
        ? judged(nodes.dead, "nodes count as dead")
        : failure(`leases can't be read: ${nodes.error}`),
  }),
  told({
    id: "live-canary",
    title: "every pod refuses whom it must, as the controller's live canary sees it",
    tells:
      "Reads at which pods it was let in when it last knocked there, about a minute ago, past their NetworkPolicies or without a certificate; and of which it can't say, because they did not answer where they must. It asks ready pods of services, and no jobs.",
    remedy:
      "let in: see to the network plugin of that node, and what the pod's sidecar runs by; isolate the pod until then. Blind: see why that node's pods can't be reached",
    more: "live-canary.md#when-it-is-let-in",
    find: ({ canary }) => {
      const network = canary?.counts.filter(({ layer }) => layer === "network") ?? [];
      if (canary === null || network.length === 0) return skipped("it has knocked nowhere yet");
      const places = (found: readonly Knocked[]) =>
        found.map(({ namespace, pod, node, detail }) => `${namespace}/${pod} on ${node}: ${detail}`);
      if (canary.letIn.length > 0) return failure("pods let in whom they must not", places(canary.letIn));
      const pods = network.reduce((sum, { count }) => sum + count, 0);
      return judged(places(canary.blind), "of some pods nobody can say", counted(pods, "pod"), warning);
    },
  }),
  told({
    id: "sidecars-inspected",
    title: "every ready sidecar tells the controller by what it runs",
    tells:
      "Reads which of them gave no answer three times in a row. What is found in the answers is drift, which `mesh-services-well` tells.",
    remedy:
      "where all are silent, see the controller's own sidecar; where one is, its log: `kubectl logs <pod> -n lucid-<zone> -c sidecar`",
    more: "drift.md#what-sidecars-run-by",
    find: ({ inspection }) => {
      if (inspection === null || inspection.asked === 0) return skipped("no sidecar is asked");
      const silent = Object.entries(inspection.silent).map(([pod, why]) => `${pod}: ${why}`);
      return judged(silent, "sidecars don't answer", counted(inspection.asked, "sidecar"));
    },
  }),
  told({
    id: "controller-failures",
    title: "the controller has lately failed at nothing, and has nothing left to do",
    tells: "Reads its backlog and its last failures; ten minutes are lately. All of them are tried again.",
    remedy: "failures that come again say who doesn't answer",
    more: PAGE,
    find: ({ failures, backlog }, { now }) => {
      const recent = failures.filter(({ time }) => now().getTime() - Date.parse(time) < LATELY);
      return judged(
        [
          ...(backlog === 0 ? [] : [`${String(backlog)} instances wait`]),
          ...recent.map(({ time, where, message }) => `${time} ${where}: ${message}`),
        ],
        "it has to try again",
        undefined,
        warning,
      );
    },
  }),
];

interface Told extends Pick<Check, "id" | "title" | "tells" | "remedy" | "more"> {
  readonly find: (status: Status, context: CheckContext) => Result | Promise<Result>;
}

/** A check of what the controller tells. */
function told({ find, ...check }: Told): Check {
  return {
    ...check,
    category: "controller",
    phase: "after",
    needs: ["controller-health"],
    run: async (context) => {
      const status = await statusOf(context);
      return status === undefined ? skipped("no pod of it is ready to be asked") : find(status, context);
    },
  };
}

/** What the one that leads tells; where none does, what another does. */
async function statusOf(context: CheckContext): Promise<Status | undefined> {
  const replicas = await replicasOf(context);
  return replicas.find(({ leading }) => leading) ?? replicas[0];
}

async function replicasOf(context: CheckContext): Promise<readonly Status[]> {
  const controller = findService(declaredIn(context).mesh, WELL_KNOWN.controller);
  if (controller === undefined) return [];
  const answers = await askEach(context, controller, firstPort(controller).port, "/status");
  return answers.map(({ body }) => JSON.parse(body) as Status);
}

async function registrations({ services }: Status, context: CheckContext): Promise<Result> {
  const { mesh } = declaredIn(context);
  const jobs = new Set(mesh.services.filter(isJob).map(({ name }) => name));
  const pods = (await context.live.inZones(KINDS.pods)).filter(({ metadata }) => {
    const name = metadata.labels?.[LABELS.name] ?? "";
    return metadata.labels?.[LABELS.meshed] === "true" && !jobs.has(name);
  });
  const ready = new Set(pods.filter(isReady).map(({ metadata }) => metadata.name));
  const instances = services.flatMap((service) =>
    service.instances.map((instance) => ({ ...instance, title: `${service.zone}/${instance.pod}` })),
  );
  const known = new Map(instances.map((instance) => [instance.pod, instance]));
  const missing = [...ready].filter((pod) => known.get(pod)?.ready !== true || !known.get(pod)?.registered);
  const extra = instances.filter(({ pod, ready: says }) => says && !ready.has(pod)).map(({ title }) => title);
  return judged(
    [
      ...missing.map((pod) => `${pod} is ready, and not registered so`),
      ...extra.map((title) => `${title} is registered as ready, and is not`),
    ],
    "callers find others than are there",
    `${String(ready.size)} instances`,
  );
}
