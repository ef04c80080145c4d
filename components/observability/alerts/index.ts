export { alertGroups, alertRulesFile, runbookOf, type AlertSettings } from "./rules";
export type { AlertGroup, AlertRule, Severity } from "./rule";
