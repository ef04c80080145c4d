/** All checks of meaning. Each says nothing about values whose shape the schema has refused already. */
import type { Draft } from "../document/draft";
import type { Path, Report } from "../document/problems";
import { checkAddresses } from "./addresses";
import { checkAmplification } from "./amplification";
import { checkAuthentication } from "./authentication";
import { checkCalls } from "./calls";
import { checkDatacenters } from "./datacenters";
import { checkEndUsers } from "./end-users";
import { checkExternals } from "./external";
import { checkJobs } from "./jobs";
import { checkMembership } from "./membership";
import { checkNames } from "./names";
import { checkPorts } from "./ports";
import { checkTraffic } from "./traffic";
import { checkVersions } from "./versions";
import { checkWorkloads } from "./workload";

/**
 * Runs every check.
 *
 * @param raw the value at a path of the document as written, to tell a missing value from a wrong one
 */
export function checkMeaning(draft: Draft, raw: (path: Path) => unknown, report: Report): void {
  checkMembership(draft, report);
  checkNames(draft, report);
  checkWorkloads(draft, raw, report);
  checkJobs(draft, report);
  checkExternals(draft, report);
  checkPorts(draft, raw, report);
  checkCalls(draft, report);
  checkVersions(draft, report);
  checkAddresses(draft, report);
  checkTraffic(draft, report);
  checkAmplification(draft, report);
  checkEndUsers(draft, report);
  checkAuthentication(draft, report);
  checkDatacenters(draft, raw, report);
}
