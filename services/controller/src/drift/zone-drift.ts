/** One zone: what was declared, what there is, and what is not as declared. Holds no connection and no clock of its own. */
import { isDeepStrictEqual } from "node:util";
import {
  comparedKind,
  declaredKey,
  isAclKind,
  kindNamed,
  STANDING_FOR,
  type ComparedKind,
  type DeclaredObject,
} from "../../../../mesh/declarations/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { LABELS } from "../../../../mesh/wire.js";
import { accountsOf } from "./about.js";
import { differences, labelDifferences, type Difference } from "./compare.js";
import { parsePart, ZoneDeclaration, type DeclarationPart } from "./declaration.js";
import { isClusterWide } from "./kinds.js";
import { describePlaces, type Finding } from "./finding.js";
import type { LiveObject } from "./live.js";
import { declaresSidecar, podProblem } from "./pods.js";

/**
 * Milliseconds for which what an update changes is not taken for drift, from when it wrote what it declares: an update waits for a workload ten minutes at most, and for one
 * after the other.
 */
export const PATIENCE = 20 * 60_000;

/** A file by which a zone is trusted, in what is declared. */
const TRUST = new RegExp(`"\\${STANDING_FOR.trust}":"([a-z]+)"`, "g");
const PULUMI = /^pulumi-kubernetes(-[0-9a-f]+)?$/;

/** What a look at one object gives. */
export type Judgement =
  | { readonly kind: "as-declared" }
  /** It differs, and an update is changing it; to be looked at again. */
  | { readonly kind: "changing" }
  /** What there is was not read since the declaration changed: what was known of it before stands. */
  | { readonly kind: "unseen" }
  | { readonly kind: "drifted"; readonly finding: Finding };

const AS_DECLARED: Judgement = { kind: "as-declared" };
const CHANGING: Judgement = { kind: "changing" };
const UNSEEN: Judgement = { kind: "unseen" };

/** A look at who may do what at the discovery backend. */
export interface AccessLook {
  /** Of the declaration, when the look began. */
  readonly revision: number;
  /** Key of the token to which nothing is shown any more, and why; undefined where all was read. */
  readonly refused: { readonly key: string; readonly why: string } | undefined;
  /** Whether so much time has passed since all was read that nobody knows whether it is so yet. */
  readonly isOld: boolean;
}

export class ZoneDrift {
  private parts = new Map<string, DeclarationPart>();
  private live = new Map<string, LiveObject>();
  /** Kinds of which a complete list was seen. */
  private readonly listed = new Set<string>();
  /** What was declared before, and is no more. */
  private readonly former = new Set<string>();
  private withoutSidecar: ReadonlySet<string> = new Set();
  declaration = new ZoneDeclaration([]);
  /** How often the declaration has changed. */
  revision = 0;
  /** The last look at the discovery backend that told anything, where that is compared. */
  access: AccessLook | undefined;

  constructor(
    readonly name: ZoneName,
    readonly namespace: string,
    /** Whether the pods of a service are another stack's to make. */
    private readonly isJoined: (service: string) => boolean,
    private readonly isService: (name: string) => boolean,
  ) {}

  /** Whether there is a declaration to compare with. */
  get isDeclared(): boolean {
    return this.declaration.isThere;
  }

  /** Whether who may do what at the discovery backend was read by a look that began after the declaration had changed last. */
  get isAccessRead(): boolean {
    return this.access?.revision === this.revision && this.access.refused === undefined;
  }

  /** Whether objects of all these kinds were listed. */
  hasListed(kinds: readonly ComparedKind[]): boolean {
    return kinds.every(({ kind }) => this.listed.has(kind));
  }

  /** Takes a ConfigMap, if it is one of the declaration; undefined: it is gone. @returns whether it is one */
  putPart(name: string, object: unknown): boolean {
    const part = object === undefined ? undefined : parsePart(object);
    const before = this.parts.get(name);
    if (part === undefined && before === undefined) return false;
    // It was listed again.
    if (isDeepStrictEqual(part, before)) return true;
    if (part === undefined) this.parts.delete(name);
    else this.parts.set(name, part);
    this.revision += 1;
    // What the last update ended with was declared too, and who has just begun to look knows it by that alone.
    const ended = before?.what === "done" ? Object.keys(before.data) : [];
    for (const key of [...this.declaration.keys(), ...ended]) this.former.add(key);
    this.declaration = new ZoneDeclaration([...this.parts.values()]);
    for (const key of this.declaration.keys()) this.former.delete(key);
    return true;
  }

  /** Reads from the whole declaration what is needed of it for one pod. */
  declarationRead(): void {
    const names = new Set<string>();
    for (const key of this.declaration.keys()) {
      const kind = kindNamed(key.split(".")[0] ?? "");
      const declared = kind?.class === "workloads" ? this.declaration.get(key) : undefined;
      if (declared !== undefined && !declaresSidecar(declared))
        names.add(declared.labels[LABELS.name] ?? declared.name);
    }
    this.withoutSidecar = names;
  }

  put(key: string, object: LiveObject | undefined): void {
    if (object === undefined) this.live.delete(key);
    else this.live.set(key, object);
  }

  get(key: string): LiveObject | undefined {
    return this.live.get(key);
  }

  /** All objects of a kind were listed. */
  kindListed({ kind }: Pick<ComparedKind, "kind">): void {
    this.listed.add(kind);
  }

  /** Everything that is declared or there. */
  keys(): Set<string> {
    return new Set([...this.declaration.keys(), ...this.live.keys()]);
  }

