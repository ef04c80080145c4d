import type { ZoneName } from "../../../mesh/model.js";
import { namespaceOf } from "../../../mesh/names.js";
import { LABELS, WELL_KNOWN } from "../../../mesh/wire.js";
import { Canary } from "./canary/canary.js";
import { describeLetIn } from "./canary/model.js";
import { CanaryTeller } from "./canary/told.js";
import { registryPatience, type ControllerConfig } from "./config.js";
import { Controller } from "./controller.js";
import { Distribution } from "./distribution/distribution.js";
import { Drift } from "./drift/drift.js";
import { describeFinding, type Finding } from "./drift/finding.js";
import { DriftRegister } from "./drift/register.js";
import { ZoneDrift } from "./drift/zone-drift.js";
import { fencedApi, fencedRegistry } from "./election/fence.js";
import type { Term } from "./election/term.js";
import { asker } from "./inspection/ask.js";
import { Inspection, type InspectedZone } from "./inspection/inspection.js";
import type { KubernetesApi } from "./kubernetes/api.js";
import { openRegistry } from "./registry/backends.js";
import type { Registry } from "./registry/registry.js";
import type { ServiceStore } from "./services/store.js";
import { StatusWriter } from "./services/status-writer.js";
import { KeyMirror } from "./tokens/mirror.js";
import type { Telling, Views } from "./views.js";
import type { ZoneState } from "./zone.js";

/** Milliseconds that requests under way are given when the controller is stopped. */
const FAREWELL = 5_000;

/**
 * What only one replica may do: it keeps the registry, mirrors the token keys, has changed files brought to the sidecars and says how services are. It is of one term. What an earlier one knew of
 * the registry is forgotten, for others wrote since; what every replica sees is there at once.
 */
export class Leader {
  readonly zones: readonly ZoneState[];
  readonly registry: Registry;
  readonly controller: Controller;
  readonly keys: KeyMirror;
  readonly drift: Drift;
  readonly canary: Canary;
  /** Everything that is not as it was declared. */
  readonly register: DriftRegister;
  readonly inspection: Inspection;
  private readonly asker = asker();
  private readonly distribution: Distribution;
  private readonly statuses: StatusWriter;

  constructor(
    api: KubernetesApi,
    config: ControllerConfig,
    private readonly views: Views,
    { log, metrics, failures }: Telling,
    private readonly term: Term,
    instance: string,
  ) {
    const { signal } = term;
    const failed =
      (operation: string) =>
      (where: string, error: unknown): void => {
        if (!signal.aborted) {
          metrics.failure("none", operation);
          failures.note(where, error);
        }
      };
    const writer = fencedApi(api, term);
    this.zones = views.zones.map((zone) => zone.kept());
    const registry = openRegistry(config.registry, {
      zones: config.zones.map(({ zone }) => zone),
      ttl: config.registryTtl,
      observe: (zone, seconds, outcome) => {
        metrics.registryRequest(zone, seconds, outcome);
      },
      failed: failed("keep"),
    });
    this.registry = fencedRegistry(registry, term);
    const interval = config.reconcileInterval * 1000;
    const registered = (zone: ZoneName, pod: string | undefined): void => {
      this.registrationsChanged(zone, pod);
    };
    const options = { interval, registered };
    this.controller = new Controller(this.zones, this.registry, log, metrics, failures, options, signal);
    const told = this.zones.flatMap((zone) => {
      const isOfZone = ({ namespace }: { readonly namespace: string }): boolean => namespace === zone.pods.namespace;
      const [objects, services] = [views.objects.find(isOfZone), views.services.find(isOfZone)];
      const drift = (service: string): readonly string[] | "unseen" | undefined => {
        const found = this.drift.of(zone.name, service);
        const letIn = this.canary.letIn.filter(({ pod }) => pod.zone === zone.name && pod.service === service);
        if (found === "unseen" || (found === undefined && letIn.length === 0)) return found;
        return [...(found ?? []).map(describeFinding), ...letIn.map(describeLetIn)];
      };
      return objects === undefined || services === undefined
        ? []
        : [{ zone, pods: zone.pods, objects, services, drift }];
    });
    this.distribution = new Distribution(writer, told, log, { failed: failed("distribute") });
    const patience = registryPatience(config);
    const unwritten = failed("write-status");
    this.statuses = new StatusWriter(writer, told, this.registry, log, metrics, unwritten, { patience });
    const events = {
      changed: (zone: ZoneName, service: string | undefined) => {
        if (service === undefined) this.statuses.zoneChanged(zone);
        else this.statuses.serviceChanged(zone, service);
      },
      found: ({ zone, class: of, what }: Finding) => {
        metrics.drifted(zone, of, what);
      },
      repaired: ({ zone, class: of }: Finding) => {
        metrics.repaired(zone, of);
      },
      failed: failed("drift"),
    };
    this.register = new DriftRegister(writer, log, events, instance);
    const zones = told.map(({ zone, services }) => driftOf(zone.name, services));
    const compared = { repairs: config.driftRepairs, ...(this.registry.access && { access: this.registry.access }) };
    this.drift = new Drift(api, writer, zones, this.register, log, events, compared);
    const inspected = told.flatMap(({ zone: view, services, objects }): InspectedZone[] => {
      const proxy = config.inspection.get(view.name);
      return proxy === undefined ? [] : [{ view, services, objects, proxy }];
    });
    this.inspection = new Inspection(
      inspected,
      this.drift,
      this.register,
      this.asker.ask,
      {
        asked: (zone, outcome) => {
          metrics.inspected(zone, outcome);
        },
        blind: (why) => {
          failed("inspect")("the sidecars: none answers who inspects them", new Error(why));
        },
      },
      // A replica's name begins with its pod's.
      { ownPod: instance.split("_")[0] ?? "" },
    );
    const teller = new CanaryTeller(
      writer,
      log,
      instance,
      {
        changed: ({ pod }) => {
          this.statuses.serviceChanged(pod.zone, pod.service);
        },
        failed: failed("canary"),
      },
      signal,
    );
    const own = { namespace: namespaceOf("mesh"), name: WELL_KNOWN.controller };
    this.canary = new Canary(
      told.map(({ zone: view, services }) => ({ view, services })),
      {
        tried: (layer, outcome) => {
          metrics.canaryTried(layer, outcome);
        },
        lost: (letIn) => {
          metrics.drifted(letIn.pod.zone, "enforcement", "let-in");
          teller.lost(letIn);
        },
        over: (letIn) => {
          teller.over(letIn);
        },
      },
      {
        interval: config.canaryInterval * 1000,
        // A replica's name begins with its pod's.
        ownPod: instance.split("_")[0] ?? "",
        resolver: config.resolver,
        isLetOut: () => ![...this.register.findings].some((finding) => isPolicyOf(finding, own)),
      },
    );
    this.keys = new KeyMirror(writer, config.zones, log, { failed: failed("mirror-keys") });
  }

