import { ETCD_CLIENT } from "../etcd/clients";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { allContainers, volumeNamed } from "../kubernetes/pods";

/** Volume of a sidecar: where it is mounted, and whether it is of the service's own objects and of nothing else. */
interface SidecarVolume {
  readonly mountPath: string;
  readonly isOwn: (volume: Field, service: string) => boolean;
  /** What to mount, for the mend. */
  readonly own: (service: string) => string;
}

/** ConfigMap with the cluster's token keys, which the controller writes: a pod may start before it is there. */
const KEYS = "mesh-tokens";
const TOKEN_AUDIENCE = "mesh.lucid.internal";
const TOKEN_SECONDS = 600;

const SIDECAR_VOLUMES: readonly SidecarVolume[] = [
  {
    mountPath: "/etc/envoy/config",
    isOwn: (volume, service) => {
      const sources = volume.at("projected", "sources").items();
      const [envoy, trust, keys] = sources;
      return (
        sources.length === 3 &&
        [envoy, trust, keys].every((source) => source?.keys().join() === "configMap") &&
        isWhole(envoy?.at("configMap"), "name", `${service}-envoy`) &&
        isWhole(trust?.at("configMap"), "name", `${service}-trust`) &&
        isKeys(keys?.at("configMap"))
      );
    },
    own: (service) => `the projected ConfigMaps ${service}-envoy, ${service}-trust and (optional) ${KEYS}`,
  },
  {
    mountPath: "/etc/envoy/token",
    isOwn: (volume) => {
      const sources = volume.at("projected", "sources").items();
      return sources.length === 1 && sources.every(isIdentityToken);
    },
    own: () =>
      `the projected service-account token for ${TOKEN_AUDIENCE} of ${String(TOKEN_SECONDS)} s, as file token,`,
  },
  {
    mountPath: "/etc/envoy/certificate",
    isOwn: (volume, service) => isWhole(volume.at("secret"), "secretName", `${service}-tls`),
    own: (service) => `Secret ${service}-tls`,
  },
];
const KEY_SUFFIX = "-tls";
const RUN_PATH = "/var/run/envoy";

/**
 * The sidecar reads the objects that bear its service's name: those that `envoy-listeners-mtls` judges. A configuration under another name would
 * be judged by nobody.
 */
export function checkSidecarVolumes(spec: Field, service: string | undefined, findings: Findings): void {
  const [sidecar] = spec.at("initContainers").items();
  if (sidecar === undefined || service === undefined) return;
  const mounts = sidecar.at("volumeMounts").items();
  for (const { mountPath, isOwn, own } of SIDECAR_VOLUMES) {
    const mend = `mount ${own(service)} at ${mountPath}, whole`;
    const here = mounts.filter((mount) => (mount.at("mountPath").text() ?? "").replace(/\/+$/, "") === mountPath);
    const mount = here[0];
    if (mount === undefined || here.length > 1) {
      findings.add(sidecar.at("volumeMounts"), `the sidecar has not exactly one volume at ${mountPath}`, mend);
      continue;
    }
    const volume = volumeNamed(spec, mount.at("name").text() ?? "");
    findings.require(
      volume !== undefined && isOwn(volume, service),
      volume ?? mount,
      `what the sidecar reads at ${mountPath} is not its own`,
      mend,
    );
    findings.require(
      mount.at("subPath").isEmpty && mount.at("subPathExpr").isEmpty,
      mount,
      "the sidecar mounts a part of the volume, which is never reloaded",
      mend,
    );
  }
  const covered = SIDECAR_VOLUMES.map(({ mountPath }) => mountPath);
  for (const mount of mounts) {
    const path = mount.at("mountPath").text() ?? "";
    const inside = covered.find((folder) => path.startsWith(`${folder}/`) && path.replace(/\/+$/, "") !== folder);
    findings.require(
      inside === undefined,
      mount.at("mountPath"),
      "a volume covers a part of the judged files",
      "take the mount out",
    );
  }
}

/** The object of this name with all of its files, which must be there. */
function isWhole(source: Field | undefined, nameKey: string, name: string): boolean {
  return (
    source !== undefined &&
    source.at(nameKey).is(name) &&
    source.at("items").isEmpty &&
    source.at("optional").isAbsentOr(false)
  );
}

function isKeys(source: Field | undefined): boolean {
  return (
    source !== undefined && source.at("name").is(KEYS) && source.at("items").isEmpty && source.at("optional").is(true)
  );
}

function isIdentityToken(source: Field): boolean {
  const token = source.at("serviceAccountToken");
  return (
    source.keys().join() === "serviceAccountToken" &&
    token.at("audience").is(TOKEN_AUDIENCE) &&
    token.at("expirationSeconds").is(TOKEN_SECONDS) &&
    token.at("path").is("token")
  );
}

/** The private key, the identity token and the admin socket are the sidecar's alone. */
export function checkPrivateVolumes(spec: Field, findings: Findings): void {
  const [sidecar] = spec.at("initContainers").items();
  const runVolumes = new Set(
    (sidecar?.at("volumeMounts").items() ?? [])
      .filter((mount) => (mount.at("mountPath").text() ?? "").replace(/\/+$/, "") === RUN_PATH)
      .map((mount) => mount.at("name").text()),
  );
  const keyVolumes = new Set(
    spec
      .at("volumes")
      .items()
      .filter(holdsKey)
      .map((volume) => volume.at("name").text()),
  );
  const tokenVolumes = new Set(
    spec
      .at("volumes")
      .items()
      .filter(holdsIdentityToken)
      .map((volume) => volume.at("name").text()),
  );
  for (const container of allContainers(spec)) {
    if (container.kind === "initContainers" && container.index === 0) continue;
    for (const mount of container.field.at("volumeMounts").items()) {
      const name = mount.at("name").text();
      findings.require(
        !runVolumes.has(name) && !keyVolumes.has(name) && !tokenVolumes.has(name),
        mount,
        `another container than the sidecar mounts ${
          keyVolumes.has(name)
            ? "a private key"
            : tokenVolumes.has(name)
              ? "an identity token"
              : "the sidecar's admin socket"
        }`,
        "take the mount out: what needs TLS goes through the sidecar",
      );
    }
    for (const variable of container.field.at("env").items()) {
      const secret = variable.at("valueFrom", "secretKeyRef", "name");
      findings.require(
        !isKeySecret(secret),
        secret,
        "a variable holds a part of a certificate's Secret",
        "take it out",
      );
    }
    for (const source of container.field.at("envFrom").items()) {
      const secret = source.at("secretRef", "name");
      findings.require(!isKeySecret(secret), secret, "variables hold a certificate's Secret", "take them out");
    }
  }
}

function holdsKey(volume: Field): boolean {
  const projected = volume.at("projected", "sources").items();
  return (
    isKeySecret(volume.at("secret", "secretName")) ||
    projected.some((source) => isKeySecret(source.at("secret", "name")))
  );
}

/** A token for the mesh, or for an audience that can't be told. */
function holdsIdentityToken(volume: Field): boolean {
  return volume
    .at("projected", "sources")
    .items()
    .some((source) => {
      const audience = source.at("serviceAccountToken", "audience");
      return source.has("serviceAccountToken") && (audience.isUnknown || audience.is(TOKEN_AUDIENCE));
    });
}

function isKeySecret(name: Field): boolean {
  const text = name.isUnknown ? undefined : (name.text() ?? "");
  return text === undefined || (text.endsWith(KEY_SUFFIX) && !text.endsWith(ETCD_CLIENT.secretSuffix));
}