  /** @param now milliseconds since 1970 */
  judge(key: string, now: number): Judgement {
    if (!this.declaration.isThere) return AS_DECLARED;
    const live = this.live.get(key);
    const declared = this.declaration.get(key);
    const isAcl = isAclKind(key.split(".")[0] ?? "");
    if (isAcl && !this.isAccessRead) return this.judgeUnread(key, declared, now);
    if (declared === undefined) return live === undefined ? AS_DECLARED : this.judgeUndeclared(key, live, now);
    if (!(isAcl || this.listed.has(declared.kind)) || !this.isWatched(declared)) return AS_DECLARED;
    const isRecent = this.isRecent(now);
    if (live === undefined) {
      if (isRecent && this.declaration.isChanging(key)) return CHANGING;
      return { kind: "drifted", finding: this.finding(key, declared, "removed", "", undefined) };
    }
    const found = compare(declared, live, this.declaration);
    if (found.length === 0) return AS_DECLARED;
    if (isRecent && this.isBeingChanged(key, declared)) return CHANGING;
    return { kind: "drifted", finding: this.finding(key, declared, "changed", describePlaces(found), live) };
  }

  /** Entries of a ConfigMap that are not as they were declared; none while an update changes it, or where nothing declares it. */
  differingFiles(key: string, now: number): readonly string[] {
    const [live, declared] = [this.live.get(key), this.declaration.get(key)];
    if (live === undefined || declared === undefined || this.judge(key, now).kind !== "drifted") return [];
    return compare(declared, live, this.declaration).flatMap(
      ({ path }) => /^data(?:\.(\w+)$|\["(.+)"\]$)/.exec(path)?.[2] ?? [],
    );
  }

  /** Whether an update may be under way that changes what is declared. */
  private isRecent(now: number): boolean {
    return now - this.declaration.written < PATIENCE;
  }

  /** Of what stands at the discovery backend, while it can't be judged by what was read: that it is not shown is the fault of the token to which it should be. */
  private judgeUnread(key: string, declared: DeclaredObject | undefined, now: number): Judgement {
    const { revision, refused } = this.access ?? {};
    if (revision !== this.revision || refused?.key !== key || declared === undefined) return UNSEEN;
    if (this.isRecent(now) && this.declaration.isChanging(key)) return CHANGING;
    return { kind: "drifted", finding: this.finding(key, declared, "unread", refused.why, undefined) };
  }

  private isWatched({ kind, namespace }: DeclaredObject): boolean {
    return namespace === undefined || namespace === this.namespace || isClusterWide(kindNamed(kind));
  }

  private isBeingChanged(key: string, declared: DeclaredObject): boolean {
    const zones = [...JSON.stringify(declared.fields).matchAll(TRUST)].map(([, zone = ""]) => zone);
    return this.declaration.isChanging(key) || zones.some((zone) => this.declaration.isTrustChanging(zone));
  }

  private judgeUndeclared(key: string, live: LiveObject, now: number): Judgement {
    const wrong = this.whyUndeclared(live);
    if (wrong === undefined) return AS_DECLARED;
    // What a program declares no more it deletes at the end of its update.
    const isPrograms = isAclKind(live.kind.kind)
      ? this.former.has(key) || this.declaration.isChanging(key)
      : isPulumis(live);
    if (isPrograms && this.isRecent(now)) return CHANGING;
    return { kind: "drifted", finding: this.finding(key, live, "added", wrong, live) };
  }

  /** What is wrong with an object that wasn't declared; undefined where nothing is. */
  private whyUndeclared(live: LiveObject): string | undefined {
    if (live.kind.kind === "Pod") return podProblem(live, this.withoutSidecar);
    if (!live.kind.closed || live.owned) return undefined;
    // A service that joins has one workload, which the other stack names.
    if (live.kind.class === "workloads" && this.isJoined(live.labels[LABELS.name] ?? live.name)) return undefined;
    const accounts = live.kind.kind.endsWith("Binding") ? accountsOf(live) : [];
    const given = accounts.map((account) => (account === "/" ? "everybody" : account)).join(", ");
    const gives = live.gives ?? (given === "" ? undefined : `rights to ${given}`);
    return `nobody declares it${gives === undefined ? "" : `, and it gives ${gives}`}`;
  }

  private finding(
    key: string,
    {
      kind,
      namespace,
      name,
      labels,
    }: Pick<DeclaredObject, "namespace" | "name" | "labels"> & { readonly kind: unknown },
    what: Finding["what"],
    detail: string,
    live: LiveObject | undefined,
  ): Finding {
    const known = typeof kind === "string" ? comparedKind(kind) : (kind as ComparedKind);
    const service = labels[LABELS.name] ?? "";
    return {
      key,
      zone: this.name,
      class: known?.class ?? "configuration",
      kind: known?.kind ?? "",
      namespace,
      name,
      service: this.isService(service) ? service : undefined,
      what,
      detail,
      writer: live?.writer,
      live,
    };
  }
}

/** Whether an object was written last by a program of Pulumi's. */
export function isPulumis(live: LiveObject | undefined): boolean {
  return PULUMI.test(live?.writer?.manager ?? "");
}

function compare(declared: DeclaredObject, live: LiveObject, declaration: ZoneDeclaration): readonly Difference[] {
  const fields = JSON.parse(live.fields) as Readonly<Record<string, unknown>>;
  const trust = (zone: string): string | undefined => declaration.trust(zone);
  return [...differences(declared.fields, fields, { trust }), ...labelDifferences(declared.labels, live.labels)];
}

export function liveKey({ kind, namespace, name }: Pick<LiveObject, "kind" | "namespace" | "name">): string {
  return declaredKey({ kind: kind.kind, namespace, name });
}