  private registrationsChanged(name: ZoneName, pod: string | undefined): void {
    const zone = this.zones.find((candidate) => candidate.name === name);
    const service = pod === undefined ? undefined : zone?.pods.get(pod)?.labels[LABELS.name];
    if (service !== undefined) {
      this.statuses.serviceChanged(name, service);
    } else if (pod === undefined) {
      this.statuses.zoneChanged(name);
    }
  }

  /** Does it until the term is over. */
  async run(): Promise<void> {
    const { signal, lost } = this.term;
    const close = (): void => {
      this.registry.close();
    };
    // What is lost is broken off; what is given up may end.
    lost.addEventListener("abort", close);
    signal.addEventListener("abort", () => setTimeout(close, FAREWELL).unref());
    this.views.watcher = {
      podChanged: (zone, namespace, pod, services) => {
        this.controller.podChanged(zone, pod);
        this.distribution.podSeen(namespace, pod);
        services.forEach((service) => {
          this.statuses.serviceChanged(zone, service);
        });
      },
      objectsChanged: (namespace, service) => {
        this.distribution.objectsChanged(namespace, service);
        const zone = this.zones.find(({ pods }) => pods.namespace === namespace);
        if (zone !== undefined && service !== undefined) {
          this.statuses.serviceChanged(zone.name, service);
        } else if (zone !== undefined) {
          this.statuses.zoneChanged(zone.name);
        }
      },
      serviceChanged: (zone, service) => {
        this.statuses.serviceChanged(zone, service);
      },
    };
    try {
      await Promise.all([
        this.controller.run(),
        this.registry.run(signal),
        this.keys.run(signal),
        this.distribution.run(signal),
        this.statuses.run(signal),
        this.drift.run(signal),
        this.canary.run(signal),
        this.inspection.run(signal),
      ]);
    } finally {
      this.views.watcher = undefined;
      this.asker.close();
      close();
    }
  }
}

/** Whether it is about the NetworkPolicy of a workload. */
function isPolicyOf(finding: Finding, { namespace, name }: Pick<Finding, "namespace" | "name">): boolean {
  return finding.kind === "NetworkPolicy" && finding.namespace === namespace && finding.name === name;
}

function driftOf(zone: ZoneName, services: ServiceStore): ZoneDrift {
  const isJoined = (name: string): boolean => services.get(name)?.workload.kind === "joined";
  return new ZoneDrift(zone, services.namespace, isJoined, (name) => services.get(name) !== undefined);
}

/** What is not as it should be for an alert's sake: objects that are not as they were declared, and pods that are not held apart. */
export function* driftOfAll({ register, canary }: Pick<Leader, "register" | "canary">): Iterable<Counted> {
  yield* register.findings;
  for (const { pod } of canary.letIn) yield { zone: pod.zone, class: "enforcement" };
}

type Counted = Pick<Finding, "zone" | "class">;

/** How much is not as it was declared, by zone and class. */
export function driftCounts(findings: Iterable<Counted>): { zone: ZoneName; class: string; count: number }[] {
  const counts = new Map<string, { zone: ZoneName; class: string; count: number }>();
  for (const { zone, class: of } of findings) {
    const key = `${zone}/${of}`;
    const { count } = counts.get(key) ?? { count: 0 };
    counts.set(key, { zone, class: of, count: count + 1 });
  }
  return [...counts.values()];
}
