import type { Ceiling } from "../ceiling";
import { checkKeeper, isKeeper, KEEPER } from "../etcd/keeper";
import { NAMES, prefixOfService, serviceOfKey } from "../etcd/names";
import type { Field } from "../judgement/field";
import { Unjudgeable, Field as PlainField } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { plainCopy } from "../judgement/plain";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates } from "../kubernetes/pods";

/** What a ConfigMap that says who may do what in etcd is named by. */
const DOCUMENT_SUFFIX = "-document";
const REGISTRAR = /^registrar-([a-z]+)$/;

/** Who logs in at etcd registers members of one zone, or reads names, and may do nothing else. */
export const etcdLeastPrivilege: ResourceRule = {
  name: "etcd-least-privilege",
  description:
    "etcd's roles write the names of one zone's listed members, one by one, and read no more than names; nobody but the keeper is root, and it gives these rights alone.",
  severity: "critical",
  remediation: "Declare etcd's users with EtcdAccess.",
  uses: ["members"],
  concerns: (type) => makesPods(type) || isKind(type, "ConfigMap"),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    for (const { spec } of podTemplates(object)) {
      for (const { field } of allContainers(spec)) if (isKeeper(spec, field)) checkKeeper(spec, field, findings);
    }
    if (object.groupKind !== "core/ConfigMap" || object.name !== `${KEEPER}${DOCUMENT_SUFFIX}`) return;
    for (const [, entry] of object.body.at("data").entries()) judgeDocument(parsed(entry), ceiling, findings);
  },
};

function parsed(entry: Field): Field {
  try {
    return new PlainField(plainCopy(JSON.parse(entry.text() ?? "")), entry.path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Unjudgeable(entry.path, "is no JSON, so the rights in it can't be judged", "write it as JSON");
  }
}

function judgeDocument(document: Field, ceiling: Ceiling, findings: Findings): void {
  for (const [role, permissions] of document.at("roles").entries()) {
    const zone = REGISTRAR.exec(role)?.[1];
    for (const permission of permissions.items()) {
      const prefix = permission.at("prefix").text() ?? "";
      const named = serviceOfKey(prefix);
      // Only a prefix that ends with the name is one service's whole.
      const service = named !== undefined && prefix === prefixOfService(named) ? named : undefined;
      const isReading = permission.at("access").is("read");
      const isOwn =
        permission.at("access").is("write") &&
        zone !== undefined &&
        service !== undefined &&
        ceiling.members[zone]?.includes(service) === true;
      findings.require(
        isOwn || (isReading && (prefix === NAMES || service !== undefined)),
        permission,
        `role ${role} may ${isReading ? "read" : "write"} \`${prefix}\`, which is no name of a listed member of its zone`,
        "write the prefix of one member's names each, in the role registrar-<zone> of its zone; read names alone",
      );
    }
  }
  for (const [user, entry] of document.at("users").entries()) {
    findings.require(
      user !== "root" && !entry.at("roles").texts().includes("root"),
      entry,
      `user ${user} may do everything`,
      "give it a role of this document",
    );
  }
}
