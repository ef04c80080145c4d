/** What pages are put together from. */
import { html, type Markup, type Part } from "./markup";

/** A part of a page with a heading of its own. */
export function section(id: string, title: string, content: Part): Markup {
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section> `;
}

/** A row: its cells, the first of them a heading. */
export type Row = readonly Part[];

/** A table whose first row and first column are headings. */
export function table(
  caption: string,
  [head = [], ...rows]: readonly Row[],
  classOf: (row: Row) => string = () => "",
): Markup {
  const headings = head.map((cell) => (cell === "" ? html`<td></td>` : html`<th scope="col">${cell}</th>`));
  const line = ([first = "", ...cells]: Row) =>
    html`<tr class="${classOf([first, ...cells])}">
      <th scope="row">${first}</th>
      ${cells.map((cell) => html`<td>${cell}</td>`)}
    </tr> `;
  return scrolling(
    caption,
    html`<table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${headings}
        </tr>
      </thead>
      <tbody>
        ${rows.map(line)}
      </tbody>
    </table>`,
  );
}

/** What may be wider than the page scrolls by itself, by keyboard too. */
export function scrolling(label: string, content: Part): Markup {
  return html`<div class="scrolling" role="region" aria-label="${label}" tabindex="0">${content}</div>`;
}
