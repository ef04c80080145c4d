import type { Ceiling } from "../ceiling";
import { asksOneSource, ETCD_CERTIFICATES, isOfSource, KNOWN_SOURCES, literal } from "../discovery/resolver-sources";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { parseCorefile } from "../kubernetes/corefile";
import type { Directive } from "../kubernetes/corefile";
import { repositoryOf } from "../kubernetes/image";
import { isWhole } from "../kubernetes/mounts";
import { KubeObject, isKind } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates } from "../kubernetes/pods";

const FILE = "Corefile";
const FOLDER = "/etc/coredns";
/** What a ConfigMap with CoreDNS's configuration is named by: the service that it is for, and this. */
const SUFFIX = "-corefile";
/** The names that it answers for, and on which port. */
const ANSWERED = "discovery.lucid.internal:53";
const DNS_PORT = 53;
/** What the start gates try: it answers whoever reaches it. */
const CANARY_PORT = 8181;

/** Has a name without a passing instance answered as one that can't be known now. */
const NO_EMPTY_ANSWER = String.raw`rewrite stop rcode regex (.*)\.discovery\.lucid\.internal\. NXDOMAIN SERVFAIL`;

/** Directives that change nothing about whom a question goes to, by how they may be said. Those that do are `ResolverSource`s. */
const DIRECTIVES: Readonly<Record<string, RegExp>> = {
  cache: /^cache( \d+)?$/,
  errors: /^errors$/,
  health: /^health :\d+$/,
  ready: /^ready :8181$/,
  reload: /^reload$/,
  rewrite: new RegExp(`^${literal(NO_EMPTY_ANSWER)}$`),
};
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  cache: ["success", "denial", "serve_stale"],
};

/** What sidecars ask for names tells discovery names and nothing else, and is asked on its own node: it is no tunnel, and no question is on the wire in plain text. */
export const nodeResolverClosed: ResourceRule = {
  name: "node-resolver-closed",
  description:
    "The node resolver answers discovery names alone, from the Consul agent of its own pod or from etcd under its own certificate, starts from the judged configuration, and is asked on its own node.",
  severity: "critical",
  remediation: "Declare the node resolver with NodeResolver.",
  uses: ["infrastructure"],
  concerns: (type) => makesPods(type) || isKind(type, "ConfigMap", "Service"),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    if (object.groupKind === "core/ConfigMap") judgeData(object, ceiling, findings);
    if (object.groupKind === "core/Service") judgeService(object, findings);
    for (const { spec } of podTemplates(object)) {
      const service = spec.at("serviceAccountName").text() ?? "";
      for (const { field } of allContainers(spec)) if (isCoreDns(field)) judgeContainer(spec, field, service, findings);
    }
  },
};

function judgeData(object: KubeObject, { infrastructure }: Pick<Ceiling, "infrastructure">, findings: Findings): void {
  const data = object.body.at("data");
  const isResolvers = Object.keys(infrastructure).some(
    (party) => object.name === `${party.slice(party.indexOf("/") + 1)}${SUFFIX}`,
  );
  if (!isResolvers) {
    findings.require(
      !data.keys().includes(FILE),
      data,
      `${FILE} in a ConfigMap under a name by which nobody judges it`,
      `name the ConfigMap <service>${SUFFIX}, for a member without sidecar`,
    );
    return;
  }
  findings.require(
    data.keys().join() === FILE && object.body.at("binaryData").isEmpty,
    data,
    `it holds something else than one ${FILE}`,
    "leave that one file",
  );
  if (data.has(FILE)) judgeCorefile(data.at(FILE), findings);
}

