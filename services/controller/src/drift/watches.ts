import { DECLARATION } from "../../../../mesh/declarations/index.js";
import { ZONES, type ZoneName } from "../../../../mesh/model.js";
import { namespaceOf } from "../../../../mesh/names.js";
import { ApiError, type KubernetesApi } from "../kubernetes/api.js";
import { follow, type Collection, type Follower, type FollowOptions } from "../kubernetes/follow.js";
import { describe, type Log } from "../log.js";
import type { AccessControl } from "../registry/access.js";
import { accountsOf } from "./about.js";
import { AccessWatch, type AccessTiming } from "./access.js";
import { clusterCollections, zoneCollections } from "./kinds.js";
import { parseLive, type LiveObject } from "./live.js";
import { liveKey, type ZoneDrift } from "./zone-drift.js";

/** The zone in whose declaration stands what is in no zone. */
const SHARED: ZoneName = "mesh";

export interface WatchesOptions {
  readonly follow?: FollowOptions;
  /** Who may do what at the discovery backend, where that is compared. */
  readonly access?: AccessControl;
  readonly accessTiming?: AccessTiming;
}

/** Who is told of what is seen. */
export interface Watcher {
  /** An object that stands in the zone's declaration, or would have to, has come, changed or gone. */
  readonly changed: (zone: ZoneDrift, key: string) => void;
  /** Any object of the zone may have. */
  readonly changedAll: (zone: ZoneDrift) => void;
  /** What is declared of the zone has changed. */
  readonly declared: (zone: ZoneDrift) => void;
  readonly failed: (where: string, error: unknown) => void;
}

/** Brings zones up to date: what was declared of them, what there is of it in the cluster, and who may do what at the discovery backend. */
export class Watches {
  private readonly declarationsListed = new Set<ZoneName>();
  /** Who compares the discovery backend with what `SHARED` declares. */
  private readonly access: AccessWatch | undefined;
  private signal = new AbortController().signal;

  constructor(
    private readonly reader: KubernetesApi,
    private readonly zones: readonly ZoneDrift[],
    private readonly watcher: Watcher,
    private readonly log: Log,
    private readonly options: WatchesOptions,
  ) {
    const shared = zones.find(({ name }) => name === SHARED);
    if (shared !== undefined && options.access !== undefined) this.access = this.accessWatch(options.access, shared);
  }

  /** Whether the declaration of a zone was seen, and all that is in its namespace. */
  haveListed(zone: ZoneDrift): boolean {
    const kinds = zoneCollections(zone.namespace).map(({ kind }) => kind);
    return this.declarationsListed.has(zone.name) && zone.hasListed(kinds);
  }

  /** Whether who may do what at the discovery backend is compared with what the zone declares. */
  followsAccess({ name }: Pick<ZoneDrift, "name">): boolean {
    return name === SHARED && this.access !== undefined;
  }

  /** Does it until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    const follows = this.zones.flatMap((zone) => [
      this.followDeclaration(zone),
      ...zoneCollections(zone.namespace).map((collection) => this.followObjects(collection, [zone], () => zone)),
    ]);
    const shared = this.zones.find(({ name }) => name === SHARED);
    if (shared !== undefined) {
      const zoneOf = (object: LiveObject): ZoneDrift | undefined => this.zoneOf(object, shared);
      follows.push(...clusterCollections().map((collection) => this.followObjects(collection, this.zones, zoneOf)));
    }
    if (this.access !== undefined) follows.push(this.access.run(signal));
    await Promise.all(follows);
  }

  /** In whose declaration an object of the whole cluster stands; undefined of what is nobody's. */
  private zoneOf(object: LiveObject, shared: ZoneDrift): ZoneDrift | undefined {
    const own = this.zones.find(({ namespace }) => namespace === object.namespace);
    if (own !== undefined) return own;
    if (shared.declaration.has(liveKey(object)) || shared.get(liveKey(object)) !== undefined) return shared;
    const isBinding = object.kind.kind.endsWith("Binding") && object.kind.class === "rights";
    if (isBinding) return accountsOf(object).length > 0 ? shared : undefined;
    // Of others it is not known yet whether they are declared.
    return ZONES.some((zone) => object.namespace === namespaceOf(zone)) ? undefined : shared;
  }

  private followDeclaration(zone: ZoneDrift): Promise<void> {
    const path = `/api/v1/namespaces/${zone.namespace}/configmaps`;
    const names = new Set<string>();
    const nameOf = (object: unknown): string => (object as { metadata: { name: string } }).metadata.name;
    const put = (name: string, object: unknown): void => {
      zone.putPart(name, object);
      if (object === undefined) names.delete(name);
      else names.add(name);
    };
    const declared = (): void => {
      zone.declarationRead();
      this.watcher.declared(zone);
      if (this.followsAccess(zone)) this.access?.lookNow();
    };
    return this.follow(
      { path, labelSelector: DECLARATION.label },
      {
        read: (object) => object,
        replaced: (objects) => {
          const present = new Map(objects.map((object) => [nameOf(object), object]));
          for (const name of [...names, ...present.keys()]) put(name, present.get(name));
          this.declarationsListed.add(zone.name);
          declared();
        },
        changed: (object) => {
          put(nameOf(object), object);
          declared();
        },
        deleted: (object) => {
          put(nameOf(object), undefined);
          declared();
        },
      },
    );
  }

  private followObjects(
    collection: ReturnType<typeof zoneCollections>[number],
    /** Zones of which the collection holds all objects of the kind. */
    zones: readonly ZoneDrift[],
    zoneOf: (object: LiveObject) => ZoneDrift | undefined,
  ): Promise<void> {
    const { kind } = collection;
    const known = new Map<string, ZoneDrift>();
    const put = (live: LiveObject, there: boolean): void => {
      const key = liveKey(live);
      const zone = known.get(key) ?? zoneOf(live);
      if (zone === undefined) return;
      zone.put(key, there ? live : undefined);
      if (there) known.set(key, zone);
      else known.delete(key);
      this.watcher.changed(zone, key);
    };
    return this.follow(collection, {
      read: (object) => parseLive(kind, object),
      replaced: (objects) => {
        const gone = new Map(known);
        for (const live of objects) {
          gone.delete(liveKey(live));
          put(live, true);
        }
        for (const [key, zone] of gone) {
          known.delete(key);
          zone.put(key, undefined);
        }
        for (const zone of zones) {
          zone.kindListed(kind);
          this.watcher.changedAll(zone);
        }
      },
      changed: (live) => {
        put(live, true);
      },
      deleted: (live) => {
        put(live, false);
      },
    });
  }

  private accessWatch(access: AccessControl, zone: ZoneDrift): AccessWatch {
    const follower = {
      changed: (key: string): void => {
        this.watcher.changed(zone, key);
      },
      looked: (): void => {
        this.watcher.changedAll(zone);
      },
      failed: (error: unknown): void => {
        this.watcher.failed("ACLs of the discovery backend", error);
      },
    };
    return new AccessWatch(access, zone, follower, this.options.accessTiming);
  }

  private follow<T>(collection: Collection, follower: Omit<Follower<T>, "failed">): Promise<void> {
    const failed = (error: unknown): void => {
      // What another stack has not deployed yet gives no right either.
      if (!(error instanceof ApiError && error.status === 403))
        this.watcher.failed(`watch of ${collection.path}`, error);
      else this.log.debug("not watched", { path: collection.path, error: describe(error) });
    };
    return follow(this.reader, collection, { ...follower, failed }, this.signal, this.options.follow);
  }
}
