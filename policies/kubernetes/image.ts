import type { Field } from "../judgement/field";
/** An image reference, taken apart (https://pkg.go.dev/github.com/distribution/reference). */
export interface ImageReference {
  /** Registry and path: `docker.io/library/busybox`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…`. */
  readonly digest?: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** `1.66.2`, `v1.40.0`, `0.1.0-3f2a…`: names one build, where `latest`, `1`, `1.25` or `20-slim` move. */
const EXACT_VERSION = /^v?\d+\.\d+\.\d+(\.\d+)*([-+._][0-9A-Za-z][0-9A-Za-z._+-]*)?$/;

/** Takes a reference apart; undefined for one that is malformed. Short names are completed as container runtimes do. */
export function parseImage(text: string): ImageReference | undefined {
  const [named = "", digest, ...rest] = text.split("@");
  if (rest.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const path = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (!/^[a-z0-9][a-zA-Z0-9._:/-]*$/.test(path) || (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)))
    return undefined;
  return {
    repository: withRegistry(path),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Whether the reference names one build for ever. */
export function isPinned(image: ImageReference): boolean {
  return image.digest !== undefined || (image.tag !== undefined && EXACT_VERSION.test(image.tag));
}

function withRegistry(path: string): string {
  const [first = "", ...rest] = path.split("/");
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  if (isRegistry) return path.replace(/^index\.docker\.io\//, "docker.io/");
  return rest.length === 0 ? `docker.io/library/${path}` : `docker.io/${path}`;
}

/** The repository of a container's image; undefined where it is not known, or no image is. @throws Unjudgeable */
export function repositoryOf(container: Field): string | undefined {
  const image = container.at("image");
  return image.isUnknown ? undefined : parseImage(image.text() ?? "")?.repository;
}
