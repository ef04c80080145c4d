/** End users: of a port whose requests can be seen, with keys that are public, and by rules that can apply. */
import { carriesRequests } from "../defaults";
import {
  draftServices,
  type Draft,
  type DraftEndUserRule,
  type DraftEndUsers,
  type DraftPort,
} from "../document/draft";
import { keySetProblems } from "../authentication/jwks";
import { show, type Path, type Report } from "../document/problems";
import { WELL_KNOWN } from "../wire";
import { OTLP_PORT } from "./names";

/** Headers that mean something else already, or that only a sidecar may set. */
const TAKEN_HEADERS =
  /^(authorization|cookie|host|x-forwarded-.*|x-envoy-.*|x-request-id|x-end-user-claims|x-lucid-.*)$/;

/** The end users of every port. */
export function checkEndUsers(draft: Draft, report: Report): void {
  for (const { service, path } of draftServices(draft)) {
    (service.ports ?? []).forEach((port, index) => {
      const users = port.endUsers;
      if (users === undefined) return;
      const at: Path = [...path, "ports", index, "endUsers"];
      checkPlace(service.name, port, draft, at, report);
      checkToken(users, at, report);
      checkKeys(users, at, report);
      checkRules(users.rules ?? [], [...at, "rules"], report);
    });
  }
}

/** Requests must be seen to have a token, and infrastructure brings none. */
function checkPlace(service: string | undefined, port: DraftPort, draft: Draft, path: Path, report: Report): void {
  if (port.protocol !== undefined && !carriesRequests(port.protocol)) {
    const message = `port ${show(port.name)} speaks tcp, whose connections bring no token`;
    report(path, message, "take 'endUsers' out, or declare another protocol");
  }
  const spans = service === WELL_KNOWN.jaeger && port.name === OTLP_PORT;
  const questions = service !== undefined && service === draft.authentication?.service && port.protocol === "grpc";
  if (spans || questions) {
    const who = spans ? "sidecars send their spans here" : "sidecars ask here about their callers";
    report(path, `${who}, and they act for no end user`, "take 'endUsers' out, or declare a port of its own");
  }
}

function checkToken(users: DraftEndUsers, path: Path, report: Report): void {
  if (users.header !== undefined && users.cookie !== undefined) {
    report([...path, "cookie"], "'cookie' stands beside 'header'", "say one place for the token");
  }
  if (users.header !== undefined && TAKEN_HEADERS.test(users.header)) {
    const mend = "take another, or leave the key out for 'Authorization: Bearer'";
    report([...path, "header"], `the header ${show(users.header)} has a meaning already`, mend);
  }
  if (users.cookie !== undefined && users.forwardToken === false) {
    const message = "a sidecar takes no cookie out of a request, so the application would get the token";
    report([...path, "forwardToken"], message, "have the token in a header, or take the key out");
  }
}

function checkKeys(users: DraftEndUsers, path: Path, report: Report): void {
  if (users.jwks === undefined && users.jwksFile === undefined) {
    report([...path, "jwks"], "nothing says by which keys tokens are checked", "write 'jwks', or name 'jwksFile'");
  }
  if (users.jwks !== undefined && users.jwksFile !== undefined) {
    report([...path, "jwksFile"], "'jwksFile' stands beside 'jwks'", "keep one of them");
  }
  const keys = (users.jwks?.keys ?? []).filter((key) => typeof key === "object" && key !== null);
  for (const problem of keySetProblems(keys)) {
    report([...path, "jwks", "keys", ...problem.path], problem.message, problem.mend);
  }
}

function checkRules(rules: readonly (DraftEndUserRule | undefined)[], path: Path, report: Report): void {
  rules.forEach((rule, index) => {
    if (rule === undefined) return;
    const at: Path = [...path, index];
    if (rule.methods === undefined && rule.paths === undefined) {
      report(at, "the rule is about every request", "name paths or methods; what holds for all stands above the rules");
      return;
    }
    if (rule.anonymous === true && Array.isArray(rule.claims) && rule.claims.length > 0) {
      report([...at, "claims"], "the rule asks no token and wants claims of it", "keep 'anonymous' or 'claims'");
    }
    if (rule.anonymous === true && rule.methods === undefined && rule.paths?.includes("/*") === true) {
      report(at, "every request is let in without a token", "name the paths that need none, or take 'endUsers' out");
    }
    const earlier = rules.slice(0, index).findIndex((other) => other !== undefined && covers(other, rule));
    if (earlier >= 0) {
      const message = `the rule never applies: all that it is about is decided by rules[${String(earlier)}]`;
      report(at, message, "put the narrower rule first");
    }
  });
}

/** Whether every request that fits `inner` fits `outer` too. */
function covers(outer: DraftEndUserRule, inner: DraftEndUserRule): boolean {
  const methods = outer.methods;
  const paths = outer.paths;
  return (
    (methods === undefined || inner.methods?.every((method) => methods.includes(method)) === true) &&
    (paths === undefined ||
      inner.paths?.every((path) => paths.some((other) => path !== undefined && pathCovers(other ?? "", path))) === true)
  );
}

function pathCovers(outer: string, inner: string): boolean {
  return outer.endsWith("*") ? inner.startsWith(outer.slice(0, -1)) : outer === inner;
}
