import { parseIssuingPolicy, serialAt, type IssuingPolicy } from "../../../../mesh/issuing/index.js";
import { meshServicesPath } from "../../../../mesh/custom-resource/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { hostnameOf, identityOf, namespaceOf } from "../../../../mesh/names.js";
import { pause, type BackoffBounds } from "../backoff.js";
import type { ApiWriter } from "../election/fence.js";
import { ApiError, type KubernetesApi } from "../kubernetes/api.js";
import { follow } from "../kubernetes/follow.js";
import { describe, type Log } from "../log.js";
import { KeyedQueue } from "../queue.js";
import { AuthorityError, readAuthority, type IssuingAuthority } from "./authority.js";
import { backdated, issueLeaf, lifeFrom } from "./certificate.js";
import type { ClockSkew } from "./clock-skew.js";
import { judgeLeaf, recordOf, serialIn, type Fault, type LeafRecord } from "./judgement.js";
import {
  isOwn,
  leafRecord,
  leafSecret,
  paths,
  readConfigMap,
  readDeclared,
  readSecret,
  recordAnnotations,
  SECRET_TYPE,
  type DeclaredIdentity,
  type Found,
  type SecretData,
} from "./objects.js";

/** Certificates made at the same time. */
const CONCURRENCY = 4;
/** Milliseconds until what came while nothing could be done about it is looked at again. */
const SOON = 1_000;
/** Milliseconds until what could not be read is read again. */
const AGAIN = 3_000;

/** Who is told of what an issuer does. */
export interface IssuerEvents {
  /** A certificate was written. */
  readonly issued: (service: string, fault: Fault, record: LeafRecord) => void;
  /** Something failed that is tried again. */
  readonly failed: (operation: string, where: string, error: unknown) => void;
}

export interface IssuerOptions {
  /** Milliseconds between two looks at every certificate. */
  readonly interval: number;
  /** Delays after failures; default 0.5 s to 30 s. */
  readonly backoff?: BackoffBounds;
  readonly now?: () => number;
}

/** What a zone's certificates are made by. */
interface Means {
  readonly policy: IssuingPolicy;
  readonly authority: IssuingAuthority;
}

/** How an issuer is. */
export type IssuerState =
  | { readonly kind: "starting" }
  /** What it signs by isn't there: the zone is not deployed, or has nothing to be signed. */
  | { readonly kind: "waiting" }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "issuing"; readonly authorityEnd: number };

/** Why a declared service is given no certificate. */
export type Refusal = "unlisted" | "revoked" | "forged";

/**
 * Makes the certificates of a zone's services and makes them anew in time: for those, and only those, that the zone's policy names *and* a `MeshService` declares under the
 * identity of its own name. What a certificate says is computed from the name, the zone and its datacenter; nothing of it is taken from an object that others could write.
 *
 * Each write is of what was read: of two issuers that meet one fails, and finds the other's certificate good. It is of one term of a leader.
 */
export class ZoneIssuer {
  /** What is known of each service's certificate. */
  readonly records = new Map<string, LeafRecord>();
  /** Declared services that are given none, and why. */
  readonly refused = new Map<string, Refusal>();
  private readonly failures = new Set<string>();
  private means: Means | undefined;
  private current: IssuerState = { kind: "starting" };
  private declared = new Map<string, DeclaredIdentity>();
  private readonly queue: KeyedQueue;
  private readonly now: () => number;
  private signal = new AbortController().signal;
  /** Ends the pause between two looks. */
  private wake: () => void = () => undefined;

  constructor(
    private readonly api: KubernetesApi,
    private readonly writer: ApiWriter,
    private readonly zone: ZoneName,
    private readonly skew: ClockSkew,
    private readonly log: Log,
    private readonly events: IssuerEvents,
    private readonly options: IssuerOptions,
  ) {
    this.now = options.now ?? Date.now;
    this.queue = new KeyedQueue((service) => this.keep(service), {
      concurrency: CONCURRENCY,
      backoff: options.backoff ?? { first: 500, limit: 30_000 },
      failed: (service, error) => {
        if (!this.signal.aborted) {
          this.failures.add(service);
          this.events.failed("issue", `certificate of ${service}`, error);
        }
      },
    });
  }

  get state(): IssuerState {
    return this.current;
  }

  /** Services whose certificate could not be looked at or made, by name. */
  get failing(): readonly string[] {
    return [...this.failures].sort();
  }

  /** Services whose certificate is being looked at or made. */
  get backlog(): number {
    return this.queue.size;
  }