function judgeCorefile(file: Field, findings: Findings): void {
  const [block, ...others] = parseCorefile(file.text() ?? "") ?? [];
  if (block === undefined || others.length > 0 || block.keys.join() !== ANSWERED) {
    findings.add(
      file,
      "it can't be read, or answers for other names than those of discovery",
      `keep one server block for ${ANSWERED}, a directive a line`,
    );
    return;
  }
  findings.require(
    asksOneSource(block.directives),
    file,
    "it does not ask exactly one discovery backend for the names",
    `ask by one of these, once: ${KNOWN_SOURCES}`,
  );
  findings.require(
    block.directives.filter(({ words }) => words[0] === "ready").length === 1,
    file,
    "nothing listens on the canary port, so that every start gate opens, enforced or not",
    `say \`ready :${String(CANARY_PORT)}\``,
  );
  findings.require(
    block.directives.filter(({ words }) => words[0] === "rewrite").length === 1,
    file,
    "a name without a passing instance is told not to exist, and Envoy empties the cluster that worked",
    `say \`${NO_EMPTY_ANSWER}\``,
  );
  for (const directive of block.directives) {
    findings.require(
      isKnown(directive),
      file,
      `\`${directive.words.join(" ")}\` is nothing that the rule models: it could send questions elsewhere, or answer them by itself`,
      `take it out; directives are ${Object.keys(DIRECTIVES).join(", ")}, and what asks for the names: ${KNOWN_SOURCES}`,
    );
  }
}

function isKnown(directive: Directive): boolean {
  if (isOfSource(directive)) return true;
  const { words, options } = directive;
  const [name = ""] = words;
  return (
    Object.hasOwn(DIRECTIVES, name) &&
    DIRECTIVES[name]?.test(words.join(" ")) === true &&
    options.every(([option = ""]) => OPTIONS[name]?.includes(option) === true)
  );
}

function isCoreDns(container: Field): boolean {
  return /\/coredns$/.test(repositoryOf(container) ?? "");
}

function judgeContainer(spec: Field, container: Field, service: string, findings: Findings): void {
  const said = [...container.at("command").texts(), ...container.at("args").texts()];
  findings.require(
    said.join(" ") === `/coredns -conf ${FOLDER}/${FILE}` && container.at("envFrom").isEmpty,
    container.at("args"),
    "CoreDNS does not start from the judged configuration, or from it alone",
    `set command ["/coredns"] and args ["-conf", "${FOLDER}/${FILE}"]`,
  );
  const mounts = container.at("volumeMounts").items();
  const within = (folder: string) => mounts.filter((mount) => overlaps(mount.at("mountPath").text() ?? "", folder));
  const [configs, certificates] = [within(FOLDER), within(ETCD_CERTIFICATES)];
  findings.require(
    configs.length === 1 &&
      configs.every((mount) =>
        isWhole(spec, mount, { folder: FOLDER, kind: "configMap", object: `${service}${SUFFIX}` }),
      ),
    container.at("volumeMounts"),
    "CoreDNS reads something else than its service's configuration",
    `mount the ConfigMap ${service}${SUFFIX} whole at ${FOLDER}`,
  );
  findings.require(
    certificates.length <= 1 &&
      certificates.every((mount) =>
        isWhole(spec, mount, { folder: ETCD_CERTIFICATES, kind: "secret", object: `${service}-tls` }),
      ),
    container.at("volumeMounts"),
    "CoreDNS asks etcd under something else than its service's certificate, or believes other roots",
    `mount the Secret ${service}-tls whole at ${ETCD_CERTIFICATES}`,
  );
}

/** Whether a volume gives, or hides, files of a folder. */
function overlaps(mountPath: string, folder: string): boolean {
  const [at, below] = [`${mountPath.replace(/\/+$/, "")}/`, `${folder}/`];
  return at.startsWith(below) || below.startsWith(at);
}

/** Questions and answers are plain text, so they stay on the node; and the start gates reach the canary by the same address. */
function judgeService(object: KubeObject, findings: Findings): void {
  const takesQuestions = object.spec
    .at("ports")
    .items()
    .some((port) => port.at("port").is(DNS_PORT) || port.at("targetPort").is(DNS_PORT));
  if (!takesQuestions) return;
  const policy = object.spec.at("internalTrafficPolicy");
  findings.require(
    policy.is("Local"),
    policy,
    `questions for names could leave the node in plain text (internalTrafficPolicy ${policy.shown()})`,
    "set internalTrafficPolicy: Local",
  );
  const leadsToCanary = object.spec
    .at("ports")
    .items()
    .some(
      (port) =>
        port.at("port").is(CANARY_PORT) &&
        port.at("targetPort").isAbsentOr(CANARY_PORT) &&
        port.at("protocol").isAbsentOr("TCP"),
    );
  findings.require(
    leadsToCanary,
    object.spec.at("ports"),
    "it does not lead to the canary port, so that every start gate opens, enforced or not",
    `give it port ${String(CANARY_PORT)}/TCP, to the same of the pods`,
  );
}
