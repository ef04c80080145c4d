import { CONSUL } from "../consul/resources";
import type { Field } from "../judgement/field";
import type { Plain } from "../judgement/plain";
import type { StackResource } from "../judgement/rule";
import { SHARED } from "./declaration";
import type { Told } from "./declaration";

/** Consul names no token: its name stands in its description. */
const TOKEN_NAME = /^(lucid-[a-z0-9-]{1,60}): /;

/** An object of Consul's ACLs that is declared. Nothing of it is left open: it says who may do what. */
export class DeclaredAcl implements Told {
  readonly home = SHARED;
  readonly isFiles = false;
  readonly mayStand = false;

  private constructor(
    readonly resource: StackResource,
    private readonly kind: "AclPolicy" | "AclToken",
    private readonly name: string,
    private readonly fields: Plain,
  ) {}

  /** Undefined of every other resource. @throws Unjudgeable */
  static of(resource: StackResource): DeclaredAcl | undefined {
    const field = resource.declared ?? resource.properties;
    if (resource.type === CONSUL.aclPolicy)
      return new DeclaredAcl(resource, "AclPolicy", field.at("name").text() ?? "", {
        rules: textOf(field.at("rules")),
      });
    if (resource.type !== CONSUL.aclToken) return undefined;
    const [, name = ""] = TOKEN_NAME.exec(field.at("description").text() ?? "") ?? [];
    return new DeclaredAcl(resource, "AclToken", name, { policies: [...field.at("policies").texts()].sort() });
  }

  get key(): string {
    return `${this.kind}.${this.name}`;
  }

  get told(): Plain {
    return { kind: this.kind, name: this.name, labels: {}, fields: this.fields };
  }
}

function textOf(field: Field): string {
  return field.text() ?? "";
}
