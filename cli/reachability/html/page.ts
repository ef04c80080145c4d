/** One page that holds all: no script, no request, readable in light and dark, by keyboard and screen reader. */
import { createHash } from "node:crypto";
import type { Report } from "../report";
import { shownLayers } from "./layers";
import { NOTHING_SHOWN, html } from "./markup";
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
  // Nothing may be fetched or run, and no style but this one applies, whatever a name holds.
  const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>Who reaches whom: ${source}</title>
      </head>
    </html> `;
  const body = html`</head>
<body>
<header><h1>Who reaches whom</h1>
${verdict(report)}</header>
<main>
${changesSection(changes)}${
    matrix === undefined
      ? NOTHING_SHOWN
      : html`${graphSection(matrix, changes)}${matrixSection(matrix)}${layersSection(shownLayers(report))}${sidecars === undefined ? NOTHING_SHOWN : html`${outsideSection(sidecars)}${trustSection(sidecars)}`}${blastSection(matrix)}`
  }${registration === undefined ? NOTHING_SHOWN : registrationSection(registration)}</main>
</body>
</html>
`;
  // The style is the page's own text, and its digest is taken of it as it stands.
  return `${page.text}<style>${STYLE}</style>\n${body.text}`;
}
