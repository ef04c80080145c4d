import type { Credential, Directory, Entitlement, Item, Right } from "../model";

/** A credential, and what it is taken to be for; undefined where nobody is entitled to any. */
export interface Assignment {
  readonly credential: Credential;
  readonly entitlement: Entitlement | undefined;
}

/**
 * Takes each credential for what it comes closest to: no object says what a token is for but what it can do, and who has it. One that can do too much is told
 * from the others by what they are for: each entitlement has one credential first. What may do everything is of him alone who is named for it, and is one.
 *
 * @param atMost whether entitlements are a bound, that any number of credentials may come up to or not
 */
export function assign(
  directory: Directory,
  items: readonly Item[],
  entitlements: readonly Entitlement[],
  atMost: boolean,
): readonly Assignment[] {
  const entitled = new Map(
    entitlements.map((entitlement) => [entitlement, items.map((item) => directory.entitled(entitlement, item))]),
  );
  const pairs = directory.credentials.flatMap((credential) => {
    const granted = items.map((item) => directory.granted(credential, item));
    return entitlements
      .filter((entitlement) => !entitlement.isRoot || isNamedHolder(credential, entitlement))
      .map((entitlement) => {
        const wanted = entitled.get(entitlement) ?? [];
        const [more, less] = [beyond(granted, wanted), beyond(wanted, granted)];
        const others = strangers(credential, entitlement);
        const order = [...(atMost ? [others, more, less] : [more + less, others]), namedLast(credential, entitlement)];
        return { credential, entitlement, order };
      });
  });
  pairs.sort((one, other) => compareOrders(one.order, other.order));
  const taken = new Map<Credential, Entitlement>();
  const filled = new Set<Entitlement>();
  for (const mayShare of atMost ? [true] : [false, true]) {
    for (const { credential, entitlement } of pairs) {
      const isFull = filled.has(entitlement) && (!mayShare || (entitlement.isRoot && !atMost));
      if (taken.has(credential) || isFull) continue;
      taken.set(credential, entitlement);
      filled.add(entitlement);
    }
  }
  return directory.credentials.map((credential) => ({ credential, entitlement: taken.get(credential) }));
}

type Rights = readonly Right[];

/** How many rights some have that others have not, item by item. */
function beyond(some: readonly Rights[], others: readonly Rights[]): number {
  return some.reduce(
    (sum, rights, index) => sum + rights.filter((right) => others[index]?.includes(right) !== true).length,
    0,
  );
}

function isNamedHolder({ holders, isBuiltIn }: Credential, entitlement: Entitlement): boolean {
  if (holders?.length === 0) return isBuiltIn === true;
  return holders === undefined || holders.some(({ party }) => entitlement.holders.includes(party));
}

/** How many have a credential who are not named for it. */
function strangers({ holders = [] }: Credential, entitlement: Entitlement): number {
  return holders.filter(({ party }) => !entitlement.holders.includes(party)).length;
}

/** 0 where the credential bears the entitlement's word, else 1. */
function namedLast({ title }: Credential, { word }: Entitlement): number {
  return new RegExp(`(^|[^a-z])${word}([^a-z]|$)`).test(title) ? 0 : 1;
}

function compareOrders(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((value, at) => value !== other[at]);
  return index < 0 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}
