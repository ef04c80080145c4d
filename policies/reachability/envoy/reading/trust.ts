import { checkTrust } from "../../../envoy/trust";
import { parseYaml } from "../../../envoy/files";
import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import { Findings } from "../../../judgement/finding";
import type { Roots } from "../model";
import { everyZone } from "./every-edge";
import { only } from "./messages";

/** Says of a file that can't be read at preview whose roots it will hold, by what its text is made from; undefined where that isn't proven. */
export type Provenance = (object: string, file: string) => string | undefined;

/** The roots in a `<service>-trust` ConfigMap, by zone. @throws Unjudgeable */
export function rootsOf(data: Field, title: string, provenance: Provenance): Map<string, Roots> {
  refuseOtherForms(data);
  const zones = new Map<string, Roots>();
  for (const [file, entry] of data.entries()) {
    const zone = file.replace(/\.yaml$/, "");
    const place = { object: title, path: entry.path };
    if (entry.isUnknown && file !== zone && provenance(title, file) === zone) {
      zones.set(zone, { place, certificates: undefined });
      continue;
    }
    const context = only(parseYaml(entry).at("resources"), "secret").at("validation_context");
    const pem = context.at("trusted_ca", "inline_string").text() ?? "";
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    zones.set(zone, { place, certificates: new Set(blocks.map((block) => block.replace(/\s+/g, ""))) });
  }
  return zones;
}

/** By the pack's strict reading: one secret with a zone's roots and its revocation lists, and nothing that would loosen a check. */
function refuseOtherForms(data: Field): void {
  const findings = new Findings();
  // Every name of a file may be a zone's: which zones are to be trusted is no matter of the form.
  const ceiling = everyZone(data.keys().map((file) => file.replace(/\.yaml$/, "")));
  checkTrust(data, { zone: "", service: "", ceiling, findings });
  const [first] = findings.list;
  if (first !== undefined) throw new Unjudgeable(first.path, first.problem, first.mend);
}
