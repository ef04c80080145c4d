import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { TokenKeys } from "../model";
import { digestOfTokens, tokenDatacenter } from "../tokens";
import { only } from "./messages";

/** By whose keys tokens of callers in other datacenters are checked. @throws Unjudgeable */
export function tokensOf(files: Readonly<Record<string, Field>>, title: string): Map<string, TokenKeys> {
  return new Map(
    Object.entries(files).flatMap(([name, file]) => {
      const datacenter = tokenDatacenter(name);
      if (datacenter === undefined) return [];
      const provider = only(file.at("resources"), "extension").at("typed_config", "providers", "cluster");
      const issuer = requiredText(provider.at("issuer"));
      const keySet = requiredText(provider.at("local_jwks", "inline_string"));
      const place = { object: title, path: `data["${name}"]` };
      return [[datacenter, { place, digest: digestOfTokens(issuer, keySet) }] as const];
    }),
  );
}
