/** An IPv4 block as its first and last address. */
export interface Block {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

/** Parses `a.b.c.d/n`; undefined for anything else (IPv6 too, which the mesh does not use). */
export function parseCidr(text: string): Block | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map(Number);
  const prefix = numbers[4] ?? 33;
  if (prefix > 32 || numbers.slice(0, 4).some((octet) => octet > 255)) return undefined;
  const address = numbers.slice(0, 4).reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - prefix);
  const first = address - (address % size);
  return { first, last: first + size - 1, prefix };
}

/** Whether all of `inner` lies in `outer`. */
export function contains(outer: Block, inner: Block): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}

/** Whether the two share an address. */
export function overlap(a: Block, b: Block): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Blocks whose addresses lead nowhere outside a cluster's own network (RFC 1918; RFC 6598). */
const PRIVATE = blocks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10");
/** Blocks that are nobody's in a network: this host, loopback, link-local (a cloud's metadata service among them), multicast and reserved. */
const NOBODY = blocks("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4");

/** Whether a block holds an address outside the cluster's own networks. */
export function isOutside(block: Block): boolean {
  return !PRIVATE.some((inner) => contains(inner, block));
}

/** Whether a CIDR holds an address of the open internet. What is none is taken for one. */
export function isClearnet(cidr: string): boolean {
  const block = parseCidr(cidr);
  return block === undefined || isOutside(block);
}

/** Blocks of a network's own, and of nobody, that `block` touches: who may leave the cluster has no business with these. */
export function innerBlocks(block: Block): readonly Block[] {
  return [...PRIVATE, ...NOBODY].filter((inner) => overlap(inner, block));
}

/** Whether a block touches addresses that are nobody's. */
export function touchesNobody(block: Block): boolean {
  return NOBODY.some((inner) => overlap(inner, block));
}

function blocks(...texts: readonly string[]): readonly Block[] {
  return texts.flatMap((text) => parseCidr(text) ?? []);
}
