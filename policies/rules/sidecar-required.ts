import type { Ceiling } from "../ceiling";
import { isSnapshotTaker } from "../consul/snapshots";
import { isKeeper } from "../etcd/keeper";
import { isIssuer } from "../issuing/program";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { repositoryOf } from "../kubernetes/image";
import { KubeObject } from "../kubernetes/object";
import { allContainers, effectiveUser, makesPods, podTemplates } from "../kubernetes/pods";
import { isInfrastructure } from "../kubernetes/workload";
import { checkPrivateVolumes, checkSidecarVolumes } from "./sidecar-volumes";
import { checkGate } from "./start-gate";

/** Users reserved for Envoy: whoever shares one could bind the same ports, and take a share of the connections. */
const SIDECAR_UIDS = { first: 65101, last: 65228 } as const;
const RESERVED = `${String(SIDECAR_UIDS.first)}-${String(SIDECAR_UIDS.last)}`;

function isReserved(uid: number | undefined): uid is number {
  return uid !== undefined && uid >= SIDECAR_UIDS.first && uid <= SIDECAR_UIDS.last;
}

/** Images whose configuration rules judge. */
const JUDGED_WITHOUT_SIDECAR = /\/(consul|consul-enterprise|etcd|coredns)$/;

/** Envoy's options that replace or extend the configuration that the pack judges. */
const FORBIDDEN_OPTIONS = [
  "--config-yaml",
  "--allow-unknown-fields",
  "--allow-unknown-static-fields",
  "--ignore-unknown-dynamic-fields",
  "--mode",
];
/** How long connections that a change of the listeners closes may go on under the old ones. */
const LONGEST_DRAIN_SECONDS = 60;
const CONFIG_PATH = "/etc/envoy/config/bootstrap.yaml";

/** Every pod of a zone stands behind its own sidecar, and does not start before its isolation is enforced. */
export const sidecarRequired: ResourceRule = {
  name: "sidecar-required",
  description:
    "Every pod of a zone has the mesh's sidecar as its first init container, alone in its user, and a start gate behind it.",
  severity: "critical",
  remediation: "Declare the service in mesh.yaml, or build its pod with MeshService, which attaches the sidecar.",
  uses: ["members", "infrastructure", "sidecarImage", "startGateImages"],
  concerns: makesPods,
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    for (const template of podTemplates(object)) {
      if (isInfrastructure(object, template, ceiling)) {
        checkInfrastructure(template.spec, findings);
        continue;
      }
      const service = template.spec.at("serviceAccountName").text();
      checkOrder(template.spec, ceiling, findings);
      checkUsers(template.spec, findings);
      checkResolver(template.spec, findings);
      checkSidecarVolumes(template.spec, service, findings);
      checkPrivateVolumes(template.spec, findings);
    }
  },
};

/** No sidecar stands between such a pod and the others, so all that runs in it has rules of its own: `consul-default-deny`, `etcd-mutual-tls`, `etcd-least-privilege`, `issuers-least-privilege`, `node-resolver-closed`. */
function checkInfrastructure(spec: Field, findings: Findings): void {
  for (const { field } of allContainers(spec)) {
    findings.require(
      isKeeper(spec, field) ||
        isIssuer(spec, field) ||
        isSnapshotTaker(spec, field) ||
        JUDGED_WITHOUT_SIDECAR.test(repositoryOf(field) ?? ""),
      field.at("image"),
      `the pod has no sidecar, and no rule judges what ${field.at("image").shown()} runs with`,
      "run Consul with its snapshots, etcd, the keeper of its users, an issuer or CoreDNS alone in it, or put the container into a pod with a sidecar",
    );
  }
}

function checkOrder(spec: Field, ceiling: Ceiling, findings: Findings): void {
  const [sidecar, gate] = spec.at("initContainers").items();
  if (sidecar === undefined) {
    findings.add(
      spec.at("initContainers"),
      "the pod has no sidecar",
      "attach one (MeshService does), as first init container",
    );
    return;
  }
  const isEnvoy = repositoryOf(sidecar) === ceiling.sidecarImage && sidecar.at("restartPolicy").is("Always");
  if (!isEnvoy) {
    findings.add(
      sidecar,
      `the first init container (image ${sidecar.at("image").shown()}, restartPolicy ${sidecar.at("restartPolicy").shown()}) is not the sidecar`,
      `put the sidecar first: an image of ${ceiling.sidecarImage} with restartPolicy Always`,
    );
    return;
  }
  checkCommand(sidecar, findings);
  checkGate(gate, spec, ceiling, findings);
}

