import { BASE_STYLE } from "../../../../html/style.js";

/** The page's style. A state is a word and a border besides its colour; a line's state is how it is dashed. */
export const STYLE = `${BASE_STYLE}
header { display: grid; gap: .25rem; } .verdict p { margin: 0; } .verdict ul { margin: .5rem 0 0; padding-left: 1.25rem; } .verdict li { overflow-wrap: anywhere; }
.verdict.degraded, .verdict.unknown { border-color: var(--warn); } .verdict.failing { border-color: var(--bad); }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin: .5rem 0 0; } .tools p { margin: 0; color: var(--dim); }
button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--dim); border-radius: 6px; padding: .5rem .9rem; min-height: 2.75rem; }
summary { padding: .6rem 0; cursor: pointer; }
.state { display: inline-block; padding: 0 .45rem; border: 1px solid var(--dim); border-radius: 1rem; font-size: .85rem; white-space: nowrap; }
.state.well { color: var(--good); border-color: var(--good); } .state.degraded { color: var(--warn); border: 2px dashed var(--warn); } .state.failing { color: var(--bad); border: 3px double var(--bad); font-weight: 600; }
td ul { margin: 0; padding: 0; list-style: none; } td ul li + li { margin-top: .3rem; } td { max-width: 32rem; overflow-wrap: break-word; } tbody th { overflow-wrap: anywhere; min-width: 8.5rem; } time { white-space: nowrap; }
section > ul li, dd { overflow-wrap: anywhere; } dt { font-weight: 600; } dd { margin: 0 0 .5rem 1.5rem; }
.line.well { border-top: 3px solid var(--good); } .line.degraded { border-top: 3px dashed var(--warn); } .line.failing { border-top: 5px double var(--bad); } .line.unknown { border-top: 2px dotted var(--dim); } .line.idle { border-top: 1px solid var(--other); }
.arrow.well { stroke: var(--good); } .arrow.degraded { stroke: var(--warn); stroke-dasharray: 9 4; } .arrow.failing { stroke: var(--bad); stroke-dasharray: 3 3; } .arrow.unknown { stroke: var(--dim); stroke-dasharray: 1 4; } .arrow.idle { stroke: var(--other); stroke-width: 1; }
.arrow.step-1 { stroke-width: 2.5; } .arrow.step-2 { stroke-width: 4; } .arrow.step-3 { stroke-width: 6; } .arrow.beside { stroke-width: .75; opacity: .6; } .arrow:hover { stroke-width: 6; opacity: 1; }
.head { fill: var(--other); } .head.well { fill: var(--good); } .head.degraded { fill: var(--warn); } .head.failing { fill: var(--bad); } .head.unknown { fill: var(--dim); } marker { overflow: visible; }
.node { stroke-width: 1.5; } .node.well { stroke: var(--good); } .node.degraded { stroke: var(--warn); stroke-width: 3; stroke-dasharray: 6 3; } .node.failing { stroke: var(--bad); stroke-width: 4; } .node.unknown { stroke-dasharray: 2 3; }
svg.strip { min-width: 0; vertical-align: middle; } .strip .empty { fill: var(--line); } .strip .well { fill: var(--good); } .strip .degraded { fill: var(--warn); } .strip .failing { fill: var(--bad); } .strip .unknown { fill: var(--other); }
.words { font-size: .85rem; white-space: nowrap; }
@media (max-width: 40rem) { body { padding: .75rem .75rem 3rem; } h1 { font-size: 1.35rem; } h2 { margin-top: 2rem; } th, td { padding: .25rem .4rem; } svg { min-width: 56rem; } }
`;
