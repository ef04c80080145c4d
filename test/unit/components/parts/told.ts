/** What the stacks of parts tell each other, without deploying them. */
import type { PartData } from "../../../../components";
import { peersOf } from "../../../../components/parts/own-part";
import { documentDigest, sharedSettings } from "../../../../components/parts/shared-settings";
import type { ToldParts } from "../../../../components/parts/read-parts";
import { trustDomainOf, type ZoneName } from "../../../../mesh";
import { Authority } from "../../../integration/envoy/pki";
import { lucid, settings } from "../../proof/lucid";

export const TEXT = "a document";
/** What part `mesh` has deployed. */
export const BASIS = { admission: "0123456789abcdef", startGate: "registry.lucid.internal/lucid/start-gate:1" };

const FIRST = { roots: [1], issuers: [1] };

/** What a part tells that is deployed beside all others, with authorities of the test's own. */
export async function tells(part: ZoneName, changes: Partial<PartData> = {}): Promise<PartData> {
  const { roots, revocations } = await (await Authority.create(trustDomainOf(part))).bundle();
  return {
    format: 1,
    part,
    trust: { rootsPem: roots, revocationsPem: revocations, generations: FIRST },
    believes: Object.fromEntries(peersOf(lucid, part).map((peer) => [peer, FIRST])),
    declaration: { document: documentDigest(TEXT), settings: sharedSettings(settings) },
    ...(part === "mesh" ? { shared: BASIS } : {}),
    ...changes,
  };
}

/** Parts as they were read. */
export function read(...data: readonly PartData[]): ToldParts {
  const zones: readonly ZoneName[] = ["ops", "chain", "wallet", "mesh", "edge"];
  return {
    told: new Map(data.map((one) => [one.part, one])),
    places: new Map(zones.map((zone) => [zone, `stack organization/lucid-mesh/prod-${zone}`])),
  };
}
