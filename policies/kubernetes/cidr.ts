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
