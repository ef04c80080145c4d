/** An explanation, for people. */
import type { Explanation } from "./explain";

/** Several lines: the verdict, each layer, the line of the document, hints. */
export function explanationText(explanation: Explanation): string {
  const { allowed, from, to, port, request, layers, document, reason, hints } = explanation;
  const asked = [request.method, request.path].filter((part) => part !== undefined).join(" ");
  const width = Math.max(...layers.map(({ layer }) => layer.length));
  return [
    `${allowed ? "allowed" : "refused"}: ${from} → ${to} port ${port}${asked === "" ? "" : `, ${asked}`}, at ${request.time}`,
    ...layers.map(
      ({ layer, allowed: open, asks, says, place }) =>
        `  ${layer.padEnd(width)}  ${open ? (asks === true ? "asks   " : "allows ") : "refuses"}  ${says}${place === undefined ? "" : ` (${place})`}`,
    ),
    `document: ${document.place} ${document.says}`,
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
    ...hints,
  ].join("\n");
}
