/** What etcd's users and roles are kept equal to: the document that the keeper reads. */
import { Field, Unjudgeable } from "../../../judgement/field";
import { plainCopy } from "../../../judgement/plain";
import { ROOT_ROLE, rangeOfPrefix } from "../../../etcd/permissions";
import type { EtcdRight, EtcdUser, KeyPermission } from "../../../etcd/permissions";
import { refuseUnknownFields, requiredText } from "../../network/reading/fields";

const RIGHTS: Readonly<Record<string, readonly EtcdRight[]>> = { read: ["read"], write: ["read", "write"] };
/** Of other characters etcd holds other bytes than are compared here. */
const ASCII = /^[\x20-\x7e]+$/;

/**
 * Reads the users of an entry of the keeper's ConfigMap.
 *
 * @throws Unjudgeable
 */
export function readAccessDocument(entry: Field): readonly EtcdUser[] {
  const document = new Field(parsed(entry), entry.path);
  refuseUnknownFields(document, ["roles", "users"]);
  const roles = new Map(
    document
      .at("roles")
      .entries()
      .map(([role, permissions]) => [role, permissions.items().map((permission) => readPermission(role, permission))]),
  );
  return document
    .at("users")
    .entries()
    .map(([name, user]): EtcdUser => {
      refuseUnknownFields(user, ["roles", "password"]);
      const own = user.at("roles").texts();
      for (const role of own)
        if (role !== ROOT_ROLE && !roles.has(role))
          throw new Unjudgeable(
            user.at("roles").path,
            `names the role ${JSON.stringify(role)}, which is none of the document`,
            "name one of its roles",
          );
      return { name, isRoot: own.includes(ROOT_ROLE), permissions: own.flatMap((role) => roles.get(role) ?? []) };
    });
}

function readPermission(role: string, permission: Field): KeyPermission {
  refuseUnknownFields(permission, ["prefix", "access"]);
  const prefix = requiredText(permission.at("prefix"));
  const access = requiredText(permission.at("access"));
  const rights = Object.hasOwn(RIGHTS, access) ? RIGHTS[access] : undefined;
  if (rights === undefined)
    throw new Unjudgeable(
      permission.at("access").path,
      `is ${JSON.stringify(access)}, and it isn't known what that lets be done`,
      "say read or write",
    );
  if (!ASCII.test(prefix))
    throw new Unjudgeable(
      permission.at("prefix").path,
      "has characters that no key of a name has",
      "write it in ASCII",
    );
  return { range: rangeOfPrefix(prefix), rights, ground: `role ${role}, ${access} of \`${prefix}\`` };
}

function parsed(entry: Field) {
  try {
    return plainCopy(JSON.parse(requiredText(entry)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Unjudgeable(entry.path, "is no JSON, so the rights in it can't be judged", "write it as JSON");
  }
}
