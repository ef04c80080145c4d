/**
 * Certificates in time: whether both ends of every edge share trust at every instant, as long as the assumptions hold. Pure, and computed from a plan's resources alone: it shares no
 * code with what makes certificates.
 */
export { DISTRIBUTION_HOURS, ISSUER_HOURS, assumptionsOf } from "./assumptions";
export { gapText, gaps, readTimeline, timelineViolations } from "./judge";
export type { TimelineReading } from "./judge";
export { HOURS_PER_DAY } from "./model";
export type { Assumptions, Certificate, Edge, Instant, Party, Role, Timeline } from "./model";
export { ROLES, hoursText, renewalOf } from "./renewal";
export type { Renewal } from "./renewal";
export { stepGaps } from "./trust";
export type { GivenUp } from "./trust";
