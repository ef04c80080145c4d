/** Control characters, what turns the direction of the text that follows, and what is no character. */
const UNSHOWN = /[\p{Cc}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu;

/** Markup into which text gets escaped, and nothing else gets in. */
export class Markup {
  private constructor(readonly text: string) {}

  /**
   * Builds markup: what stands in the template is taken as it is, and what is put in is text, markup that was built likewise, or a list of such.
   *
   * ```ts
   * html`<td title="${name}">${cells}</td>`
   * ```
   */
  static readonly html = (fixed: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
    new Markup(fixed.map((text, index) => text + markupOf(parts[index] ?? "")).join(""));
}

/** What may be put into markup. */
export type Part = string | number | Markup | readonly Part[];

export const { html } = Markup;
export const NOTHING_SHOWN = html``;

function markupOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  return typeof part === "object" ? part.map(markupOf).join("") : escaped(String(part));
}

/** Text that is text wherever it stands: between tags, and in an attribute in either kind of quotes. Characters that HTML has no place for are shown as such. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .replaceAll("`", "&#96;")
    .replace(UNSHOWN, (character) => (character === "\n" || character === "\t" ? character : "\uFFFD"));
}
