import type { Field } from "../judgement/field";
import { parseYaml } from "./files";
import type { Scope } from "./scope";
import { closedKeys, isType } from "./shape";
import { isZone } from "./tls";

const SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret";
const CERTIFICATES = pems("CERTIFICATE");
const REVOCATION_LISTS = pems("X509 CRL");

/** One or more PEM blocks of a kind, and nothing else. */
function pems(kind: string): RegExp {
  return new RegExp(`^(-----BEGIN ${kind}-----\\n[A-Za-z0-9+/=\\n]+-----END ${kind}-----\\n*)+$`);
}

/**
 * Checks a `<service>-trust` ConfigMap: one file a zone, with that zone's roots, the revocation lists of its issuing authorities, and nothing that would loosen
 * the checks of the listeners it is merged into. Its text may be unknown at preview; the same check runs again, on the known text, before the object is created.
 */
export function checkTrust(data: Field, { findings, ceiling }: Scope): void {
  for (const [name, entry] of data.entries()) {
    const zone = name.endsWith(".yaml") ? name.slice(0, -".yaml".length) : "";
    if (!isZone(zone, ceiling)) {
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
    const context = secret.at("validation_context");
    closedKeys(context, ["trusted_ca", "crl", "only_verify_leaf_cert_crl"], findings);
    closedKeys(context.at("trusted_ca"), ["inline_string"], findings);
    closedKeys(context.at("crl"), ["inline_string"], findings);
    findings.require(
      isType(secret, SECRET) && secret.at("name").is(`trust/${zone}`),
      secret,
      "the secret is not the roots of the file's zone",
      `name it trust/${zone}`,
    );
    const roots = context.at("trusted_ca", "inline_string");
    findings.require(
      CERTIFICATES.test(roots.text() ?? ""),
      roots,
      "the roots are something else than PEM certificates",
      "put the zone's root certificates there, one at least, and nothing else",
    );
    const lists = context.at("crl", "inline_string");
    findings.require(
      REVOCATION_LISTS.test(lists.text() ?? ""),
      lists,
      "no revocation list says which certificates of the zone were revoked",
      "put a PEM revocation list of each of the zone's issuing authorities there; one that revokes nothing is empty",
    );
    findings.require(
      context.at("only_verify_leaf_cert_crl").is(true),
      context.at("only_verify_leaf_cert_crl"),
      "roots sign no revocation lists, so every certificate would be refused",
      "set only_verify_leaf_cert_crl: true",
    );
  }
}