  /** Issues until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    await Promise.all([this.follow(signal), this.learnOn(signal), this.lookOn(signal)]);
    await this.queue.stop();
    this.means = undefined;
  }

  private follow(signal: AbortSignal): Promise<void> {
    return follow(
      this.api,
      { path: meshServicesPath(namespaceOf(this.zone)) },
      {
        read: readDeclared,
        replaced: (services) => {
          this.declared = new Map(services.map((service) => [service.name, service]));
          this.lookAtAll();
          this.wake();
        },
        changed: (service) => {
          const before = this.declared.get(service.name);
          this.declared.set(service.name, service);
          // Its status changes often, and is nothing to an issuer.
          if (JSON.stringify(before) !== JSON.stringify(service)) {
            this.declaredAnew(service.name);
          }
        },
        deleted: ({ name }) => {
          this.declared.delete(name);
          this.forget(name);
        },
        failed: (error) => {
          this.events.failed("watch-services", "MeshServices", error);
        },
      },
      signal,
      this.options.backoff === undefined ? {} : { backoff: this.options.backoff },
    );
  }

  /** Reads what is signed by, again and again; where that is another, every certificate is looked at. */
  private async learnOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waking = new AbortController();
      this.wake = () => {
        waking.abort();
      };
      const before = this.means;
      await this.learn();
      if (!isSame(before, this.means)) {
        this.lookAtAll();
      }
      const { interval } = this.options;
      await pause(this.current.kind === "broken" ? Math.min(AGAIN, interval) : interval, signal, waking.signal);
      if (waking.signal.aborted) {
        // What changes together is read once.
        await pause(Math.min(SOON, this.options.interval), signal);
      }
    }
  }

  /** Looks at one certificate after the other, at all of them once in an interval. */
  private async lookOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { services = [] } = this.means?.policy ?? {};
      const step = this.options.interval / Math.max(1, services.length);
      for (const service of services) {
        await pause(step, signal);
        this.queue.add(service);
      }
      if (services.length === 0) {
        await pause(step, signal);
      }
    }
  }

  private lookAtAll(): void {
    for (const service of this.means?.policy.services ?? []) {
      this.queue.add(service);
    }
  }

  /** A service was declared, or declared otherwise. One that isn't listed yet may be since the policy was read. */
  private declaredAnew(service: string): void {
    if (this.means?.policy.services.includes(service) === true) {
      this.queue.add(service);
    } else {
      this.wake();
    }
  }

  /** Reads policy and authority. What can't be read now stays as it was known; what is gone is not signed by any more. */
  private async learn(): Promise<void> {
    try {
      const [policy, authority] = await Promise.all([
        this.read(paths.policy(this.zone), readConfigMap),
        this.read(paths.authority(this.zone), readSecret),
      ]);
      if (policy === undefined || authority === undefined) {
        this.means = undefined;
        this.become({ kind: "waiting" });
        return;
      }
      const parsed = parseIssuingPolicy(policy.data);
      const means = { policy: parsed, authority: readAuthority(authority.data, this.zone, parsed.datacenter) };
      this.means = means;
      this.become({ kind: "issuing", authorityEnd: means.authority.notAfter });
    } catch (error) {
      if (this.signal.aborted) {
        return;
      }
      this.events.failed("learn", `what zone ${this.zone} is signed by`, error);
      if (error instanceof ApiError || !(error instanceof AuthorityError || isZodError(error))) {
        if (this.means === undefined) {
          this.become({ kind: "broken", reason: describe(error) });
        }
        return;
      }
      // It was read, and is nothing to sign by.
      this.means = undefined;
      const what = error instanceof AuthorityError ? error.message : "the policy is not one";
      this.become({ kind: "broken", reason: what });
    }
    this.judgeDeclared();
  }

  private become(state: IssuerState): void {
    if (state.kind !== this.current.kind) {
      this.log.info(`the issuer of zone ${this.zone} is ${state.kind}`, {
        reason: state.kind === "broken" ? state.reason : undefined,
      });
    }
    this.current = state;
  }

  /** Tells whom it refuses: one that is declared and not listed is not Pulumi's, or the policy is old. */
  private judgeDeclared(): void {
    for (const name of [...this.refused.keys(), ...this.records.keys()]) {
      if (!this.declared.has(name)) {
        this.forget(name);
      }
    }
    for (const service of this.declared.values()) {
      const refusal = refusalOf(service, this.zone, this.means?.policy);
      if (refusal === undefined) {
        this.refused.delete(service.name);
      } else {
        if (this.refused.get(service.name) !== refusal && refusal === "forged") {
          this.log.error("a MeshService names an identity that is not its own: nothing is issued", {
            service: service.name,
          });
        }
        this.forget(service.name);
        this.refused.set(service.name, refusal);
      }
    }
  }

  private forget(service: string): void {
    this.failures.delete(service);
    this.records.delete(service);
    this.refused.delete(service);
  }

  /** Sees to it that a service has a good certificate, and that what is told of it is true. */
  private async keep(name: string): Promise<void> {
    const { means } = this;
    const service = this.declared.get(name);
    if (means === undefined || service === undefined) {
      return;
    }
    if (refusalOf(service, this.zone, means.policy) !== undefined) {
      return;
    }
    const secret = await this.read(paths.leaf(this.zone, name), readSecret);
    const identity = identityOf(name, this.zone, means.policy.datacenter);
    const expected = { identity, commonName: hostnameOf(name), ...means };
    const verdict = judgeLeaf(secret?.data, expected, this.now());
    const isKept = verdict.kind === "good" && secret !== undefined && isOwn(secret, this.zone, service);
    const record = isKept
      ? verdict.record
      : await this.issue(service, means, secret, verdict.kind === "bad" ? verdict.fault : "mismatched");
    this.records.set(name, record);
    await this.tell(service, record);
    this.failures.delete(name);
  }

  private async issue(
    service: DeclaredIdentity,
    means: Means,
    secret: Found<SecretData> | undefined,
    fault: Fault,
  ): Promise<LeafRecord> {
    const { policy, authority } = means;
    const { name } = service;
    this.assertClock(policy);
    const now = this.now();
    if (authority.notAfter <= now) {
      throw new Error(`the issuing authority of zone ${this.zone} has run out; run \`pulumi up\``);
    }
    if (secret?.type !== undefined && secret.type !== SECRET_TYPE) {
      throw new Error(`the Secret is of type ${secret.type}, which can't be changed; delete it`);
    }
    const used = [serialIn(secret?.data), this.records.get(name)?.serial].filter((serial) => serial !== undefined);
    const { datacenter, algorithm, validityHours, revoked } = policy;
    const identity = identityOf(name, this.zone, datacenter);
    const serial = serialAt(identity, validityHours, now, used, revoked);
    const life = lifeFrom(now, policy, authority);
    const leaf = await issueLeaf({ identity, commonName: hostnameOf(name), serial, algorithm, ...life }, authority);
    const object = leafSecret(this.zone, service, leaf);
    if (secret === undefined) {
      await this.writer.create(paths.secrets(this.zone), object, this.signal);
    } else {
      const dropped = Object.keys(secret.data).filter((file) => !Object.hasOwn(object.data, file));
      const data = { ...Object.fromEntries(dropped.map((file) => [file, null])), ...object.data };
      const metadata = { ...object.metadata, resourceVersion: secret.version };
      await this.writer.patch(paths.leaf(this.zone, name), { metadata, data }, this.signal);
    }
    const record = recordOf(leaf.chainPem);
    this.log.info("certificate made", {
      service: name,
      because: fault,
      serial: record.serial,
      until: new Date(record.notAfter).toISOString(),
    });
    this.events.issued(name, fault, record);
    return record;
  }

  /** Peers would refuse what begins in their future, and what is made by a clock that is behind ends before its time. */
  private assertClock({ validityHours }: IssuingPolicy): void {
    const skew = this.skew.milliseconds ?? 0;
    if (Math.abs(skew) > backdated(validityHours)) {
      throw new Error(
        `this node's clock is ${String(Math.round(Math.abs(skew) / 1000))} s ${skew > 0 ? "ahead of" : "behind"} the API server's, so nothing is issued; set it`,
      );
    }
  }

  /** Writes what may be known of a certificate, where something else stands there. */
  private async tell(service: DeclaredIdentity, record: LeafRecord): Promise<void> {
    const present = await this.read(paths.record(this.zone, service.name), readConfigMap);
    const object = leafRecord(this.zone, service, record);
    if (present === undefined) {
      await this.writer.create(paths.configMaps(this.zone), object, this.signal);
      return;
    }
    const annotations = recordAnnotations(record);
    const isTold = Object.entries(annotations).every(([name, value]) => present.annotations[name] === value);
    if (isTold && isOwn(present, this.zone, service) && Object.keys(present.data).length === 0) {
      return;
    }
    const data = Object.fromEntries(Object.keys(present.data).map((file) => [file, null]));
    const metadata = { ...object.metadata, resourceVersion: present.version };
    await this.writer.patch(paths.record(this.zone, service.name), { metadata, data }, this.signal);
  }

  /** @returns undefined where there is none */
  private async read<T>(path: string, parse: (object: unknown) => T): Promise<T | undefined> {
    try {
      return parse(await this.writer.get(path, this.signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }
}

/** Why a declared service is given no certificate; undefined for one that is. */
function refusalOf(
  { name, zone, identity, isRevoked }: DeclaredIdentity,
  own: ZoneName,
  policy: IssuingPolicy | undefined,
): Refusal | undefined {
  // Without its policy an issuer doesn't know which datacenter's identities are its zone's.
  const isOther = policy !== undefined && identity !== identityOf(name, own, policy.datacenter);
  if (zone !== own || isOther) {
    return "forged";
  }
  if (isRevoked) {
    return "revoked";
  }
  return policy?.services.includes(name) === true ? undefined : "unlisted";
}

/** Whether two policies and authorities are the same, as far as certificates depend on them. */
function isSame(one: Means | undefined, other: Means | undefined): boolean {
  if (one === undefined || other === undefined) {
    return one === other;
  }
  return (
    one.authority.certificatePem === other.authority.certificatePem &&
    JSON.stringify(one.policy) === JSON.stringify(other.policy)
  );
}

function isZodError(error: unknown): boolean {
  return error instanceof Error && error.name.includes("ZodError");
}
