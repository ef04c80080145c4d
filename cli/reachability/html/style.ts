import { BASE_STYLE } from "../../../html/style";

/** The page's style. */
export const STYLE = `${BASE_STYLE}
.violations li, .blast li { margin: .4rem 0; overflow-wrap: anywhere; }
tr.opens th { color: var(--good); } tr.closes th { color: var(--bad); }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 1.5rem; }
.line.other { border-top: 1px dotted var(--other); } .line.opens { border-top: 4px solid var(--good); } .line.closes { border-top: 3px dashed var(--bad); }
.arrow.other { stroke: var(--other); stroke-width: 1; stroke-dasharray: 2 4; } .arrow.opens { stroke: var(--good); stroke-width: 3; } .arrow.closes { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 8 5; }
.head.other { fill: var(--other); } .head.opens { fill: var(--good); } .head.closes { fill: var(--bad); }
`;
