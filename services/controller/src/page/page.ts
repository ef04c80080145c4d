import { html } from "../../../../html/markup.js";
import { contentPolicy, pageText } from "../../../../html/page.js";
import type { Overview } from "../../../../mesh/overview/model.js";
import { SCRIPT } from "./script.js";
import {
  alertsSection,
  certificatesSection,
  connectivitySection,
  driftSection,
  graphSection,
  servicesSection,
  verdict,
  violationsSection,
  zonesSection,
  type Past,
} from "./sections.js";
import { STYLE } from "./style.js";

/** Sent with the page. What only a header can say is that no other page may show it in a frame. */
export const PAGE_POLICY = `${contentPolicy({ style: STYLE, script: SCRIPT })}; frame-ancestors 'none'`;

/** How the mesh is, for people: one page that needs nothing but itself. Without a script it shows the instant at which it was asked for. */
export function statusPage(overview: Overview, past: Past): string {
  return pageText({
    title: `Mesh: ${overview.mesh.state}`,
    style: STYLE,
    script: SCRIPT,
    header: [
      html`<h1>Mesh status</h1>`,
      verdict(overview),
      html`<div class="tools">
        <button id="pause" type="button" hidden>Pause updates</button>
        <p id="news" role="status"></p>
      </div>`,
    ],
    main: [
      alertsSection(overview),
      zonesSection(overview, past),
      graphSection(overview),
      servicesSection(overview),
      certificatesSection(overview),
      violationsSection(overview),
      driftSection(overview),
      connectivitySection(overview),
    ],
  });
}
