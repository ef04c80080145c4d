import { tokenNameIn } from "../../../mesh/consul";
import type { AclKind, DeclaredObject } from "../../../mesh/declarations";

/** What a resource declares of who may do what at Consul; undefined of every other resource. What is not plain text is none of {@link ConsulAcls}. */
export function declaredAcl(type: string, inputs: Readonly<Record<string, unknown>>): DeclaredObject | undefined {
  const { name, rules, description, policies } = inputs;
  if (type === "consul:index/aclPolicy:AclPolicy" && isText(name) && isText(rules))
    return declared("AclPolicy", name, { rules });
  const tokenName = isText(description) ? tokenNameIn(description) : undefined;
  if (type === "consul:index/aclToken:AclToken" && tokenName !== undefined && isTexts(policies))
    return declared("AclToken", tokenName, { policies: [...policies].sort() });
  return undefined;
}

function declared(kind: AclKind, name: string, fields: DeclaredObject["fields"]): DeclaredObject {
  return { kind, name, labels: {}, fields };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
