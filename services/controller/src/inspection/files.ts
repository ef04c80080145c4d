/** What the files of a sidecar say of themselves, as they stand in its ConfigMap. Pure. */
import { detached } from "../detached.js";

/** The files by which a sidecar runs, and of which it tells the version. */
export const VERSIONED = ["listeners.yaml", "clusters.yaml"] as const;
export type VersionedFile = (typeof VERSIONED)[number];

/** One of them. */
export interface FileFacts {
  /** Its `version_info`; empty where it has none that could be read. */
  readonly version: string;
  /** Listeners in it. */
  readonly listeners: number;
}

export type SidecarFiles = Readonly<Record<VersionedFile, FileFacts>>;

/** ConfigMaps with the files of a sidecar end so. */
const SUFFIX = "-envoy";
const VERSION = /^version_info:\s*(["']?)([^"'\s]+)\1\s*$/m;
const LISTENER = /@type["']?:\s*["']?type\.googleapis\.com\/envoy\.config\.listener\.v3\.Listener\b/g;

/** @returns undefined of a ConfigMap that holds something else */
export function sidecarFilesOf(name: string, data: Readonly<Record<string, string>>): SidecarFiles | undefined {
  if (!name.endsWith(SUFFIX)) return undefined;
  const facts = (file: VersionedFile): FileFacts => {
    const text = data[file] ?? "";
    return { version: detached(VERSION.exec(text)?.[2] ?? ""), listeners: text.match(LISTENER)?.length ?? 0 };
  };
  return { "listeners.yaml": facts("listeners.yaml"), "clusters.yaml": facts("clusters.yaml") };
}

/** Name of the ConfigMap with the files of a service's sidecars. */
export function filesConfigMap(service: string): string {
  return `${service}${SUFFIX}`;
}
