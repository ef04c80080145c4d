import { blastRadii } from "./blast";
import type { BlastRadius } from "./blast";
import type { Changes, Report } from "./report";
import {
  LEGEND,
  MOST_COLUMNS,
  callTable,
  changeRows,
  outsideTable,
  outsideText,
  registrationTable,
  serviceTable,
  trustTable,
  zoneTable,
} from "./tables";

/** The report for a terminal. */
export function reportText({ source, matrix, sidecars, registration, violations, changes }: Report): string {
  const parts = [
    verdict(source, violations),
    ...(changes === undefined ? [] : [changesText(changes)]),
    ...(matrix === undefined
      ? []
      : [
          `zones, by pairs of services\n${tableText(zoneTable(matrix))}`,
          ...(matrix.parties.length > MOST_COLUMNS
            ? []
            : [`services (${LEGEND})\n${tableText(numbered(serviceTable(matrix)))}`]),
          `if it is taken over\n${blastRadii(matrix).map(blastText).join("\n")}`,
        ]),
    ...(sidecars === undefined
      ? []
      : [
          ...(sidecars.outside.length === 0
            ? []
            : [`services outside the cluster\n${tableText(outsideTable(sidecars), true)}`]),
          `calls, by sidecars\n${tableText(callTable(sidecars), true)}`,
          `trust and names, by sidecars\n${tableText(trustTable(sidecars), true)}`,
        ]),
    ...(registration === undefined
      ? []
      : [`registration, by credentials of the discovery backend\n${tableText(registrationTable(registration), true)}`]),
  ];
  return parts.join("\n\n");
}

function verdict(source: string, violations: readonly string[]): string {
  if (violations.length === 0)
    return `${source}: exactly what is declared can be reached (network, trust, authorization, ways, names, registration)`;
  return [`${source}: not exactly what is declared can be reached`, ...violations.map((text) => `  ${text}`)].join(
    "\n",
  );
}

function changesText(changes: Changes): string {
  const lines = changeRows(changes).map(([word, what, ports]) => `  ${word.padEnd(6)}  ${what} on ${ports}`);
  return [`against ${changes.against}${lines.length === 0 ? ": nothing opens or closes" : ""}`, ...lines].join("\n");
}

/** `Wallet/payout-router: reaches …; onwards …; is reached by …; outside …`. */
export function blastText({ party, reaches, onwards, reachedBy, outside }: BlastRadius): string {
  const parts = [
    `reaches ${listed(reaches.map(({ to, ports }) => `${to} (${ports.toString()})`))}`,
    ...(onwards.length === 0 ? [] : [`through their calls onwards ${listed(onwards)}`]),
    `is reached by ${listed(reachedBy.map(({ from, ports }) => `${from} (${ports.toString()})`))}`,
    ...(outside.length === 0
      ? []
      : [`outside ${listed(outside.map((pair) => `${outsideText(pair)} (${pair.ports.toString()})`))}`]),
  ];
  return `  ${party}: ${parts.join("; ")}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nobody" : names.join(", ");
}

/** Columns by numbers, which stand before the names of the rows. */
function numbered([, ...rows]: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const numbers = rows.map((_, index) => String(index + 1));
  return [
    ["", ...numbers],
    ...rows.map(([name = "", ...cells], index) => [`${numbers[index] ?? ""} ${name}`, ...cells]),
  ];
}

/** @param isText whether columns hold words, which begin at the same place, and not numbers */
function tableText(table: readonly (readonly string[])[], isText = false): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      `  ${row.map((cell, column) => (isText || column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ")}`.trimEnd(),
    )
    .join("\n");
}
