import type { Elector } from "../election/elector.js";
import type { ClockSkew } from "./clock-skew.js";
import type { IssuerHealth } from "./server.js";
import type { ZoneIssuer } from "./zone-issuer.js";

/** What is asked how an issuer is. */
export interface IssuerParts {
  /** While this process issues. */
  readonly issuer: Pick<ZoneIssuer, "state" | "failing"> | undefined;
  readonly elector: Pick<Elector, "leading" | "leader">;
  readonly skew: Pick<ClockSkew, "milliseconds">;
}

/** Most services that a reason names. */
const NAMED = 5;

/**
 * How an issuer is. One that waits for its authority is well: the zone's own stack may bring it later. One that follows is, once it knows whom.
 */
export function healthOf({ issuer, elector, skew }: IssuerParts): IssuerHealth {
  const reasons: string[] = [];
  const state = issuer?.state;
  if (!elector.leading && elector.leader === undefined) {
    reasons.push("it is not known yet who issues");
  }
  if (elector.leading && (state === undefined || state.kind === "starting")) {
    reasons.push("what is signed by was never read yet");
  }
  if (state?.kind === "broken") {
    reasons.push(state.reason);
  }
  const failing = issuer?.failing ?? [];
  if (failing.length > 0) {
    const more = failing.length > NAMED ? ` and ${String(failing.length - NAMED)} more` : "";
    reasons.push(`no good certificate could be made for ${failing.slice(0, NAMED).join(", ")}${more}`);
  }
  return {
    healthy: reasons.length === 0,
    leading: elector.leading,
    state: state?.kind ?? "following",
    reasons,
    ...(skew.milliseconds === undefined ? {} : { clockSkew: Math.round(skew.milliseconds) }),
  };
}
