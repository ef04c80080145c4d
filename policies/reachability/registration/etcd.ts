import { NAMES, prefixOfService, serviceOfKey } from "../../etcd/names";
import { ROOT_ROLE, includes, permissionFor, rangeOfPrefix, representativeKeys } from "../../etcd/permissions";
import type { EtcdUser } from "../../etcd/permissions";
import type { Credential, Directory, Entitlement, Item, Right } from "./model";

/** A user of etcd's. */
export interface EtcdCredential extends Credential {
  readonly user: EtcdUser;
}

export interface EtcdItem extends Item {
  readonly key: string;
}

const RIGHTS = ["read", "write"] as const;
/** The least key that there can be. */
const FIRST = "\0";
const ALL = rangeOfPrefix(NAMES);

/** etcd's keys, with who may read and write which. */
export class EtcdDirectory implements Directory {
  readonly backend = "etcd";

  constructor(readonly credentials: readonly EtcdCredential[]) {}

  items(services: readonly string[]): readonly EtcdItem[] {
    const own = services.map((service): EtcdItem => ({
      text: `the names of ${service}`,
      service,
      isName: true,
      key: prefixOfService(service),
    }));
    const ranges = [
      ...this.credentials.flatMap(({ user }) => user.permissions.map(({ range }) => range)),
      ...services.map((service) => rangeOfPrefix(prefixOfService(service))),
      ALL,
    ];
    const known = new Set(own.map(({ key }) => key));
    const others = [FIRST, ...representativeKeys(ranges)].filter((key) => !known.has(key));
    return [...own, ...others.map(otherItem)];
  }

  granted(credential: Credential, item: Item): readonly Right[] {
    const { user } = credential as EtcdCredential;
    return RIGHTS.filter((right) => permissionFor(user, right, (item as EtcdItem).key) !== undefined);
  }

  groundOf(credential: Credential, item: Item, right: Right): string {
    const { user, place } = credential as EtcdCredential;
    const found = permissionFor(user, right === "write" ? "write" : "read", (item as EtcdItem).key);
    const ground = found === ROOT_ROLE ? "the role root" : (found?.ground ?? "no role is about that");
    return `${place.object}, ${ground}`;
  }

  entitled({ isRoot, registers, readsAll }: Entitlement, item: Item): readonly Right[] {
    const { key } = item as EtcdItem;
    if (isRoot) return RIGHTS;
    const service = serviceOfKey(key);
    if (service !== undefined && registers.has(service)) return RIGHTS;
    return readsAll && includes(ALL, key) ? ["read"] : [];
  }
}

function otherItem(key: string): EtcdItem {
  const service = serviceOfKey(key);
  const text =
    service === undefined
      ? `keys from ${JSON.stringify(key)} on`
      : `names of ${service}, from the key ${JSON.stringify(key)} on`;
  return { text: key === FIRST ? "the first of all keys" : text, isName: service !== undefined, key };
}
