/** CEL of images: a repository of a list, and one build of it. */

/** What follows the repository's name: an exact version, or a digest. `latest`, `1` and `20-slim` move. */
const PINNED =
  "^(:v?[0-9]+\\\\.[0-9]+(\\\\.[0-9]+)*([-+._][0-9A-Za-z][0-9A-Za-z._+-]*)?(@sha256:[0-9a-f]{64})?|(:[0-9A-Za-z_][0-9A-Za-z_.-]{0,127})?@sha256:[0-9a-f]{64})$";

/** CEL: whether an image is of one of some repositories, and names one build. What is left of it behind the name holds no `/`, so it is the whole name. */
export function isPinnedOf(image: string, repositories: string): string {
  return `${repositories}.exists(name, ${image}.startsWith(name) && ${image}.substring(size(name)).matches("${PINNED}"))`;
}

/** The repository of an image's reference, as it is written there. */
export function repositoryOf(image: string): string {
  const [named = ""] = image.split("@");
  const colon = named.lastIndexOf(":");
  return colon > named.lastIndexOf("/") ? named.slice(0, colon) : named;
}

/** The spellings of a repository that a container runtime takes for the same (https://pkg.go.dev/github.com/distribution/reference). */
export function spellings(repository: string): readonly string[] {
  const [first = "", ...rest] = repository.split("/");
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const path = isRegistry ? rest.join("/") : repository;
  if (isRegistry && first !== "docker.io" && first !== "index.docker.io") return [repository];
  const full = path.includes("/") ? path : `library/${path}`;
  const short = full.startsWith("library/") ? [full.slice("library/".length)] : [];
  return [`docker.io/${full}`, `index.docker.io/${full}`, full, ...short];
}
