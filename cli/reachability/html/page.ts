/** One page that holds all: no script, no request, readable in light and dark, by keyboard and screen reader. */
import { NOTHING_SHOWN, html } from "../../../html/markup";
import { pageText } from "../../../html/page";
import type { Report } from "../report";
import { shownLayers } from "./layers";
import {
  blastSection,
  changesSection,
  graphSection,
  layersSection,
  matrixSection,
  outsideSection,
  registrationSection,
  trustSection,
  verdict,
} from "./sections";
import { STYLE } from "./style";

/** The report as a page. */
export function reportHtml(report: Report): string {
  const { source, matrix, sidecars, registration, changes } = report;
  return pageText({
    title: `Who reaches whom: ${source}`,
    style: STYLE,
    header: [html`<h1>Who reaches whom</h1>`, verdict(report)],
    main: [
      changesSection(changes),
      ...(matrix === undefined
        ? []
        : [
            graphSection(matrix, changes),
            matrixSection(matrix),
            layersSection(shownLayers(report)),
            ...(sidecars === undefined ? [] : [outsideSection(sidecars), trustSection(sidecars)]),
            blastSection(matrix),
          ]),
      registration === undefined ? NOTHING_SHOWN : registrationSection(registration),
    ],
  });
}
