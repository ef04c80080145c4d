import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { allContainers, inherited, makesPods, podTemplates } from "../kubernetes/pods";
import type { PodTemplate } from "../kubernetes/pods";

const SECURITY_LEVEL = "pod-security.kubernetes.io/enforce";
const SECURITY_VERSION = "pod-security.kubernetes.io/enforce-version";

/** Volumes that `restricted` allows; anything else, hostPath above all, is refused. */
const VOLUME_TYPES: readonly string[] = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** Sysctls that are namespaced and can't influence other pods (the baseline profile's list). */
const SAFE_SYSCTLS: readonly string[] = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

const SELINUX_TYPES: readonly string[] = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/**
 * Kubernetes' `restricted` Pod Security Standard (https://kubernetes.io/docs/concepts/security/pod-security-standards/), for each container by itself,
 * and a read-only root filesystem besides. The namespaces enforce it once more at admission.
 */
export const podSecurityRestricted: ResourceRule = {
  name: "pod-security-restricted",
  description:
    "Pods meet the restricted Pod Security Standard with a read-only root filesystem; the zones' namespaces enforce it.",
  severity: "high",
  remediation: "Give the pod the security contexts of components/pods/pod.ts, and the namespace the enforce label.",
  uses: [],
  takesExceptions: true,
  concerns: (type) => makesPods(type) || isKind(type, "Namespace"),
  judge(resource, _ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    if (object.kind === "Namespace") judgeNamespace(object, findings);
    for (const template of podTemplates(object)) judgePod(template, findings);
  },
};

function judgeNamespace(object: KubeObject, findings: Findings): void {
  const level = object.metadata.at("labels", SECURITY_LEVEL);
  findings.require(level.is("restricted"), level, `the namespace enforces ${level.shown()}`, "set it to `restricted`");
  const version = object.metadata.at("labels", SECURITY_VERSION);
  findings.require(
    version.isAbsentOr("latest"),
    version,
    `the namespace enforces an old version of the standard (${version.shown()})`,
    "set it to `latest`",
  );
}

function judgePod({ metadata, spec }: PodTemplate, findings: Findings): void {
  findings.require(
    spec.at("containers").items().length > 0,
    spec,
    "nothing of the pod is known",
    "give its containers as plain values",
  );
  for (const flag of ["hostNetwork", "hostPID", "hostIPC"]) {
    findings.require(
      spec.at(flag).isAbsentOr(false),
      spec.at(flag),
      `${flag} shares the node's namespace with the pod`,
      "leave it out",
    );
  }
  for (const sysctl of spec.at("securityContext", "sysctls").items()) {
    const name = sysctl.at("name");
    findings.require(name.isOneOf(SAFE_SYSCTLS), name, `${name.shown()} is not a safe sysctl`, "take it out");
  }
  for (const volume of spec.at("volumes").items()) {
    const types = volume.keys().filter((key) => key !== "name" && volume.has(key));
    findings.require(
      types.length === 1 && types.every((type) => VOLUME_TYPES.includes(type)),
      volume,
      `the volume is of type ${types.join(", ") || "none"}`,
      `take one of ${VOLUME_TYPES.join(", ")}`,
    );
  }
  for (const key of metadata.at("annotations").keys()) {
    findings.require(
      !/^(container\.apparmor\.security\.beta|seccomp\.security\.alpha|container\.seccomp\.security\.alpha)\./.test(
        key,
      ),
      metadata.at("annotations", key),
      "the annotation sets a profile in a form that is no longer read",
      "set it in the securityContext",
    );
  }
  judgeContext(spec.at("securityContext"), findings);
  const containers = allContainers(spec);
  for (const { field } of containers) judgeContainer(spec, field, findings);
}

