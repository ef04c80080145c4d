import type { Field } from "../judgement/field";
import { volumeNamed } from "./pods";

/** What a folder of a container is to be: an object of the same namespace. */
export interface Mounted {
  readonly folder: string;
  readonly kind: "configMap" | "secret";
  readonly object: string;
}

/** Whether a mount is an object at its folder, and the whole of it: no key of it is left out, renamed, or taken from elsewhere. */
export function isWhole(spec: Field, mount: Field, { folder, kind, object }: Mounted): boolean {
  const source = volumeNamed(spec, mount.at("name").text() ?? "")?.at(kind);
  return (
    mount.at("mountPath").is(folder) &&
    mount.at("subPath").isEmpty &&
    mount.at("subPathExpr").isEmpty &&
    source?.at(kind === "secret" ? "secretName" : "name").is(object) === true &&
    source.at("items").isEmpty &&
    source.at("optional").isAbsentOr(false)
  );
}
