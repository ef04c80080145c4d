import { blastRadii } from "./blast";
import type { Changes, Report } from "./report";
import {
  LEGEND,
  MOST_COLUMNS,
  callTable,
  changeRows,
  registrationTable,
  outsideTable,
  serviceTable,
  trustTable,
  zoneTable,
} from "./tables";
import { blastText } from "./text";

/** The report for a pull request's comment: what matters stands above, the whole matrix folded below. */
export function reportMarkdown({ source, matrix, sidecars, registration, violations, changes }: Report): string {
  const parts = [
    "### Who reaches whom",
    violations.length === 0
      ? `✅ \`${source}\`: exactly what is declared can be reached.`
      : [
          `❌ \`${source}\`: not exactly what is declared can be reached.`,
          "",
          ...violations.map((text) => `- ${escaped(text)}`),
        ].join("\n"),
    ...(changes === undefined ? [] : [changesMarkdown(changes)]),
    ...(matrix === undefined
      ? []
      : [
          table(zoneTable(matrix)),
          folded(
            "All services, and what is reached if one is taken over",
            [
              ...(matrix.parties.length > MOST_COLUMNS ? [] : [`${LEGEND}.`, table(serviceTable(matrix))]),
              blastRadii(matrix)
                .map((radius) => `- ${escaped(blastText(radius).trim())}`)
                .join("\n"),
            ].join("\n\n"),
          ),
        ]),
    ...(sidecars === undefined
      ? []
      : [
          ...(sidecars.outside.length === 0
            ? []
            : [folded("Services outside the cluster", table(outsideTable(sidecars)))]),
          folded(
            "What may be asked, layer by layer",
            `${table(callTable(sidecars))}\n\n${table(trustTable(sidecars))}`,
          ),
        ]),
    ...(registration === undefined
      ? []
      : [folded("Who registers and looks up names at the discovery backend", table(registrationTable(registration)))]),
  ];
  return parts.join("\n\n");
}

function changesMarkdown(changes: Changes): string {
  const rows = changeRows(changes).map(([word, ...cells]) => [word === "opens" ? "**opens**" : word, ...cells]);
  if (rows.length === 0) return `Nothing opens or closes against \`${changes.against}\`.`;
  return `Against \`${changes.against}\`:\n\n${table([["", "who reaches whom", "on"], ...rows])}`;
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

function folded(summary: string, content: string): string {
  return `<details><summary>${summary}</summary>\n\n${content}\n\n</details>`;
}

/** Text that Markdown and HTML leave as it is. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("|", "\\|");
}
