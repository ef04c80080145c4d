import { checkAgentConfig, parseAgentConfig } from "../consul/agent-config";
import { checkSnapshotTaker, checkTokenOfSnapshots, isSnapshotTaker } from "../consul/snapshots";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { repositoryOf } from "../kubernetes/image";
import { KubeObject, isKind } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates, volumeNamed } from "../kubernetes/pods";

/** What a Secret with an agent's configuration is named by: the service that it is for, and this. */
const CONFIG_SUFFIX = "-config";
/** Options that change nothing that the configuration decides about who may do what. */
const OPTIONS: readonly string[] = ["-config-file", "-node", "-advertise"];
/** Settings by which a text is known as an agent's configuration, under whatever name it lies. */
const TELLING: readonly string[] = ["acl", "encrypt", "retry_join", "bootstrap_expect"];

/** Consul refuses what no policy allows, speaks plain text to nobody, and starts from the judged configuration and from nothing else. */
export const consulDefaultDeny: ResourceRule = {
  name: "consul-default-deny",
  description:
    "Consul's agents run with ACLs that deny by default, encrypted gossip and verified RPC, from a Secret that is judged; only servers have the management token; what stands beside them takes their snapshots and nothing else.",
  severity: "critical",
  remediation: "Declare Consul with ConsulCluster and NodeResolver.",
  uses: ["infrastructure"],
  concerns: (type) => makesPods(type) || isKind(type, "Secret", "ConfigMap"),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    if (object.kind === "Secret" || object.kind === "ConfigMap") judgeData(object, ceiling.infrastructure, findings);
    for (const { spec } of podTemplates(object)) {
      const service = spec.at("serviceAccountName").text() ?? "";
      for (const { field } of allContainers(spec)) {
        if (isConsul(field)) judgeAgent(spec, field, service, findings);
        else if (isSnapshotTaker(spec, field)) checkSnapshotTaker(spec, field, findings);
      }
      checkTokenOfSnapshots(spec, findings);
    }
  },
};

/** What a Secret holds may be unknown at preview; the same check runs again, on the known text, before the object is created. */
function judgeData(object: KubeObject, infrastructure: Readonly<Record<string, string>>, findings: Findings): void {
  const name = object.name ?? "";
  const isAgents =
    object.kind === "Secret" &&
    Object.keys(infrastructure).some((party) => name === `${party.slice(party.indexOf("/") + 1)}${CONFIG_SUFFIX}`);
  for (const { field, decode } of [
    { field: object.body.at("stringData"), decode: (text: string) => text },
    { field: object.body.at("data"), decode: object.kind === "Secret" ? decoded : (text: string) => text },
  ]) {
    if (field.isUnknown) continue;
    for (const [, entry] of field.entries()) {
      if (entry.isUnknown) continue;
      const text = decode(entry.text() ?? "");
      if (isAgents) checkAgentConfig(parseAgentConfig(text, entry.path), findings);
      else if (looksLikeAgentConfig(text)) {
        findings.add(
          entry,
          "it is the configuration of a Consul agent, under a name by which nobody judges it",
          `keep it in the Secret <service>${CONFIG_SUFFIX} of a member without sidecar, as JSON`,
        );
      }
    }
  }
}

function isConsul(container: Field): boolean {
  return /\/consul(-enterprise)?$/.test(repositoryOf(container) ?? "");
}

function judgeAgent(spec: Field, container: Field, service: string, findings: Findings): void {
  const command = container.at("command").texts();
  // The image's own entry point takes configuration from variables and adds options.
  findings.require(
    command.length === 1 && command[0] === "consul",
    container.at("command"),
    "the container runs something else than Consul itself",
    'set command: ["consul"]',
  );
  const [verb, ...options] = container.at("args").texts();
  findings.require(
    verb === "agent",
    container.at("args"),
    "Consul runs as something else than an agent",
    "say `agent` first",
  );
  for (const option of options) {
    const name = option.split("=")[0] ?? "";
    findings.require(
      OPTIONS.includes(name) && option.includes("="),
      container.at("args"),
      `the option \`${name}\` goes past the judged configuration`,
      `take it out; options are ${OPTIONS.join(", ")}, each with its value after \`=\``,
    );
  }
  const files = options.filter((option) => option.startsWith("-config-file="));
  const mounts = container
    .at("volumeMounts")
    .items()
    .filter((mount) => {
      const folder = (mount.at("mountPath").text() ?? "").replace(/\/+$/, "");
      return files.some((file) => file.startsWith(`-config-file=${folder}/`) && !file.includes(".."));
    });
  findings.require(
    files.length === 1 && mounts.length === 1 && mounts.every((mount) => isOwnConfig(spec, mount, service)),
    container.at("args"),
    "the agent does not start from one file of the judged configuration",
    `mount the Secret ${service}${CONFIG_SUFFIX} whole, and name one file in it by -config-file`,
  );
  findings.require(
    container.at("envFrom").isEmpty,
    container.at("envFrom"),
    "the agent's environment comes from elsewhere",
    "name each variable",
  );
}

function isOwnConfig(spec: Field, mount: Field, service: string): boolean {
  const secret = volumeNamed(spec, mount.at("name").text() ?? "")?.at("secret");
  return (
    mount.at("subPath").isEmpty &&
    mount.at("subPathExpr").isEmpty &&
    secret?.at("secretName").is(`${service}${CONFIG_SUFFIX}`) === true &&
    secret.at("items").isEmpty
  );
}

function looksLikeAgentConfig(text: string): boolean {
  return TELLING.filter((setting) => new RegExp(`(^|[\\s{,])"?${setting}"?\\s*[:={]`).test(text)).length > 1;
}

function decoded(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
