/** The page's parts, each a section with a heading of its own. */
import { NOTHING_SHOWN, html } from "../../../html/markup";
import type { Markup } from "../../../html/markup";
import { scrolling, section, table } from "../../../html/parts";
import { blastRadii } from "../blast";
import type { Matrix } from "../matrix";
import type { RegistrationMatrix } from "../registration";
import type { Changes, Report } from "../report";
import type { SidecarMatrix } from "../sidecars";
import {
  LEGEND,
  MOST_COLUMNS,
  NOTHING,
  changeRows,
  outsideTable,
  registrationTable,
  serviceTable,
  trustTable,
  zoneTable,
} from "../tables";
import { blastText } from "../text";
import { graph } from "./graph";
import type { ShownLayer } from "./layers";

/** Whether exactly what is declared is open, and what isn't as declared. */
export function verdict({ source, violations }: Report): Markup {
  if (violations.length === 0)
    return html`<p class="verdict good">
      <strong>Proven.</strong> ${source}: exactly what is declared can be reached.
    </p>`;
  return html`<p class="verdict bad">
      <strong>Not proven.</strong> ${source}: not exactly what is declared can be reached.
    </p>
    <ul class="violations">
      ${violations.map((violation) => html`<li>${violation}</li>`)}
    </ul>`;
}

export function changesSection(changes: Changes | undefined): Markup {
  if (changes === undefined) return NOTHING_SHOWN;
  const rows = changeRows(changes);
  return section(
    "changes",
    `What changes against ${changes.against}`,
    rows.length === 0
      ? html`<p>Nothing opens or closes.</p>`
      : table("What opens and what closes", [["", "who reaches whom", "on what"], ...rows], ([first]) =>
          typeof first === "string" ? first : "",
        ),
  );
}

export function graphSection(matrix: Matrix, changes: Changes | undefined): Markup {
  const key = html`<ul class="key">
    <li><span class="line call"></span>calls</li>
    <li><span class="line other"></span>inspection and other ports</li>
    ${
      changes === undefined
        ? NOTHING_SHOWN
        : html`<li><span class="line opens"></span>opens</li>
            <li><span class="line closes"></span>closes</li>`
    }
  </ul>`;
  return section("graph", "Edges", html`${key}${scrolling("Drawn edges", graph(matrix, changes))}`);
}

export function matrixSection(matrix: Matrix): Markup {
  const isReadable = matrix.parties.length <= MOST_COLUMNS;
  return section(
    "matrix",
    "Matrix",
    html`${table("Zones: pairs of services of which one may reach the other", zoneTable(matrix))}
    ${isReadable ? table(`Services, callers down and callees across. ${LEGEND}.`, serviceTable(matrix)) : NOTHING_SHOWN}`,
  );
}

/** A row for each pair that any layer lets through, a column for each layer. */
export function layersSection(layers: readonly ShownLayer[]): Markup {
  const pairs = new Map<string, { readonly cells: Map<string, string>; readonly from: string; readonly to: string }>();
  for (const { name, ways } of layers) {
    for (const { from, to, what } of ways) {
      const key = JSON.stringify([from, to]);
      const pair = pairs.get(key) ?? { from, to, cells: new Map<string, string>() };
      const before = pair.cells.get(name);
      pair.cells.set(name, before === undefined ? what : `${before}, ${what}`);
      pairs.set(key, pair);
    }
  }
  const rows = [...pairs.values()].map(({ from, to, cells }) => [
    `${from} → ${to}`,
    ...layers.map(({ name }) => cells.get(name) ?? NOTHING),
  ]);
  return section(
    "layers",
    "Which layer enforces what",
    html`<dl>
        ${layers.map(
          ({ name, enforces }) =>
            html`<dt>${name}</dt>
              <dd>${enforces}</dd>`,
        )}
      </dl>
      <details>
        <summary>${rows.length} pairs, layer by layer</summary>
        ${table(`What each layer lets through; ${NOTHING}: it refuses all`, [
          ["who reaches whom", ...layers.map(({ name }) => name)],
          ...rows,
        ])}
      </details>`,
  );
}

/** Where ways out of the cluster lead; nothing where there is none. */
export function outsideSection(sidecars: SidecarMatrix): Markup {
  if (sidecars.outside.length === 0) return NOTHING_SHOWN;
  return section(
    "outside",
    "Services outside the cluster",
    table("What stands for them, and where it leads", outsideTable(sidecars)),
  );
}

/** What no pair can show: whose roots each sidecar believes, and which names it answers. */
export function trustSection(sidecars: SidecarMatrix): Markup {
  return section("trust", "Trust and names", table("By sidecars", trustTable(sidecars)));
}

/** Who may put what behind a name, and who may look it up: it is of credentials, and of no pair of services. */
export function registrationSection(registration: RegistrationMatrix): Markup {
  return section(
    "registration",
    "Registration",
    table("By credentials of the discovery backend", registrationTable(registration)),
  );
}

export function blastSection(matrix: Matrix): Markup {
  return section(
    "blast",
    "If a service is taken over",
    html`<ul class="blast">
      ${blastRadii(matrix).map((radius) => html`<li>${blastText(radius).trim()}</li>`)}
    </ul>`,
  );
}