/** The sidecar starts with the judged files, and refuses what it does not understand in them. */
function checkCommand(sidecar: Field, findings: Findings): void {
  const [program = "envoy", ...options] = [...sidecar.at("command").texts(), ...sidecar.at("args").texts()];
  findings.require(
    ["envoy", "/usr/local/bin/envoy"].includes(program),
    sidecar.at("command"),
    "the sidecar runs something else than Envoy",
    "say `envoy`",
  );
  const names = options.map((option) => option.split("=")[0] ?? option);
  const config = optionValue(options, "-c") ?? optionValue(options, "--config-path");
  findings.require(
    config === CONFIG_PATH,
    sidecar.at("args"),
    "the sidecar does not start from the judged bootstrap",
    `say \`--config-path ${CONFIG_PATH}\``,
  );
  findings.require(
    names.includes("--reject-unknown-dynamic-fields"),
    sidecar.at("args"),
    "the sidecar would ignore a misspelt field of its listeners",
    "add --reject-unknown-dynamic-fields",
  );
  const drain = Number(optionValue(options, "--drain-time-s"));
  findings.require(
    drain > 0 && drain <= LONGEST_DRAIN_SECONDS && optionValue(options, "--drain-strategy") === "immediate",
    sidecar.at("args"),
    "a kept-alive connection goes on under the old rules for ten minutes after they change",
    `add \`--drain-time-s\` of ${String(LONGEST_DRAIN_SECONDS)} or less, and \`--drain-strategy immediate\``,
  );
  for (const forbidden of FORBIDDEN_OPTIONS.filter((option) => names.includes(option))) {
    findings.add(
      sidecar.at("args"),
      `the sidecar is given ${forbidden}, which goes past the judged configuration`,
      "take it out",
    );
  }
  for (const variable of sidecar.at("env").items()) {
    if (/^(LD_|GLIBC_|MALLOC_)/.test(variable.at("name").text() ?? "")) {
      findings.add(variable.at("name"), "the variable changes what the sidecar loads", "take it out");
    }
  }
  findings.require(
    sidecar.at("envFrom").isEmpty,
    sidecar.at("envFrom"),
    "the sidecar's environment comes from elsewhere",
    "name each variable",
  );
}

/** A process of the sidecar's user could bind the sidecar's ports (SO_REUSEPORT), or read its memory. */
function checkUsers(spec: Field, findings: Findings): void {
  findings.require(
    spec.at("shareProcessNamespace").isAbsentOr(false),
    spec.at("shareProcessNamespace"),
    "the pod shares its process namespace, sidecar included",
    "leave it out",
  );
  for (const container of allContainers(spec)) {
    const user = effectiveUser(spec, container.field);
    const group = container.field.at("securityContext", "runAsGroup");
    if (container.kind === "ephemeralContainers") {
      findings.add(container.field, "a pod template carries an ephemeral container", "take it out");
    }
    if (container.kind === "initContainers" && container.index === 0) {
      findings.require(
        !user.isUnknown && isReserved(user.number()) && (group.isAbsent || group.is(user.number() ?? 0)),
        user,
        `the sidecar does not run as a reserved user, with its own group (${user.shown()})`,
        `set runAsUser to one of ${RESERVED} on it, and runAsGroup alike`,
      );
      continue;
    }
    const uid = user.isUnknown ? undefined : user.number();
    findings.require(
      uid !== undefined && !isReserved(uid),
      user.isAbsent ? container.field.at("securityContext", "runAsUser") : user,
      isReserved(uid)
        ? "the container runs as a user reserved for sidecars"
        : `the container's user is ${user.shown()}`,
      `set runAsUser to a user outside ${RESERVED}, in so many words`,
    );
  }
}

/** The application's only resolver is its sidecar: an undeclared name does not exist. */
function checkResolver(spec: Field, findings: Findings): void {
  const servers = spec.at("dnsConfig", "nameservers").texts();
  findings.require(
    spec.at("dnsPolicy").is("None") && servers.length === 1 && servers[0] === "127.0.0.1",
    spec.at("dnsPolicy"),
    "the pod resolves names past its sidecar",
    "set dnsPolicy None and dnsConfig.nameservers [127.0.0.1]",
  );
  findings.require(
    spec.at("hostAliases").isEmpty,
    spec.at("hostAliases"),
    "the pod has hostAliases, which Envoy reads too",
    "take them out; the sidecar answers the names of declared calls",
  );
}

function optionValue(options: readonly string[], name: string): string | undefined {
  const inline = options.find((option) => option.startsWith(`${name}=`));
  if (inline !== undefined) return inline.slice(name.length + 1);
  const index = options.indexOf(name);
  return index < 0 ? undefined : options[index + 1];
}
