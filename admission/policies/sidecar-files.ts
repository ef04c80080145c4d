/** The sidecar reads its own service's files, whole; its key, its token and its admin socket are its alone. */
import { ISSUING } from "../../mesh/issuing";
import { IDENTITY_TOKEN, SIDECAR_PATHS } from "../../mesh/wire";
import type { AdmissionData } from "../data";
import { list } from "../literal";
import { inZones, POD_MAKERS } from "../match";
import type { AdmissionPolicy } from "../model";
import { CONTAINER_VARIABLES, exemption, POD_CONDITIONS, POD_VARIABLES } from "../pods";

const KEY_SUFFIX = "-tls";
const ETCD_KEY_SUFFIX = "-etcd-tls";

export function sidecarFiles(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-sidecar-files",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones(POD_MAKERS),
      matchConditions: POD_CONDITIONS,
      variables: [
        ...POD_VARIABLES,
        ...CONTAINER_VARIABLES,
        ...exemption(data),
        list("etcdClients", data.etcdClients),
        { name: "volumes", expression: "variables.spec.?volumes.orValue([])" },
        {
          name: "mounts",
          expression: "variables.initContainers.map(each, each.?volumeMounts.orValue([]))",
        },
        { name: "sidecarMounts", expression: "size(variables.mounts) > 0 ? variables.mounts[0] : []" },
        // A pod without a sidecar is lucid-sidecars' to refuse: of several refusals kubectl shows one, and that is the one that tells the mend.
        { name: "unread", expression: "variables.exempt || size(variables.initContainers) == 0" },
        {
          name: "others",
          expression: `variables.containers.filter(each, size(variables.initContainers) == 0 || each.name != variables.initContainers[0].name)`,
        },
        {
          name: "private",
          expression: `variables.volumes.filter(volume, ${holdsKey("volume")} || ${holdsToken("volume")} || variables.sidecarMounts.exists(mount, mount.name == volume.name && mount.mountPath == "${SIDECAR_PATHS.run}")).map(volume, volume.name)`,
        },
      ],
      validations: [
        {
          expression: `variables.unread || (${mounted(SIDECAR_PATHS.config, isConfiguration("volume"))})`,
          message: `what the sidecar reads at ${SIDECAR_PATHS.config} is not its service's own; mount the projected ConfigMaps <service>-envoy, <service>-trust and (optional) ${IDENTITY_TOKEN.keysConfigMap} there, whole`,
        },
        {
          expression: `variables.unread || (${mounted(SIDECAR_PATHS.certificate, `volume.?secret.?secretName.orValue("") == variables.service + "${KEY_SUFFIX}" && !has(volume.secret.items) && !volume.secret.?optional.orValue(false)`)})`,
          message: `what the sidecar reads at ${SIDECAR_PATHS.certificate} is not its service's own; mount Secret <service>${KEY_SUFFIX} there, whole`,
        },
        {
          expression: `variables.unread || (${mounted(SIDECAR_PATHS.token, isToken("volume"))})`,
          message: `what the sidecar reads at ${SIDECAR_PATHS.token} is not its identity token; mount the projected service-account token for ${IDENTITY_TOKEN.audience} of ${IDENTITY_TOKEN.lifetimeSeconds} s there, as file ${IDENTITY_TOKEN.file}`,
        },
        {
          expression: `variables.exempt || variables.sidecarMounts.all(mount, !["${SIDECAR_PATHS.config}/", "${SIDECAR_PATHS.certificate}/", "${SIDECAR_PATHS.token}/"].exists(folder, mount.mountPath.startsWith(folder)))`,
          message: "a volume covers a part of the sidecar's files; take the mount out",
        },
        {
          expression:
            "variables.exempt || !variables.others.exists(each, each.?volumeMounts.orValue([]).exists(mount, mount.name in variables.private))",
          message:
            "another container than the sidecar mounts its key, its identity token or its admin socket; take the mount out: what needs TLS goes through the sidecar",
        },
        {
          expression:
            `!variables.others.exists(each, each.?env.orValue([]).exists(variable, variable.?valueFrom.?secretKeyRef.?name.orValue("").endsWith("${KEY_SUFFIX}")) || ` +
            `each.?envFrom.orValue([]).exists(source, source.?secretRef.?name.orValue("").endsWith("${KEY_SUFFIX}")))`,
          message:
            "variables hold a part of a certificate's Secret; take them out: what needs TLS goes through the sidecar",
        },
        {
          expression:
            `variables.volumes.all(volume, volume.?secret.?secretName.orValue("") != "${ISSUING.secret}" && ` +
            `volume.?projected.?sources.orValue([]).all(source, source.?secret.?name.orValue("") != "${ISSUING.secret}"))`,
          message: `a pod mounts ${ISSUING.secret}, by which the zone's certificates are signed; take it out: the zone's issuer alone reads it, and by the Kubernetes API`,
        },
      ],
    },
  };
}

/** CEL: the sidecar mounts exactly one volume at a path, all of it, and it is the right one. */
function mounted(path: string, isOwn: string): string {
  return (
    `variables.sidecarMounts.exists_one(mount, mount.mountPath.matches("^${path}/*$")) && ` +
    `variables.sidecarMounts.all(mount, !mount.mountPath.matches("^${path}/*$") || (!has(mount.subPath) && !has(mount.subPathExpr) && ` +
    `variables.volumes.exists(volume, volume.name == mount.name && ${isOwn})))`
  );
}

function isConfiguration(volume: string): string {
  const whole = (index: number, name: string, optional: boolean) =>
    `${volume}.projected.sources[${index}].?configMap.?name.orValue("") == ${name} && !has(${volume}.projected.sources[${index}].configMap.items) && ` +
    `${volume}.projected.sources[${index}].configMap.?optional.orValue(false) == ${optional}`;
  return (
    `size(${volume}.?projected.?sources.orValue([])) == 3 && ${volume}.projected.sources.all(source, size(source) == 1) && ` +
    `${whole(0, 'variables.service + "-envoy"', false)} && ${whole(1, 'variables.service + "-trust"', false)} && ${whole(2, `"${IDENTITY_TOKEN.keysConfigMap}"`, true)}`
  );
}

function isToken(volume: string): string {
  const token = `${volume}.projected.sources[0].serviceAccountToken`;
  return (
    `size(${volume}.?projected.?sources.orValue([])) == 1 && has(${token}) && ${token}.?audience.orValue("") == "${IDENTITY_TOKEN.audience}" && ` +
    `${token}.?expirationSeconds.orValue(0) == ${IDENTITY_TOKEN.lifetimeSeconds} && ${token}.path == "${IDENTITY_TOKEN.file}"`
  );
}

/** CEL: whether a volume holds a key that the sidecar alone may read; one for etcd, of whom is heard there, opens no way into the mesh. */
function holdsKey(volume: string): string {
  const secret = `${volume}.?secret.?secretName.orValue("")`;
  return (
    `(${secret}.endsWith("${KEY_SUFFIX}") && !(variables.party in variables.etcdClients && ${secret} == variables.service + "${ETCD_KEY_SUFFIX}")) || ` +
    `${volume}.?projected.?sources.orValue([]).exists(source, source.?secret.?name.orValue("").endsWith("${KEY_SUFFIX}"))`
  );
}

function holdsToken(volume: string): string {
  return `${volume}.?projected.?sources.orValue([]).exists(source, source.?serviceAccountToken.?audience.orValue("") == "${IDENTITY_TOKEN.audience}")`;
}
