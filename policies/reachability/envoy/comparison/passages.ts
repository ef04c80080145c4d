import type { Place } from "../../layer";
import type { Sidecar } from "../model";
import type { Difference } from "./declaration";
import type { DeclaredEdges } from "./index-of-edges";
import { placeText } from "./text";

/** Compares what a gateway passes on, and to whom, with the calls that leave. */
export function comparePassages({ party, passages }: Sidecar, edges: DeclaredEdges): Difference[] {
  const found = passages.flatMap(({ place, party: to, serverNames }) =>
    serverNames.map((name) => ({ place, text: `${name} on to ${edges.nameOf(to)}` })),
  );
  const declared = (edges.declaration.passages ?? [])
    .filter((passage) => passage.party === party)
    .flatMap(({ to, serverNames }) => serverNames.map((name) => `${name} on to ${edges.nameOf(to)}`));
  return differences(found, declared, (text) => `${edges.nameOf(party)} passes ${text}`);
}

/** Compares by whose keys tokens of callers elsewhere are checked with what is declared of their datacenters. */
export function compareTokens({ party, tokens }: Sidecar, edges: DeclaredEdges): Difference[] {
  const text = (datacenter: string, digest: string) => `tokens of datacenter ${datacenter} by the keys ${digest}`;
  const found = [...tokens].map(([datacenter, { place, digest }]) => ({ place, text: text(datacenter, digest) }));
  const declared = (edges.declaration.tokens ?? [])
    .filter((one) => one.party === party)
    .map(({ datacenter, digest }) => text(datacenter, digest));
  return differences(found, declared, (what) => `${edges.nameOf(party)} believes ${what}`);
}

function differences(
  found: readonly { readonly place: Place; readonly text: string }[],
  declared: readonly string[],
  say: (text: string) => string,
): Difference[] {
  const texts = found.map(({ text }) => text);
  return [
    ...found
      .filter(({ text }, index) => !declared.includes(text) || texts.indexOf(text) !== index)
      .map(({ place, text }): Difference => ({
        kind: "undeclared",
        text: `${say(text)}, which nobody declared: ${placeText(place)}`,
        places: [place],
      })),
    ...declared
      .filter((text) => !texts.includes(text))
      .map((text): Difference => ({
        kind: "refused",
        text: `what is declared is not there: ${say(text)}`,
        places: [],
      })),
  ];
}
