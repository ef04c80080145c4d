/** What an issuer runs: whoever runs in its pod can sign for its zone, and it stands behind no sidecar. */
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { repositoryOf } from "../kubernetes/image";
import { allContainers } from "../kubernetes/pods";
import { zoneOfIssuer } from "./names";

/** The controller's image, of which it is a program. */
const IMAGE = /\/mesh-controller$/;
const PROGRAM = "node /app/issuer.cjs";
/** Its settings, by what each may say, besides its zone. */
const SETTINGS: Readonly<Record<string, RegExp>> = {
  ISSUER_INTERVAL: /^[1-9]\d{0,3}$/,
  LOG_LEVEL: /^(debug|info|warn|error)$/,
};
const ZONE = "ISSUER_ZONE";

/** Whether a container of a pod without a sidecar is an issuer. Its image may be known only once it is built; the stack rule then proves where it comes from. */
export function isIssuer(spec: Field, container: Field): boolean {
  return (
    zoneOfIssuer(spec.at("serviceAccountName").text() ?? "") !== undefined &&
    (container.at("image").isUnknown || IMAGE.test(repositoryOf(container) ?? ""))
  );
}

/** Checks that it is that program, alone in its pod, of its own zone, and asks the cluster's own API server. */
export function checkIssuer(spec: Field, container: Field, findings: Findings): void {
  const zone = zoneOfIssuer(spec.at("serviceAccountName").text() ?? "") ?? "";
  findings.require(
    allContainers(spec).length === 1,
    spec.at("containers"),
    "another container stands beside the issuer, and could sign for its zone",
    "take it out",
  );
  const said = [...container.at("command").texts(), ...container.at("args").texts()];
  findings.require(
    said.join(" ") === PROGRAM && container.at("envFrom").isEmpty && container.at("lifecycle").isEmpty,
    container.at("command"),
    "the container runs something else than the issuer, or takes settings from elsewhere",
    `set command ["node", "/app/issuer.cjs"], and name each variable`,
  );
  const variables = container.at("env").items();
  for (const variable of variables) {
    const name = variable.at("name").text() ?? "";
    const value = variable.at("value").text() ?? "";
    const isSetting = name === ZONE ? value === zone : Object.hasOwn(SETTINGS, name) && SETTINGS[name]?.test(value);
    findings.require(
      isSetting === true,
      variable,
      `the issuer's ${name} is ${variable.at("value").shown()}, which is none of its settings or names another zone`,
      `leave ${[ZONE, ...Object.keys(SETTINGS)].join(", ")} alone, as Issuer sets them`,
    );
  }
  const zones = variables.filter((variable) => variable.at("name").is(ZONE));
  findings.require(
    zones.length === 1,
    container.at("env"),
    "the issuer is not told its zone once",
    `set ${ZONE} to ${zone}`,
  );
  findings.require(
    spec.at("volumes").isEmpty && container.at("volumeMounts").isEmpty,
    spec.at("volumes"),
    "the issuer reads further files: what it signs by it asks the Kubernetes API for",
    "take the volumes out",
  );
}
