const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** An amount as Kubernetes writes it (`250m`, `96Mi`, `1`), in its unit's base (cores, bytes); undefined for what is none, or none that anybody would write. */
export function parseQuantity(text: string): number | undefined {
  const [, digits, suffix] = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text) ?? [];
  const factor = FACTORS[suffix ?? ""];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
