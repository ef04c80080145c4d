import type { Ceiling } from "../ceiling";
import type { KubeObject } from "./object";

/** The member, as `<zone>/<service>`, whose name an object's name is or begins with: of several the longest. @throws Unjudgeable */
export function ownerOf(object: KubeObject, ceiling: Pick<Ceiling, "members">): string | undefined {
  const zone = object.zone(ceiling);
  const name = object.name ?? "";
  const owners = (ceiling.members[zone ?? ""] ?? []).filter(
    (member) => name === member || name.startsWith(`${member}-`),
  );
  const longest = owners.sort((one, other) => other.length - one.length)[0];
  return zone === undefined || longest === undefined ? undefined : `${zone}/${longest}`;
}
