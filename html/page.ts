/** One page that holds all: nothing is fetched from elsewhere, and no style or script but its own applies, whatever a name holds. */
import { createHash } from "node:crypto";
import { html, type Part } from "./markup";

export interface PageParts {
  readonly title: string;
  /** The page's own text, taken as it stands. */
  readonly style: string;
  /** Likewise; without one, nothing runs. */
  readonly script?: string;
  readonly header: Part;
  readonly main: Part;
}

/**
 * The policy under which a page of these parts is shown.
 *
 * @see https://www.w3.org/TR/CSP3/
 */
export function contentPolicy({ style, script }: Pick<PageParts, "style" | "script">): string {
  return [
    "default-src 'none'",
    `style-src '${digest(style)}'`,
    // What asks may ask where the page came from, and nobody else.
    ...(script === undefined ? [] : [`script-src '${digest(script)}'`, "connect-src 'self'"]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** A page: readable in light and dark, by keyboard and screen reader. */
export function pageText(parts: PageParts): string {
  const { title, style, script, header, main } = parts;
  const head = html`<meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${contentPolicy(parts)}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="referrer" content="no-referrer" />
    <title>${title}</title>`;
  const body = html`<header>${header}</header>
    <main>${main}</main>`;
  // Style and script are the page's own text, and their digests are taken of them as they stand.
  const run = script === undefined ? [] : [`<script>${script}</script>`];
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    head.text,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    body.text,
    ...run,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
