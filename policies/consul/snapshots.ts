/** What takes snapshots beside a Consul server: it may write ACLs, and stands in a pod without a sidecar. */
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { repositoryOf } from "../kubernetes/image";
import { allContainers, volumeNamed } from "../kubernetes/pods";

/** ServiceAccount of Consul's servers. */
const SERVERS = "consul";
const IMAGE = /\/snapshots$/;
const TOKEN_SECRET = "consul-snapshots";
const TLS_SECRET = "consul-tls";
const ROOTS = "ca.crt";

/** Its settings, by what each may say. */
const SETTINGS: Readonly<Record<string, RegExp>> = {
  CONSUL_RAFT_ADDRESS: /^\$\(POD_IP\):8300$/,
  CONSUL_HTTP_ADDR: /^https:\/\/127\.0\.0\.1:8501$/,
  CONSUL_CACERT: /^\/etc\/consul\/trust\/ca\.crt$/,
  CONSUL_TLS_SERVER_NAME: /^server\.[a-z0-9-]+\.discovery\.lucid\.internal$/,
  CONSUL_HTTP_TOKEN_FILE: /^\/etc\/consul\/snapshots\/token$/,
  SNAPSHOTS_DIR: /^\/consul\/snapshots$/,
  SNAPSHOT_INTERVAL: /^\d{1,6}$/,
  SNAPSHOTS_KEPT: /^\d{1,4}$/,
  SNAPSHOT_METRICS_PORT: /^\d{4,5}$/,
};
const OWN_ADDRESS = "POD_IP";

/** What it mounts, by the folder. Its snapshots lie on a claim of the StatefulSet's template, which is no volume of the pod's own. */
const MOUNTS: Readonly<Record<string, (volume: Field | undefined) => boolean>> = {
  "/consul/snapshots": (volume) => volume === undefined,
  "/etc/consul/trust": (volume) =>
    volume?.at("secret", "secretName").is(TLS_SECRET) === true && holdsRootsAlone(volume),
  "/etc/consul/snapshots": (volume) =>
    volume?.at("secret", "secretName").is(TOKEN_SECRET) === true && volume.at("secret", "items").isEmpty,
};

/** Whether a container of a pod without a sidecar is it. */
export function isSnapshotTaker(spec: Field, container: Field): boolean {
  return spec.at("serviceAccountName").is(SERVERS) && IMAGE.test(repositoryOf(container) ?? "");
}

/** Checks that it is its image's own program, asks its own server under TLS, and reads its token, the roots and nothing else. */
export function checkSnapshotTaker(spec: Field, container: Field, findings: Findings): void {
  const isOwnProgram = ["command", "args", "envFrom", "lifecycle"].every((key) => container.at(key).isEmpty);
  findings.require(
    isOwnProgram,
    container,
    "what takes snapshots runs something else than its image's own program, or takes settings from elsewhere",
    "leave command, args, envFrom and lifecycle out",
  );
  const variables = container.at("env").items();
  for (const variable of variables) {
    const name = variable.at("name").text() ?? "";
    const isOwn =
      name === OWN_ADDRESS
        ? variable.at("valueFrom", "fieldRef", "fieldPath").is("status.podIP")
        : Object.hasOwn(SETTINGS, name) && SETTINGS[name]?.test(variable.at("value").text() ?? "") === true;
    findings.require(
      isOwn,
      variable,
      `the ${name} of what takes snapshots is none of its settings, or names another server, token or folder`,
      `leave ${Object.keys(SETTINGS).join(", ")}, as ConsulCluster sets them`,
    );
  }
  const names = new Set(variables.map((variable) => variable.at("name").text() ?? ""));
  findings.require(
    names.size === variables.length && Object.keys(SETTINGS).every((name) => names.has(name)),
    container.at("env"),
    "a setting of what takes snapshots is missing, or stands there twice",
    `set each of ${Object.keys(SETTINGS).join(", ")} once`,
  );
  const mounts = container.at("volumeMounts").items();
  const folders = new Set(mounts.map((mount) => mount.at("mountPath").text() ?? ""));
  findings.require(
    mounts.every((mount) => isOwnMount(spec, mount)) &&
      folders.size === mounts.length &&
      mounts.length === Object.keys(MOUNTS).length,
    container.at("volumeMounts"),
    "what takes snapshots reads or writes something else than its snapshots, its token and the roots",
    `mount ${Object.keys(MOUNTS).join(", ")}, as ConsulCluster does, and nothing else`,
  );
}

/** Checks that no other container reads the token by which snapshots are taken. */
export function checkTokenOfSnapshots(spec: Field, findings: Findings): void {
  for (const { field } of allContainers(spec)) {
    if (isSnapshotTaker(spec, field)) continue;
    for (const mount of field.at("volumeMounts").items()) {
      const volume = volumeNamed(spec, mount.at("name").text() ?? "");
      findings.require(
        volume?.at("secret", "secretName").is(TOKEN_SECRET) !== true,
        mount,
        "another container reads the token by which snapshots are taken",
        "mount it where snapshots are taken alone",
      );
    }
  }
}

function isOwnMount(spec: Field, mount: Field): boolean {
  const folder = mount.at("mountPath").text() ?? "";
  return (
    Object.hasOwn(MOUNTS, folder) &&
    MOUNTS[folder]?.(volumeNamed(spec, mount.at("name").text() ?? "")) === true &&
    mount.at("subPath").isEmpty &&
    mount.at("subPathExpr").isEmpty
  );
}

/** Not the servers' key, which lies beside the roots. */
function holdsRootsAlone(volume: Field): boolean {
  const [item, ...others] = volume.at("secret", "items").items();
  return item !== undefined && others.length === 0 && item.at("key").is(ROOTS) && item.at("path").is(ROOTS);
}
