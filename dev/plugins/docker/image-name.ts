/** Whether the name says which registry it belongs to: its first part is a host. */
export function isQualified(name: string): boolean {
  return registryOf(name) !== undefined;
}

/** The registry's host and port, or `undefined` for a short name (which Docker takes for one of Docker Hub). */
export function registryOf(name: string): string | undefined {
  const [first, ...rest] = name.split("/");
  const isHost = first !== undefined && rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : undefined;
}

/** Repository and tag; the tag is `latest` where none is given. A digest is no part of an image that is to be built. */
export function splitTag(name: string): { readonly repository: string; readonly tag: string } {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/")
    ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { repository: name, tag: "latest" };
}

/** The repository as the engine writes it: without the host and the `library` of Docker Hub. */
export function familiarRepository(name: string): string {
  return splitTag(name)
    .repository.replace(/^(?:index\.)?docker\.io\//, "")
    .replace(/^library\//, "");
}
