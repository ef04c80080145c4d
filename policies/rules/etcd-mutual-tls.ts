import { checkServerOptions } from "../etcd/server-options";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { parseImage } from "../kubernetes/image";
import { KubeObject } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates, volumeNamed } from "../kubernetes/pods";

/** Variables that only the arguments may take the place of: etcd reads each of its options from one as well. */
const OPTION_VARIABLE = /^ETCD_/;

/** etcd hears nobody without a certificate of the mesh, speaks plain text to nobody, and takes nobody for a server who is none. */
export const etcdMutualTls: ResourceRule = {
  name: "etcd-mutual-tls",
  description:
    "etcd's servers demand certificates of clients and peers, over TLS 1.3 alone, and take as a peer who bears their own name; all of it stands in their arguments.",
  severity: "critical",
  remediation: "Declare etcd with EtcdCluster.",
  uses: [],
  concerns: makesPods,
  judge(resource, _ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    for (const { spec } of podTemplates(object)) {
      const service = spec.at("serviceAccountName").text() ?? "";
      for (const { field } of allContainers(spec)) {
        if (isEtcd(field)) judgeServer(spec, field, service, findings);
      }
    }
  },
};

function isEtcd(container: Field): boolean {
  const image = container.at("image");
  if (image.isUnknown) return false;
  return /\/etcd$/.test(parseImage(image.text() ?? "")?.repository ?? "");
}

function judgeServer(spec: Field, container: Field, service: string, findings: Findings): void {
  const command = container.at("command").texts();
  findings.require(
    command.length === 1 && command[0] === "etcd",
    container.at("command"),
    "the container runs something else than etcd itself",
    'set command: ["etcd"]',
  );
  checkServerOptions(container.at("args"), { service, folder: folderOf(spec, container, service) }, findings);
  for (const variable of container.at("env").items()) {
    const name = variable.at("name");
    findings.require(
      !name.isUnknown && !OPTION_VARIABLE.test(name.text() ?? ""),
      name,
      "the variable is an option of etcd's that goes past the judged arguments",
      "write it as an argument",
    );
  }
  findings.require(
    container.at("envFrom").isEmpty,
    container.at("envFrom"),
    "the server's environment comes from elsewhere",
    "name each variable",
  );
}

/** Where the servers' own certificate is mounted. */
function folderOf(spec: Field, container: Field, service: string): string | undefined {
  const mount = container
    .at("volumeMounts")
    .items()
    .find((candidate) => {
      const secret = volumeNamed(spec, candidate.at("name").text() ?? "")?.at("secret");
      return (
        secret?.at("secretName").is(`${service}-tls`) === true &&
        secret.at("items").isEmpty &&
        candidate.at("subPath").isEmpty &&
        candidate.at("subPathExpr").isEmpty
      );
    });
  return mount?.at("mountPath").text()?.replace(/\/+$/, "");
}
