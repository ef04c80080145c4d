/** What a call may ask: rules that can be enforced, and that some request can satisfy. */
import type { DraftCall, DraftPort, DraftRule } from "../document/draft";
import { carriesRequests } from "../defaults";
import { show, type Path, type Report } from "../document/problems";

/** The method that every request of a protocol has. */
const ONLY_METHOD = { grpc: "POST", websocket: "GET" } as const;

/** Rules of one call, for the ports that it names. */
export function checkCallRules(call: DraftCall, ports: readonly DraftPort[], path: Path, report: Report): void {
  const short = call.methods !== undefined || call.paths !== undefined || call.grpc !== undefined;
  if (short && call.rules !== undefined) {
    report([...path, "rules"], "'rules' stands beside 'methods', 'paths' or 'grpc'", "move them into one of the rules");
  }
  const rules: readonly { readonly rule: DraftRule | undefined; readonly at: Path }[] =
    call.rules?.map((rule, index) => ({ rule, at: [...path, "rules", index] })) ??
    (short ? [{ rule: call, at: path }] : []);
  for (const { rule, at } of rules) {
    if (rule === undefined) continue;
    if (rule.methods === undefined && rule.paths === undefined && rule.grpc === undefined) {
      report(at, "an empty rule allows everything", "name methods or paths, or take 'rules' out");
    }
    if (rule.grpc !== undefined && (rule.methods !== undefined || rule.paths !== undefined)) {
      const mend = "write 'rules' with one rule of each";
      report([...at, "grpc"], "'grpc' stands beside 'methods' or 'paths', which it says already", mend);
    }
    checkTwice(rule.methods, [...at, "methods"], report);
    checkTwice(rule.paths, [...at, "paths"], report);
    checkTwice(rule.grpc, [...at, "grpc"], report);
    for (const port of ports) checkRule(rule, port, at, report);
  }
}

function checkRule(rule: DraftRule, port: DraftPort, path: Path, report: Report): void {
  const protocol = port.protocol;
  if (protocol === undefined) return;
  if (!carriesRequests(protocol)) {
    for (const key of ["methods", "paths", "grpc"] as const) {
      if (rule[key] === undefined) continue;
      report(
        [...path, key],
        `port ${show(port.name)} speaks tcp, which has no ${key === "grpc" ? "gRPC methods" : key}`,
        "take them out, or declare another call",
      );
    }
    return;
  }
  if (rule.grpc !== undefined && protocol !== "grpc" && protocol !== "http2") {
    const message = `port ${show(port.name)} speaks ${protocol}, which carries no gRPC`;
    report([...path, "grpc"], message, "name methods and paths, or declare a call of its own for that port");
  }
  const only = protocol === "grpc" || protocol === "websocket" ? ONLY_METHOD[protocol] : undefined;
  if (
    only === undefined ||
    rule.methods === undefined ||
    rule.methods.includes(only) ||
    rule.methods.includes(undefined)
  ) {
    return;
  }
  const message = `port ${show(port.name)} speaks ${protocol}, whose requests are ${only}, so nothing would be let through`;
  report([...path, "methods"], message, "declare a call of its own for that port, without methods");
}

function checkTwice(values: readonly (string | undefined)[] | undefined, path: Path, report: Report): void {
  (values ?? []).forEach((value, index) => {
    if (value === undefined || values?.indexOf(value) === index) return;
    report([...path, index], `${show(value)} stands twice`, "say it once");
  });
}