/** What is refused in a pod's and in a container's securityContext alike. */
function judgeContext(context: Field, findings: Findings): void {
  const add = (field: Field, problem: string, mend: string) => {
    findings.add(field, problem, mend);
  };
  if (!context.at("runAsUser").isAbsent && context.at("runAsUser").is(0))
    add(context.at("runAsUser"), "runs as root", "take another user");
  if (!context.at("runAsNonRoot").isAbsentOr(true)) add(context.at("runAsNonRoot"), "allows root", "set it to true");
  if (!context.at("windowsOptions", "hostProcess").isAbsentOr(false))
    add(context.at("windowsOptions"), "is a host process", "take it out");
  const seccomp = context.at("seccompProfile", "type");
  if (!seccomp.isAbsent && !seccomp.isOneOf(["RuntimeDefault", "Localhost"])) {
    add(seccomp, `the seccomp profile is ${seccomp.shown()}`, "set RuntimeDefault");
  }
  const appArmor = context.at("appArmorProfile", "type");
  if (!appArmor.isAbsent && !appArmor.isOneOf(["RuntimeDefault", "Localhost"])) {
    add(appArmor, `the AppArmor profile is ${appArmor.shown()}`, "set RuntimeDefault");
  }
  const selinux = context.at("seLinuxOptions");
  if (!selinux.at("type").isAbsent && !selinux.at("type").isOneOf(["", ...SELINUX_TYPES])) {
    add(selinux.at("type"), "is not a container type", `take one of ${SELINUX_TYPES.join(", ")}`);
  }
  for (const key of ["user", "role"]) {
    if (!selinux.at(key).isEmpty) add(selinux.at(key), "sets an SELinux user or role", "take it out");
  }
}

function judgeContainer(spec: Field, container: Field, findings: Findings): void {
  const context = container.at("securityContext");
  judgeContext(context, findings);
  const must = (field: Field, holds: boolean, problem: string, mend: string) => {
    findings.require(holds, field, problem, mend);
  };
  const nonRoot = inherited(spec, container, "runAsNonRoot");
  must(context.at("runAsNonRoot"), nonRoot.is(true), "the container may run as root", "set runAsNonRoot: true");
  const seccomp = context.at("seccompProfile", "type").isAbsent
    ? spec.at("securityContext", "seccompProfile", "type")
    : context.at("seccompProfile", "type");
  must(
    context.at("seccompProfile"),
    seccomp.isOneOf(["RuntimeDefault", "Localhost"]),
    "the container has no seccomp profile",
    "set type RuntimeDefault",
  );
  must(
    context.at("allowPrivilegeEscalation"),
    context.at("allowPrivilegeEscalation").is(false),
    "the container may gain privileges",
    "set allowPrivilegeEscalation: false",
  );
  must(
    context.at("privileged"),
    context.at("privileged").isAbsentOr(false),
    "the container is privileged",
    "take it out",
  );
  must(
    context.at("readOnlyRootFilesystem"),
    context.at("readOnlyRootFilesystem").is(true),
    "the container can write to its root filesystem",
    "set readOnlyRootFilesystem: true, and mount an emptyDir where it writes",
  );
  must(
    context.at("procMount"),
    context.at("procMount").isAbsentOr("Default"),
    "the container's /proc is not masked",
    "take procMount out",
  );
  must(
    context.at("capabilities", "drop"),
    context.at("capabilities", "drop").texts().includes("ALL"),
    "the container keeps capabilities",
    "drop ALL",
  );
  for (const added of context.at("capabilities", "add").items()) {
    must(
      added,
      false,
      `the container adds the capability ${added.shown()}`,
      "take it out; low ports need none in the mesh (net.ipv4.ip_unprivileged_port_start)",
    );
  }
  for (const port of container.at("ports").items()) {
    must(
      port.at("hostPort"),
      port.at("hostPort").isAbsentOr(0),
      "the container takes a port of the node",
      "take hostPort out",
    );
    must(port.at("hostIP"), port.at("hostIP").isEmpty, "the container takes an address of the node", "take hostIP out");
  }
  judgeHandlers(container, findings);
}

/** A probe or hook with a host of its own makes kubelet connect anywhere (refused by the baseline profile from 1.34 on). */
function judgeHandlers(container: Field, findings: Findings): void {
  const handlers = [
    ...["livenessProbe", "readinessProbe", "startupProbe"].map((key) => container.at(key)),
    ...["postStart", "preStop"].map((key) => container.at("lifecycle", key)),
  ];
  for (const handler of handlers) {
    for (const kind of ["httpGet", "tcpSocket"]) {
      const host = handler.at(kind, "host");
      findings.require(
        host.isEmpty,
        host,
        "kubelet would connect to another host",
        "take host out: the pod itself is meant",
      );
    }
  }
}
