import { declaredKey } from "../../../../mesh/declarations/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { INSPECTED_PATHS, WELL_KNOWN } from "../../../../mesh/wire.js";
import { pause } from "../backoff.js";
import type { SidecarObjects } from "../distribution/objects.js";
import type { Drift } from "../drift/drift.js";
import type { Finding } from "../drift/finding.js";
import type { DriftRegister } from "../drift/register.js";
import { describe } from "../log.js";
import type { Pod } from "../pod.js";
import type { ServiceStore } from "../services/store.js";
import type { ZoneView } from "../zone.js";
import { parseCertificates, parseState, type ServedCertificate, type SidecarState } from "./answers.js";
import { CONCURRENCY, type Answer, type Ask } from "./ask.js";
import { NodeClocks } from "./clocks.js";
import { EarlierVersions } from "./earlier.js";
import { judgeCertificates, judgeFiles, type Expectation, type Verdict } from "./judgement.js";
import { KnownSidecar } from "./known-sidecar.js";

/** Milliseconds from the beginning of one round to that of the next. */
const ROUND = 3_000;
/** Pods that are asked in a round: those about which something is open, and of the others whose turn it is. */
const BATCH = 500;
/** Milliseconds after which a ready pod whose sidecar doesn't answer, while others do, is told of. A node that died has lost its pods by then. */
export const SILENCE = 90_000;
/** Milliseconds within which some sidecar must have answered, for one that doesn't to be at fault itself. */
const OTHERS = 30_000;
/** One zone whose sidecars are inspected. */
export interface InspectedZone {
  readonly view: ZoneView;
  readonly services: ServiceStore;
  readonly objects: SidecarObjects;
  /** The forward proxy into it. */
  readonly proxy: URL;
}

/** Who is told. */
export interface InspectionEvents {
  /** A sidecar was asked. */
  readonly asked: (zone: ZoneName, outcome: "answered" | "failed") => void;
  /** None answers, so it is not known by what they run; told again and again while it is so. */
  readonly blind: (why: string) => void;
}

/** Timing, changed in tests. */
export interface InspectionOptions {
  /** The pod in which this runs: of the controller's own sidecars it can ask only that. */
  readonly ownPod: string;
  readonly round?: number;
  readonly now?: () => number;
}

interface Target {
  readonly zone: InspectedZone;
  readonly pod: Pod;
  readonly service: string;
  readonly address: string;
  readonly known: KnownSidecar;
}

/**
 * Asks the sidecars by which files they run and which certificates they show, and compares that with what stands in the API server, and was declared. What differs is told of as drift,
 * and never put right: a sidecar is its pod's.
 *
 * Pods about which something is open are asked in every round, the others in turn, so that the load has a bound whatever the mesh's size.
 */
export class Inspection {
  readonly clocks = new NodeClocks();
  private readonly known = new Map<string, KnownSidecar>();
  private readonly earlier = new EarlierVersions();
  private readonly now: () => number;
  /** When any sidecar answered last. */
  private answeredAt: number | undefined;
  private blindToldAt = 0;
  private begun = 0;
  private signal = new AbortController().signal;

  constructor(
    private readonly zones: readonly InspectedZone[],
    private readonly drift: Pick<Drift, "filesOf" | "liveOf">,
    private readonly register: Pick<DriftRegister, "report" | "settle">,
    private readonly ask: Ask,
    private readonly events: InspectionEvents,
    private readonly options: InspectionOptions,
  ) {
    this.now = options.now ?? Date.now;
  }

  /** How many sidecars are asked, and why those that did not answer several times in a row did not, by pod; undefined where none is to be. */
  get seen(): { readonly asked: number; readonly silent: Readonly<Record<string, string>> } | undefined {
    if (this.zones.length === 0) return undefined;
    const asked = [...this.known].filter(([, { askedAt }]) => askedAt > 0);
    const silent = asked.flatMap(([place, { isSilent, error = "" }]) => (isSilent ? [[place, error] as const] : []));
    return { asked: asked.length, silent: Object.fromEntries(silent.sort()) };
  }

  /** Inspects until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    this.begun = this.now();
    const round = this.options.round ?? ROUND;
    while (!signal.aborted) {
      const started = performance.now();
      await this.round();
      await pause(Math.max(round / 10, round - (performance.now() - started)), signal);
    }
  }

  /** One round: those about which something is open, and those whose turn it is. */
  async round(): Promise<void> {
    const now = this.now();
    const targets = this.targets(now);
    this.forget(new Set(targets.map(placeOf)));
    const due = targets
      .filter(({ known }) => known.isToBeAsked(now))
      .sort((one, other) => one.known.rank - other.known.rank)
      .slice(0, BATCH);
    const queue = due.values();
    await Promise.all(
      Array.from({ length: Math.min(CONCURRENCY, due.length) }, async () => {
        for (const target of queue) if (!this.signal.aborted) await this.inspect(target);
      }),
    );
    this.judgeSilence(targets);
  }

  /** Pods that should answer: ready ones, of services that let the controller in. */
  private targets(now: number): Target[] {
    return this.zones.flatMap((zone) =>
      [...zone.view.pods.all()].flatMap((pod): Target[] => {
        const assessment = zone.view.assess(pod);
        if (assessment.kind !== "present" || !pod.ready) return [];
        const { service, address } = assessment.registration;
        const declared = zone.services.get(service);
        if (declared === undefined || declared.revoked !== undefined) return [];
        if (service === WELL_KNOWN.controller && pod.name !== this.options.ownPod) return [];
        return [{ zone, pod, service, address, known: this.knownOf(zone, pod, now) }];
      }),
    );
  }

