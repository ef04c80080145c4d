import { LABELS, WELL_KNOWN } from "../../../../mesh/wire.js";
import { pause } from "../backoff.js";
import type { ServiceStore } from "../services/store.js";
import type { ZoneView } from "../zone.js";
import { KNOCK, type Knock } from "./knock.js";
import {
  LAYERS,
  OUTCOMES,
  type CanaryCount,
  type CanaryPod,
  type Layer,
  type LetIn,
  type Outcome,
  type Tried,
} from "./model.js";
import { Standing } from "./standing.js";

/** Milliseconds between two looks at whose turn it is. */
const LOOK = 500;
/** Pods at which it knocks at the same time. */
const CONCURRENCY = 32;
/** Milliseconds until the next try where one has said that something is not as it should be. */
const SOON = 2_000;
/** The same once that is told: it is told until three tries have said otherwise, which is long enough to be scraped. */
const AGAIN = 10_000;
/** A sidecar takes down whom it refused, so it is asked in every so many rounds only. */
const SIDECAR_ROUNDS = 5;
/** Rounds that may be missed before nothing is known any more. */
const PATIENCE = 3;
/** Milliseconds that any number of rounds is given: tries at silent pods take their time. */
const LEAST_PATIENCE = 30_000;

/** One zone at whose pods it knocks. */
export interface CanaryZone {
  readonly view: Pick<ZoneView, "name" | "assess"> & { readonly pods: Pick<ZoneView["pods"], "namespace" | "all"> };
  readonly services: Pick<ServiceStore, "get">;
}

/** Who is told. */
export interface CanaryEvents {
  readonly tried: (layer: Layer, outcome: Outcome) => void;
  /** A pod turned out to let in whom it must not; told once for each layer. */
  readonly lost: (letIn: LetIn) => void;
  /** It refuses again, or is gone, or nothing is known of it any more. */
  readonly over: (letIn: LetIn) => void;
}

export interface CanaryOptions {
  /** Milliseconds between two rounds; 0: it knocks nowhere. */
  readonly interval: number;
  /** The pod in which this runs: no policy stands between a pod and itself, so of this one the way out is tried. */
  readonly ownPod: string;
  /** Address of the node resolver; undefined: the way out is not tried. */
  readonly resolver: string | undefined;
  /** Whether the controller's own pods are let out to the canary: where they are not, a refusal says nothing of the pods. */
  readonly isLetOut: () => boolean;
  readonly knock?: Knock;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  readonly random?: () => number;
}

interface Known {
  readonly pod: CanaryPod;
  readonly standings: Readonly<Record<Layer, Standing>>;
  /** What was told as lost. */
  readonly lost: Map<Layer, LetIn>;
  readonly due: Record<Layer, number>;
  isUnderWay: boolean;
}

/**
 * The live canary: asks every ready pod again and again whether it still refuses what it must. No enforcer says of itself that it has stopped, and no object changes when it does.
 *
 * It is of one term: who leads later begins with nothing, and has asked everywhere a round later.
 */
export class Canary {
  private readonly known = new Map<string, Known>();
  private readonly knock: Knock;
  private readonly now: () => number;
  private readonly random: () => number;
  private signal = new AbortController().signal;

  constructor(
    private readonly zones: readonly CanaryZone[],
    private readonly events: CanaryEvents,
    private readonly options: CanaryOptions,
  ) {
    this.knock = options.knock ?? KNOCK;
    this.now = options.now ?? (() => performance.now());
    this.random = options.random ?? Math.random;
  }

  /** Pods that are not held apart, each once for each layer. */
  get letIn(): readonly LetIn[] {
    return [...this.known.values()].flatMap(({ lost }) => [...lost.values()]);
  }

  /** Pods of which nothing can be said. */
  get blind(): readonly LetIn[] {
    return this.told().filter(({ outcome }) => outcome === "blind");
  }

  /** Pods by layer, outcome and node; also the outcomes that none has. */
  get counts(): readonly CanaryCount[] {
    const counts = new Map<string, CanaryCount>();
    const add = (layer: Layer, outcome: Outcome, node: string, more: number): void => {
      const key = JSON.stringify([layer, outcome, node]);
      counts.set(key, { layer, outcome, node, count: (counts.get(key)?.count ?? 0) + more });
    };
    for (const { pod, layer, outcome } of this.told()) {
      for (const other of OUTCOMES) add(layer, other, pod.node, 0);
      add(layer, outcome, pod.node, 1);
    }
    return [...counts.values()];
  }

  /** Knocks until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    const { interval } = this.options;
    while (interval > 0 && !signal.aborted) {
      void this.look();
      await pause(Math.min(LOOK, interval), signal);
    }
  }

  /** Takes down which pods there are, and begins with those whose turn it is. @returns once those are through */
  async look(): Promise<void> {
    const now = this.now();
    this.meet(now);
    const places = CONCURRENCY - [...this.known.values()].filter(({ isUnderWay }) => isUnderWay).length;
    const due = [...this.known.values()]
      .filter((known) => !known.isUnderWay && firstDue(known) <= now)
      .sort((one, other) => firstDue(one) - firstDue(other))
      .slice(0, Math.max(0, places));
    await Promise.all(due.map((known) => this.ask(known, now)));
  }

