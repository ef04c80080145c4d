import type { Field } from "../judgement/field";
import { parseYaml } from "./files";
import type { Scope } from "./scope";
import { closedKeys, isType } from "./shape";

const SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret";
const CERTIFICATES = /^(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n*)+$/;

/**
 * Checks a `<service>-trust` ConfigMap: one file a zone, with that zone's roots and nothing that would loosen the checks of the listeners it is merged
 * into. The roots may be unknown at preview; the same check runs again, on the known text, before the object is created.
 */
export function checkTrust(data: Field, { findings, ceiling }: Scope): void {
  for (const [name, entry] of data.entries()) {
    const zone = name.endsWith(".yaml") ? name.slice(0, -".yaml".length) : "";
    if (!Object.hasOwn(ceiling.members, zone)) {
      findings.add(entry, "the file is no zone's", "name it <zone>.yaml");
      continue;
    }
    if (!entry.isUnknown) checkRoots(parseYaml(entry), zone, findings);
  }
}

/** Checks the `certificate.yaml` beside the listeners: key and certificate come from the sidecar's own Secret, by file. */
export function checkCertificate(file: Field, { findings }: Scope): void {
  const folder = "/etc/envoy/certificate";
  closedKeys(file, ["version_info", "resources"], findings);
  for (const secret of file.at("resources").items()) {
    closedKeys(secret, ["@type", "name", "tls_certificate"], findings);
    const certificate = secret.at("tls_certificate");
    closedKeys(certificate, ["certificate_chain", "private_key", "watched_directory"], findings);
    findings.require(
      isType(secret, SECRET) &&
        secret.at("name").is("leaf") &&
        certificate.at("certificate_chain", "filename").is(`${folder}/tls.crt`) &&
        certificate.at("private_key", "filename").is(`${folder}/tls.key`),
      secret,
      "the sidecar's certificate does not come from its own Secret",
      `name the files tls.crt and tls.key in ${folder}`,
    );
  }
}

function checkRoots(file: Field, zone: string, findings: Scope["findings"]): void {
  closedKeys(file, ["version_info", "resources"], findings);
  const resources = file.at("resources").items();
  findings.require(resources.length === 1, file, "the file has not exactly one secret", `keep trust/${zone}`);
  for (const secret of resources) {
    closedKeys(secret, ["@type", "name", "validation_context"], findings);
    closedKeys(secret.at("validation_context"), ["trusted_ca"], findings);
    closedKeys(secret.at("validation_context", "trusted_ca"), ["inline_string"], findings);
    findings.require(
      isType(secret, SECRET) && secret.at("name").is(`trust/${zone}`),
      secret,
      "the secret is not the roots of the file's zone",
      `name it trust/${zone}`,
    );
    findings.require(
      CERTIFICATES.test(secret.at("validation_context", "trusted_ca", "inline_string").text() ?? ""),
      secret.at("validation_context", "trusted_ca", "inline_string"),
      "the roots are something else than PEM certificates",
      "put the zone's root certificates there, and nothing else",
    );
  }
}
