/** Kubernetes' quantities: the API server may give one back in another form than it was given. */
const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Whether two values are the same amount, in whatever form. */
export function isSameQuantity(one: unknown, other: unknown): boolean {
  const amount = amountOf(one);
  return amount !== undefined && amount === amountOf(other);
}

function amountOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const [, digits, suffix] = (typeof value === "string" ? /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(value) : null) ?? [];
  if (digits === undefined || suffix === undefined || !Object.hasOwn(SUFFIXES, suffix)) return undefined;
  return Number(digits) * (SUFFIXES[suffix] ?? Number.NaN);
}
