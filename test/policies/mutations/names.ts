import type { Mesh } from "../../../mesh";
import type { Generalize } from "./place";

/** The names of a mesh's parties in texts. */
export interface Names {
  readonly generalize: Generalize;
  readonly anotherOf: (text: string) => readonly string[];
}

export function namesOf(mesh: Mesh): Names {
  const services = [...mesh.services.map(({ name }) => name)].sort((one, other) => other.length - one.length);
  const zones = mesh.zones.map(({ name }) => name);
  const inWords = (names: readonly string[]) => new RegExp(`(?<![a-z])(${names.join("|")})(?![a-z])`, "g");
  const [anyService, anyZone] = [inWords(services), inWords(zones)];
  const nextOf = (names: readonly string[], name: string) => names[(names.indexOf(name) + 1) % names.length] ?? name;
  return {
    generalize: (text) => text.replaceAll(anyService, "<service>").replaceAll(anyZone, "<zone>"),
    anotherOf: (text) =>
      [
        text.replaceAll(anyService, (name) => nextOf(services, name)),
        // A service's name may hold a zone's.
        text
          .replaceAll(anyService, (name) => name.toUpperCase())
          .replaceAll(anyZone, (name) => nextOf(zones, name))
          .replaceAll(/[A-Z][A-Z-]+/g, (name) => (services.includes(name.toLowerCase()) ? name.toLowerCase() : name)),
      ].filter((other) => other !== text),
  };
}
