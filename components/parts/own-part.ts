import { ZONES, peerZones, type Mesh, type ZoneName } from "../../mesh";
import { generationsOf, type AcceptedGenerations } from "../identity/generations";
import { trustInNobody, type TrustText } from "../identity/nobody";
import type { Declaration } from "../stack/declaration";
import { believedOf } from "./believed";
import type { PartData } from "./part-data";
import type { ToldParts } from "./read-parts";
import { documentDigest, sharedSettings } from "./shared-settings";

/** The part of the mesh that a stack deploys, and what the others told of theirs. */
export interface OwnPart {
  readonly zone: ZoneName;
  /** By which another zone is believed. */
  readonly trustIn: (zone: ZoneName) => TrustText;
  /** Whose generations those are, of the zones with whose services this one's speak. */
  readonly believes: Partial<Readonly<Record<ZoneName, AcceptedGenerations>>>;
  /** What it is deployed from. */
  readonly declaration: PartData["declaration"];
}

/** What a stack deploys by what the others told: of a part that told nothing, nobody is believed. */
export function ownPart({ mesh, settings, text }: Declaration, zone: ZoneName, { told }: ToldParts): OwnPart {
  const believed = new Map(
    [...told].map(([other, { trust }]) => [other, believedOf(other, trust, generationsOf(other, settings))] as const),
  );
  const known = peersOf(mesh, zone).flatMap((peer) => {
    const trust = believed.get(peer);
    return trust === undefined ? [] : [[peer, trust.generations] as const];
  });
  return {
    zone,
    trustIn: (other) => believed.get(other) ?? trustInNobody(other),
    believes: Object.fromEntries(known),
    declaration: { document: documentDigest(text), settings: sharedSettings(settings) },
  };
}

/** The other zones with whose services those of a zone speak. */
export function peersOf(mesh: Mesh, zone: ZoneName): readonly ZoneName[] {
  const services = mesh.services.filter((service) => service.zone === zone);
  const peers = new Set(services.flatMap((service) => peerZones(mesh, service)));
  return ZONES.filter((other) => other !== zone && peers.has(other));
}
