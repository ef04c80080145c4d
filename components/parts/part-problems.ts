/** Whether a part may be deployed as the others are by now, and what is to be done after it. */
import type { Mesh, ZoneName } from "../../mesh";
import { acceptedOf, generationsOf, type AcceptedGenerations } from "../identity/generations";
import type { Settings } from "../stack/settings";
import { peersOf } from "./own-part";
import { SHARED_PART } from "./part";
import type { SharedBasis } from "./part-data";
import type { ToldParts } from "./read-parts";
import { differingKeys, documentDigest, sharedSettings } from "./shared-settings";

/** What the program knows of its own part. */
export interface PartPlan {
  readonly zone: ZoneName;
  readonly mesh: Mesh;
  readonly settings: Settings;
  /** The document's text. */
  readonly text: string;
  /** What part `mesh` has to have deployed for it. */
  readonly basis: SharedBasis;
}

/** One line each. */
export interface PartProblems {
  /** An update would fail, or break calls: nothing may be made. A preview goes on. */
  readonly refusals: readonly string[];
  /** What is closed as long as another part is not deployed, or not as this one is. */
  readonly notices: readonly string[];
}

/** Holds a part against what the others told. */
export function partProblems(plan: PartPlan, parts: ToldParts): PartProblems {
  return {
    refusals: [...withoutBasis(plan, parts), ...stepsTooEarly(plan, parts)],
    notices: [...closed(plan, parts), ...unaware(plan, parts), ...otherDeclarations(plan, parts)],
  };
}

/** Everything stands on what part `mesh` deploys. */
function withoutBasis({ zone, basis }: PartPlan, { told, places }: ToldParts): string[] {
  if (zone === SHARED_PART) return [];
  const first = `run \`pulumi up\` of part ${SHARED_PART} first`;
  const shared = told.get(SHARED_PART)?.shared;
  if (shared === undefined)
    return [
      `part ${SHARED_PART} is not deployed (${placeOf(places, SHARED_PART)}), which has the node resolvers, the controller, the admission policies and the start gate's image; ${first}`,
    ];
  return [
    ...(shared.admission === basis.admission
      ? []
      : [
          `the admission policies that part ${SHARED_PART} has deployed are of another document or configuration, and would refuse what this one declares; ${first}`,
        ]),
    ...(shared.startGate === basis.startGate
      ? []
      : [
          `pods would wait for the image ${basis.startGate}, and what part ${SHARED_PART} has pushed is ${shared.startGate}; ${first}, by the same release of the package`,
        ]),
  ];
}

/** A certificate is issued by a new authority once every peer believes that. One that is taken out at once is not waited for. */
function stepsTooEarly({ zone, settings }: PartPlan, { told, places }: ToldParts): string[] {
  const { roots, issuers } = generationsOf(zone, settings);
  if (roots.compromised.length > 0 || issuers.compromised.length > 0) return [];
  return [...told].flatMap(([part, { believes }]) => {
    const believed = believes[zone];
    // Whom a part does not believe yet has no call with it to lose.
    if (believed === undefined) return [];
    const missing = [
      ...(believed.roots.includes(roots.issuing) ? [] : [`root ${String(roots.issuing)}`]),
      ...(believed.issuers.includes(issuers.issuing) ? [] : [`issuing authority ${String(issuers.issuing)}`]),
    ];
    return missing.length === 0
      ? []
      : [
          `part ${part} (${placeOf(places, part)}) would refuse what ${missing.join(" and ")} of zone ${zone} signs: it has not been given it; run \`pulumi up\` of part ${part}, and then of this one`,
        ];
  });
}

/** Zones whose services are refused here. */
function closed({ zone, mesh }: PartPlan, { told, places }: ToldParts): string[] {
  return (
    peersOf(mesh, zone)
      // What is not deployed at all is refused already.
      .filter((peer) => peer !== SHARED_PART && !told.has(peer))
      .map(
        (peer) =>
          `part ${peer} is not deployed (${placeOf(places, peer)}): nobody of it is believed, so calls with it are refused; once it is, run \`pulumi up\` of part ${zone} again`,
      )
  );
}

/** Parts that do not know this one's authorities as they will be, and are to: whom this one lets look at its sidecars need not speak with it. */
function unaware({ zone, mesh, settings }: PartPlan, { told }: ToldParts): string[] {
  const own = acceptedOf(generationsOf(zone, settings));
  return peersOf(mesh, zone).flatMap((peer) => {
    const data = told.get(peer);
    if (data === undefined || !peersOf(mesh, peer).includes(zone)) return [];
    const believed = data.believes[zone];
    if (believed !== undefined && listOf(believed) === listOf(own)) return [];
    const what = believed === undefined ? "believes nobody of" : "has been given other authorities of";
    return [`part ${peer} ${what} zone ${zone}; run \`pulumi up\` of part ${peer} after this one`];
  });
}

/** Parts are proven by one document and configuration, and deployed one after the other. */
function otherDeclarations({ settings, text }: PartPlan, { told }: ToldParts): string[] {
  const own = sharedSettings(settings);
  return [...told].flatMap(([part, { declaration }]) => {
    const keys = differingKeys(own, declaration.settings).map((key) => `lucid-mesh:${key}`);
    const what = [...(declaration.document === documentDigest(text) ? [] : ["another document"]), ...keys];
    return what.length === 0
      ? []
      : [
          `part ${part} is deployed from another declaration than this one: ${what.join(", ")}; have the stacks of all parts say the same, and run \`pulumi up\` of each`,
        ];
  });
}

function listOf({ roots, issuers }: AcceptedGenerations): string {
  return JSON.stringify([roots, issuers]);
}

function placeOf(places: ToldParts["places"], part: ZoneName): string {
  return places.get(part) ?? "lucid-mesh:partStacks says so";
}
