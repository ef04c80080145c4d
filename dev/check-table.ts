/** The tables of docs/check.md, made from the checks themselves. */
import { CHECKS } from "../cli/check/all";
import { CATEGORIES } from "../cli/check/check";
import type { Check } from "../cli/check/check";

/** Between these lines the page is generated. */
export const MARKS = { begin: "<!-- checks: begin -->", end: "<!-- checks: end -->" } as const;

/** A page with its tables made anew. @throws Error where it has no marks */
export function withTables(page: string): string {
  const [before, rest] = page.split(MARKS.begin);
  const after = rest?.split(MARKS.end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`the page lacks the lines ${MARKS.begin} and ${MARKS.end}`);
  return `${before}${MARKS.begin}\n${tables()}\n${MARKS.end}${after}`;
}

function tables(): string {
  return CATEGORIES.map((category) => {
    const rows = CHECKS.filter((check) => check.category === category).map(row);
    return [
      `### ${category}`,
      "",
      "| check | when | what holds, and what is told | where it does not |",
      "|---|---|---|---|",
      ...rows,
    ].join("\n");
  }).join("\n\n");
}

function row({ id, phase, title, tells, remedy, more, backend, needs = [] }: Check): string {
  const where = backend === undefined ? "" : ` Only with \`discoveryBackend: ${backend}\`.`;
  const after = needs.length === 0 ? "" : ` After ${needs.map((need) => `[\`${need}\`](#${need})`).join(", ")}.`;
  return `| <a id="${id}"></a>\`${id}\` | ${phase} | **${cell(title)}.** ${cell(tells)}${after}${where} | ${cell(remedy)} ([more](${more})) |`;
}

const IDS: ReadonlySet<string> = new Set(CHECKS.map(({ id }) => id));

/** A text with links to the checks that it names. A bar would end the cell. */
function cell(text: string): string {
  return text
    .replaceAll("|", "\\|")
    .replace(/`([a-z-]+)`/g, (code, id: string) => (IDS.has(id) ? `[${code}](#${id})` : code));
}
