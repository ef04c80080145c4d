import { blastRadii } from "./blast";
import type { Changes, Report } from "./report";
import { LEGEND, MOST_COLUMNS, changeRows, serviceTable, zoneTable } from "./tables";
import { blastText } from "./text";

/** The report for a pull request's comment: what matters stands above, the whole matrix folded below. */
export function reportMarkdown({ source, matrix, violations, changes }: Report): string {
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
  ];
  return parts.join("\n\n");
}

function changesMarkdown({ against, opens, closes }: Changes): string {
  const rows = [
    ...changeRows(opens).map(([what, ports]) => ["**opens**", what, ports]),
    ...changeRows(closes).map(([what, ports]) => ["closes", what, ports]),
  ];
  if (rows.length === 0) return `Nothing opens or closes against \`${against}\`.`;
  return `Against \`${against}\`:\n\n${table([["", "who reaches whom", "ports"], ...rows])}`;
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
