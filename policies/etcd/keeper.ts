/** The keeper of etcd's users: root there, and in a pod without a sidecar. */
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { repositoryOf } from "../kubernetes/image";
import { isWhole } from "../kubernetes/mounts";
import type { Mounted } from "../kubernetes/mounts";

/** Its service account, and the name of all that is its own. */
export const KEEPER = "etcd-access";
/** The controller's image, of which it is a program. */
const IMAGE = /\/mesh-controller$/;
const PROGRAM = "node /app/etcd-access.cjs";

const MOUNTS: readonly Mounted[] = [
  { folder: "/etc/etcd/tls", kind: "secret", object: `${KEEPER}-tls` },
  { folder: "/etc/etcd/passwords", kind: "secret", object: `${KEEPER}-passwords` },
  { folder: "/etc/etcd/access", kind: "configMap", object: `${KEEPER}-document` },
];

/** Its settings, by what each may say. */
const SETTINGS: Readonly<Record<string, RegExp>> = {
  ETCD_ADDR: /^https:\/\/\d+(\.\d+){3}:2379$/,
  ETCD_TLS_SERVER_NAME: /^etcd\.lucid\.internal$/,
  ETCD_CACERT: /^\/etc\/etcd\/tls\/ca\.crt$/,
  ETCD_CERT: /^\/etc\/etcd\/tls\/tls\.crt$/,
  ETCD_KEY: /^\/etc\/etcd\/tls\/tls\.key$/,
  ETCD_PASSWORDS_DIR: /^\/etc\/etcd\/passwords$/,
  ETCD_ACCESS: /^\/etc\/etcd\/access\/access\.json$/,
  ACCESS_PORT: /^\d{1,5}$/,
};

/** Whether a container of a pod without a sidecar is the keeper. Its image may be known only once it is built; the stack rule then proves where it comes from. */
export function isKeeper(spec: Field, container: Field): boolean {
  return (
    spec.at("serviceAccountName").is(KEEPER) &&
    (container.at("image").isUnknown || IMAGE.test(repositoryOf(container) ?? ""))
  );
}

/** Checks that it is that program, gives the rights of the judged document, and asks etcd under its own certificate. */
export function checkKeeper(spec: Field, container: Field, findings: Findings): void {
  const said = [...container.at("command").texts(), ...container.at("args").texts()];
  findings.require(
    said.join(" ") === PROGRAM && container.at("envFrom").isEmpty && container.at("lifecycle").isEmpty,
    container.at("command"),
    "the container runs something else than the keeper, or takes settings from elsewhere",
    `set command ["node", "/app/etcd-access.cjs"], and name each variable`,
  );
  const variables = container.at("env").items();
  const names = new Set(variables.map((variable) => variable.at("name").text() ?? ""));
  for (const variable of variables) {
    const name = variable.at("name").text() ?? "";
    findings.require(
      Object.hasOwn(SETTINGS, name) && SETTINGS[name]?.test(variable.at("value").text() ?? "") === true,
      variable,
      `the keeper's ${name} is ${variable.at("value").shown()}, which is none of its settings or names another etcd, certificate or document`,
      `leave ${Object.keys(SETTINGS).join(", ")}, as EtcdAccess sets them`,
    );
  }
  findings.require(
    names.size === variables.length && Object.keys(SETTINGS).every((name) => names.has(name)),
    container.at("env"),
    "a setting of the keeper is missing, or stands there twice",
    `set each of ${Object.keys(SETTINGS).join(", ")} once`,
  );
  const mounts = container.at("volumeMounts").items();
  findings.require(
    mounts.length === MOUNTS.length && MOUNTS.every((wanted) => mounts.some((mount) => isWhole(spec, mount, wanted))),
    container.at("volumeMounts"),
    "the keeper reads something else than its own certificate, passwords and document",
    `mount ${MOUNTS.map(({ folder, object }) => `${object} at ${folder}`).join(", ")}, each whole, and nothing else`,
  );
}
