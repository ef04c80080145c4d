/** Who may be in which zone: the document's closed lists, and the members that the platform itself fixes. */
import { draftServices, membersOf, type Draft } from "../document/draft";
import { ZONES, type Plane, type ZoneName } from "../model";
import { show, type Report } from "../document/problems";
import { listed } from "../document/suggest";

/**
 * Planes whose members no document can change: Chain holds consensus and anchoring only, Wallet the TRON payment and the payout router only.
 * Ops has no fixed list; the document's own is closed as well.
 */
export const FIXED_MEMBERS: ReadonlyMap<ZoneName, readonly string[]> = new Map<Plane, readonly string[]>([
  ["chain", ["lucid-blocks"]],
  ["wallet", ["tron-payment", "payout-router"]],
]);

/** The plane that a service's name is fixed to, if any. */
export function fixedZoneOf(service: string): ZoneName | undefined {
  for (const [zone, members] of FIXED_MEMBERS) if (members.includes(service)) return zone;
  return undefined;
}

/** Lists name only who may be there, and nobody twice; every service is listed in its zone. */
export function checkMembership(draft: Draft, report: Report): void {
  const members = new Map(ZONES.map((zone) => [zone, setOf(membersOf(draft, zone))]));
  const listedIn = new Map<string, ZoneName>();
  for (const zone of ZONES) {
    const fixed = FIXED_MEMBERS.get(zone);
    membersOf(draft, zone)?.forEach((member, index) => {
      if (member === undefined) return;
      const path = ["zones", zone, "members", index];
      const home = fixedZoneOf(member);
      const other = listedIn.get(member);
      if (fixed !== undefined && !fixed.includes(member)) {
        report(
          path,
          `${show(member)} can't be a member of ${zone}, which holds ${only(fixed)}`,
          "take it off the list",
        );
      } else if (home !== undefined && home !== zone) {
        report(path, `${show(member)} belongs to ${home} and nowhere else`, `list it under zones.${home}.members`);
      } else if (other !== undefined) {
        report(path, `${show(member)} is already a member of ${other}`, "list it once");
      }
      if (other === undefined && (home ?? zone) === zone) listedIn.set(member, zone);
    });
  }
  for (const { service, path } of draftServices(draft)) {
    const { name, plane } = service;
    if (name === undefined || plane === undefined) continue;
    const at = [...path, "plane"];
    const fixed = FIXED_MEMBERS.get(plane);
    const home = fixedZoneOf(name);
    if (fixed !== undefined && !fixed.includes(name)) {
      report(
        at,
        `${show(name)} is not a member of ${plane}, which holds ${only(fixed)}`,
        "declare it in another plane",
      );
    } else if (home !== undefined && home !== plane) {
      report(at, `${show(name)} belongs to ${home} and can't be in ${plane}`, `write 'plane: ${home}'`);
    } else if (members.get(plane)?.has(name) === false) {
      report(at, `${show(name)} is not a member of ${plane}`, `add it to zones.${plane}.members, if it belongs there`);
    }
  }
}

function setOf<T>(values: readonly T[] | undefined): ReadonlySet<T> | undefined {
  return values === undefined ? undefined : new Set(values);
}

function only(members: readonly string[]): string {
  return `${listed(members).replace(" or ", " and ")} only`;
}