  private meet(now: number): void {
    const present = new Map(this.pods().map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
    for (const [place, known] of this.known) {
      const pod = present.get(place);
      if (pod !== undefined && isSame(pod, known.pod)) continue;
      this.known.delete(place);
      known.lost.forEach((letIn) => {
        this.events.over(letIn);
      });
    }
    for (const [place, pod] of present) {
      if (this.known.has(place)) continue;
      // Those that are met together are not asked together.
      const soon = now + this.random() * Math.min(this.options.interval, 10_000);
      const standings = { network: new Standing(), sidecar: new Standing() };
      const due = { network: soon, sidecar: pod.isOpen && pod.wayOut === undefined ? soon : Number.POSITIVE_INFINITY };
      this.known.set(place, { pod, standings, lost: new Map(), due, isUnderWay: false });
    }
  }

  /** Ready pods: kubelet has just reached their sidecar at the canary's port. */
  private pods(): CanaryPod[] {
    return this.zones.flatMap(({ view, services }) =>
      [...view.pods.all()].flatMap((pod): CanaryPod[] => {
        const { address, name, uid, node = "unknown" } = pod;
        if (!pod.ready || address === undefined || view.assess(pod).kind === "absent") return [];
        const service = pod.labels[LABELS.name] ?? "";
        const found = { zone: view.name, namespace: view.pods.namespace, service, name, uid, address, node };
        const { ownPod, resolver: wayOut } = this.options;
        if (name === ownPod) return wayOut === undefined ? [] : [{ ...found, isOpen: true, wayOut }];
        const declared = services.get(service);
        const isOpen = declared !== undefined && declared.revoked === undefined && service !== WELL_KNOWN.controller;
        return [{ ...found, isOpen }];
      }),
    );
  }

  private async ask(known: Known, now: number): Promise<void> {
    known.isUnderWay = true;
    try {
      for (const layer of LAYERS) if (known.due[layer] <= now) await this.try(known, layer);
    } finally {
      known.isUnderWay = false;
    }
  }

  private async try(known: Known, layer: Layer): Promise<void> {
    const { pod, standings, due } = known;
    const tried = await this.tried(pod, layer);
    const now = this.now();
    // It was asked of a pod that is gone by now, or under a lead that is over.
    if (this.signal.aborted || this.known.get(`${pod.namespace}/${pod.name}`) !== known) return;
    this.events.tried(layer, tried.outcome);
    const standing = standings[layer];
    standing.note(tried, now);
    due[layer] = now + this.wait(standing, layer);
    this.tell(known, layer, now);
  }

  private async tried(pod: CanaryPod, layer: Layer): Promise<Tried> {
    const tried = await this.knock[layer](pod);
    if (layer === "sidecar" || tried.outcome !== "enforced" || this.options.isLetOut()) return tried;
    return {
      outcome: "blind",
      detail: "the controller's own NetworkPolicy is not as declared, and may be what refused",
    };
  }

  private wait(standing: Standing, layer: Layer): number {
    const { interval } = this.options;
    const round = layer === "sidecar" ? SIDECAR_ROUNDS * interval : interval;
    const { next } = standing;
    return next === "routine" ? round * (0.75 + this.random() / 2) : Math.min(round, next === "doubt" ? SOON : AGAIN);
  }

  private tell(known: Known, layer: Layer, now: number): void {
    const { pod, standings, lost } = known;
    const tried = standings[layer].at(now, this.patience(layer));
    const told = lost.get(layer);
    if (tried?.outcome === "let-in" && told === undefined) {
      const letIn = { pod, layer, ...tried };
      lost.set(layer, letIn);
      this.events.lost(letIn);
    } else if (tried?.outcome !== "let-in" && told !== undefined) {
      lost.delete(layer);
      this.events.over(told);
    }
  }

  private told(): readonly LetIn[] {
    const now = this.now();
    return [...this.known.values()].flatMap(({ pod, standings }) =>
      LAYERS.flatMap((layer): LetIn[] => {
        const tried = standings[layer].at(now, this.patience(layer));
        // Of a pod that lets nobody in nothing proves that it would answer.
        return tried === undefined || (!pod.isOpen && tried.outcome !== "let-in") ? [] : [{ pod, layer, ...tried }];
      }),
    );
  }

  private patience(layer: Layer): number {
    const round = this.options.interval * (layer === "sidecar" ? SIDECAR_ROUNDS : 1);
    return Math.max(PATIENCE * round, LEAST_PATIENCE);
  }
}

function firstDue({ due }: Known): number {
  return Math.min(due.network, due.sidecar);
}

/** Whether what was known of a pod holds of it still. */
function isSame(one: CanaryPod, other: CanaryPod): boolean {
  return one.uid === other.uid && one.address === other.address && one.isOpen === other.isOpen;
}
