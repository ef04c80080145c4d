/** Where services run, and which datacenters answer a call: what the document's checks and its resolution agree on. */

/** What of a service decides where it runs and who answers for it. */
export interface Placed {
  readonly plane?: string | undefined;
  readonly datacenters?: readonly (string | undefined)[] | undefined;
  readonly failover?: readonly (string | undefined)[] | undefined;
}

/** Whose services may call whose, by the caller's datacenter. */
export type Links = Readonly<
  Record<string, { readonly calls?: readonly { readonly datacenter?: string | undefined }[] | undefined }>
>;

/** The plane whose calls stay where they are made: it is an isolated network. */
export const STAYING_PLANE = "wallet";

/** Whether a service runs in a datacenter. */
export function runsIn({ datacenters }: Pick<Placed, "datacenters">, datacenter: string): boolean {
  return datacenters?.includes(datacenter) ?? true;
}

/** Whether a link leads from one datacenter to another. */
export function isLinked(links: Links, from: string, to: string): boolean {
  return Object.hasOwn(links, from) && links[from]?.calls?.some(({ datacenter }) => datacenter === to) === true;
}

/** The datacenters that answer a call made in one of them: that one, if the callee runs there, and then those of its failover that a link leads to. */
export function answering(caller: Placed, callee: Placed, from: string, links: Links): readonly string[] {
  const here = runsIn(callee, from) ? [from] : [];
  if (caller.plane === STAYING_PLANE || callee.plane === STAYING_PLANE) return here;
  const others = (callee.failover ?? []).filter(
    (name): name is string => name !== undefined && name !== from && isLinked(links, from, name),
  );
  return [...here, ...others.filter((name) => runsIn(callee, name))];
}