  private knownOf(zone: InspectedZone, pod: Pod, now: number): KnownSidecar {
    const place = placeOf({ zone, pod });
    const known = this.known.get(place);
    if (known?.uid === pod.uid) return known;
    const fresh = new KnownSidecar(pod.uid, now);
    this.known.set(place, fresh);
    return fresh;
  }

  /** Pods that are gone, or may not be judged any more. */
  private forget(present: ReadonlySet<string>): void {
    for (const place of this.known.keys()) {
      if (present.has(place)) continue;
      this.known.delete(place);
      for (const about of ABOUT) this.register.settle(registered(place, about));
    }
  }

  private async inspect(target: Target): Promise<void> {
    const { zone, pod, service, known } = target;
    const now = this.now();
    known.askedAt = now;
    const expectation = this.drift.filesOf(zone.view.name, service);
    if (expectation === undefined) return;
    const issued = { end: zone.objects.certificateEnd(service), serial: zone.objects.certificateSerial(service) };
    const isTold = pod.distributed !== undefined && pod.distributed === zone.objects.digest(service);
    known.expect([expectation.files, issued], isTold, now);
    const wantsCertificates = known.wantsCertificates(now);
    try {
      const state = parseState((await this.question(target, INSPECTED_PATHS.state)).body);
      const judgements = [this.judgeState(target, expectation, state)];
      if (wantsCertificates) {
        const served = parseCertificates((await this.question(target, INSPECTED_PATHS.certificates)).body);
        known.showed(served, now);
        judgements.push(this.judgeServed(target, issued, served));
      }
      for (const { about, verdict } of judgements) await this.tell(target, about, verdict);
      known.isOpen = judgements.some(({ isOpen }) => isOpen);
      this.events.asked(zone.view.name, "answered");
      this.answeredAt = this.now();
      known.answered(this.answeredAt);
    } catch (error) {
      if (this.signal.aborted) return;
      known.failed(describe(error));
      this.events.asked(zone.view.name, "failed");
    }
  }

  private async question({ zone, address, pod }: Target, path: string): Promise<Answer> {
    const answer = await this.ask(zone.proxy, address, path, this.signal);
    if (pod.node !== undefined) this.clocks.note(pod.node, answer);
    return answer;
  }

  private judgeState(target: Target, found: Omit<Expectation, "earlier">, state: SidecarState): Judgement {
    const { zone, service, known } = target;
    const expectation = { ...found, earlier: this.earlier.note(`${zone.view.name}/${service}`, found) };
    const isDue = known.said(state, found.files) && known.isDue(this.now());
    const { rejected } = known;
    return judged("files", isDue, (due) => judgeFiles(expectation, state, { isDue: due, rejected }));
  }

  private judgeServed(target: Target, { end, serial }: Issued, served: readonly ServedCertificate[]): Judgement {
    const { zone, service, known } = target;
    const identity = zone.services.get(service)?.identity;
    const expected = { identity, serial, end: end === undefined ? undefined : Date.parse(end) };
    const isDue = known.isCertificateDue(this.now());
    return judged("certificate", isDue, (due) => judgeCertificates(served, expected, { isDue: due }));
  }

  /** Of a pod that is ready, and so answers kubelet through its sidecar, while its sidecar doesn't answer, nobody knows by what it runs. */
  private judgeSilence(targets: readonly Target[]): void {
    const now = this.now();
    const asked = targets.filter(({ known }) => known.askedAt > 0);
    const failing = asked.filter(({ known }) => known.error !== undefined);
    const isBlind = failing.length > 0 && now - (this.answeredAt ?? this.begun) > OTHERS;
    if (isBlind && now - this.blindToldAt >= OTHERS) {
      this.blindToldAt = now;
      this.events.blind(failing[0]?.known.error ?? "");
    }
    for (const target of asked) {
      const { known } = target;
      const isSilent = !isBlind && known.silentFor(now) > SILENCE;
      const verdict: Verdict | undefined = isSilent
        ? {
            class: "enforcement",
            detail: "does not answer who inspects it, though the pod is ready: by what it runs nobody knows",
          }
        : undefined;
      if (verdict !== undefined || known.error === undefined) void this.tell(target, "silence", verdict);
    }
  }

  private async tell(target: Target, about: About, verdict: Verdict | undefined): Promise<void> {
    const place = registered(placeOf(target), about);
    if (verdict === undefined) this.register.settle(place);
    else await this.register.report(place, this.finding(target, verdict), this.signal);
  }

  private finding({ zone, pod, service }: Target, { class: of, detail }: Verdict): Finding {
    const { name, pods } = zone.view;
    const object = { kind: "Pod", namespace: pods.namespace, name: pod.name };
    const key = declaredKey(object);
    const live = this.drift.liveOf(name, key);
    return { ...object, key, zone: name, class: of, service, what: "running", detail, writer: undefined, live };
  }
}

/** What is told of a pod, each by itself. */
const ABOUT = ["files", "certificate", "silence"] as const;
type About = (typeof ABOUT)[number];

/** What is told of the certificate that was issued last: by Pulumi, or by an issuer. */
interface Issued {
  readonly end: string | undefined;
  readonly serial: string | undefined;
}

interface Judgement {
  readonly about: About;
  readonly verdict: Verdict | undefined;
  /** Whether something is not as it should be, though it may have had no time yet. */
  readonly isOpen: boolean;
}

function judged(about: About, isDue: boolean, judge: (isDue: boolean) => Verdict | undefined): Judgement {
  return { about, verdict: judge(isDue), isOpen: judge(true) !== undefined };
}

function placeOf({ zone, pod }: { readonly zone: InspectedZone; readonly pod: Pod }): string {
  return `${zone.view.name}/${pod.name}`;
}

/** Where it stands in the register, in which places of objects begin with their zone. */
function registered(place: string, about: About): string {
  return `sidecar/${place}#${about}`;
}
