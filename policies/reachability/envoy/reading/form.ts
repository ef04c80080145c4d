import { checkBootstrap } from "../../../envoy/bootstrap";
import { checkClusters } from "../../../envoy/clusters";
import { checkListeners } from "../../../envoy/listeners";
import { closedKeys } from "../../../envoy/shape";
import type { Scope } from "../../../envoy/scope";
import { checkCredential, checkTokens, checkTokensElsewhere } from "../../../envoy/token";
import { checkCertificate } from "../../../envoy/trust";
import type { Field } from "../../../judgement/field";
import { checkMessages } from "./any";
import { Findings } from "../../../judgement/finding";
import type { Finding } from "../../../judgement/finding";
import type { Owner } from "./owner";
import { tokenDatacenter } from "../tokens";
import { everyEdge } from "./every-edge";
import type { SidecarFiles } from "./every-edge";

const CHECKS: Readonly<Record<string, (file: Field, scope: Scope) => void>> = {
  "bootstrap.yaml": checkBootstrap,
  "listeners.yaml": checkListeners,
  "clusters.yaml": checkClusters,
  "certificate.yaml": checkCertificate,
  "credential.yaml": checkCredential,
  "tokens.yaml": checkTokens,
};
export const FILES: readonly string[] = Object.keys(CHECKS);

/** Lists of which every sidecar has one element: with none its listeners never come up. */
const ONE_EACH: readonly (readonly [file: string, path: readonly string[]])[] = [
  ["certificate.yaml", ["resources"]],
  ["credential.yaml", ["resources"]],
  ["bootstrap.yaml", ["static_resources", "clusters"]],
];

/**
 * What of the files has not the form of a sidecar's, by the pack's strict reading: unknown fields and filters, listeners that none of the table are, RBAC
 * that is missing, out of place or open, TLS without a certificate's identity. Only files of that form can be read; who may reach whom is no matter of the
 * form, so every edge is allowed here.
 */
export function formFindings(
  files: SidecarFiles,
  { zone, service, datacenter }: Pick<Owner, "zone" | "service" | "datacenter">,
): readonly Finding[] {
  const findings = new Findings();
  const scope: Scope = { zone, service, ceiling: everyEdge(files, `${zone}/${service}`, datacenter), findings };
  for (const [name, check] of Object.entries(CHECKS)) {
    const file = files[name];
    if (file === undefined) findings.add("data", `${name} is missing`, "render it with envoy/");
    else {
      check(file, scope);
      checkMessages(file, findings);
    }
  }
  for (const [name, file] of Object.entries(files)) {
    const elsewhere = tokenDatacenter(name);
    if (elsewhere === undefined) continue;
    checkTokensElsewhere(file, elsewhere, scope);
    checkMessages(file, findings);
  }
  checkOwn(files, findings);
  for (const [name, path] of ONE_EACH) {
    const list = files[name]?.at(...path);
    if (list !== undefined && list.items().length !== 1)
      findings.add(list, "there is not exactly one", "render the file with envoy/");
  }
  return findings.list;
}

/** What the pack's reading leaves open: how the sidecar reaches its own interface, and that its certificate is read again when it changes. */
function checkOwn(files: SidecarFiles, findings: Findings): void {
  for (const admin of files["bootstrap.yaml"]?.at("static_resources", "clusters").items() ?? []) {
    const [locality, ...localities] = admin.at("load_assignment", "endpoints").items();
    const [host, ...hosts] = locality?.at("lb_endpoints").items() ?? [];
    findings.require(
      localities.length + hosts.length === 0 &&
        admin.at("type").is("STATIC") &&
        host?.at("endpoint", "address", "pipe", "path").text() ===
          files["bootstrap.yaml"]?.at("admin", "address", "pipe", "path").text(),
      admin,
      "the sidecar's own interface isn't one socket, the one that the interface has",
      "render the file with envoy/",
    );
  }
  const checks = Object.entries(files).filter(
    ([name]) => name === "tokens.yaml" || tokenDatacenter(name) !== undefined,
  );
  for (const extension of checks.flatMap(([, file]) => file.at("resources").items())) {
    const rules = extension.at("typed_config", "rules");
    const [requests, connections, ...others] = rules.items().map((rule) => rule.at("match"));
    findings.require(
      requests?.keys().join() === "prefix" &&
        requests.at("prefix").is("/") &&
        connections?.keys().join() === "connect_matcher" &&
        connections.at("connect_matcher").isEmpty &&
        others.length === 0,
      rules,
      "the token of some requests isn't looked at, so they are refused",
      "name prefix / and connect_matcher",
    );
  }
  for (const secret of files["certificate.yaml"]?.at("resources").items() ?? []) {
    const certificate = secret.at("tls_certificate");
    closedKeys(certificate.at("certificate_chain"), ["filename"], findings);
    closedKeys(certificate.at("private_key"), ["filename"], findings);
    closedKeys(certificate.at("watched_directory"), ["path"], findings);
    findings.require(
      certificate.at("watched_directory", "path").is("/etc/envoy/certificate"),
      certificate,
      "a new certificate isn't taken",
      "watch /etc/envoy/certificate",
    );
  }
}
