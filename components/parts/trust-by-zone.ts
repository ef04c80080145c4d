import * as pulumi from "@pulumi/pulumi";
import type { ZoneName } from "../../mesh";
import type { ZoneTrust } from "../certificate-authority";
import type { Zone } from "../zone";
import type { OwnPart } from "./own-part";

/** By which each zone is believed: the authority of a zone that is made here, or what the stack of another part told. */
export function trustByZone(
  zones: Partial<Readonly<Record<ZoneName, Zone>>>,
  part: OwnPart | undefined,
): Record<ZoneName, ZoneTrust> {
  const trust = (name: ZoneName): ZoneTrust => {
    const own = zones[name]?.authority;
    if (own !== undefined) return own;
    if (part === undefined) throw new RangeError(`zone ${name} is neither made nor told of`);
    const { rootsPem, revocationsPem } = part.trustIn(name);
    return { rootsPem: pulumi.output(rootsPem), revocationsPem: pulumi.output(revocationsPem) };
  };
  return {
    ops: trust("ops"),
    chain: trust("chain"),
    wallet: trust("wallet"),
    mesh: trust("mesh"),
    edge: trust("edge"),
  };
}
