/** How what the program declared is written down in the cluster, for who compares it with what is there: ConfigMaps in each zone's namespace. Pulumi writes them, and nobody else. */
export const DECLARATION = {
  /** Label of these ConfigMaps, by which they are found; `objects`, `trust` or `done`. */
  label: "lucid.internal/declaration",
  /** Prefix of the ConfigMaps that hold what is declared: written before the first object of their zone is changed. */
  prefix: "lucid-declared-",
  /** ConfigMap whose annotations hold the digests of the files by which sidecars trust each zone: written before the first of those files is changed. */
  trust: "lucid-declared-trusted",
  /** ConfigMap that holds digests of what is declared: written after the last object of its zone was changed, and deleted before the first is. */
  done: "lucid-declared-done",
} as const;

/** Annotation with the digest of the file by which sidecars trust a zone. */
export function trustDigestAnnotation(zone: string): string {
  return `lucid.internal/trust-${zone}-digest`;
}

/** Key of an object in a declaration. */
export function declaredKey({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return [kind, ...(namespace === undefined ? [] : [namespace]), name].join(".");
}
