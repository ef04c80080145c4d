/** What pages look like alike. Colours are never the only difference: lines differ in how they are dashed, words say the rest. */
export const BASE_STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #57606a; --back: #ffffff; --panel: #f6f8fa; --line: #d0d7de; --call: #0550ae; --other: #6e7781; --good: #116329; --warn: #7a4d00; --bad: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --dim: #9ea7b3; --back: #0d1117; --panel: #161b22; --line: #3d444d; --call: #79c0ff; --other: #8b949e; --good: #56d364; --warn: #e3b341; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem 1.5rem 4rem; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
a { color: var(--call); } :focus-visible { outline: 3px solid var(--call); outline-offset: 2px; }
.verdict { padding: .75rem 1rem; border-left: 6px solid var(--good); background: var(--panel); } .verdict.bad { border-color: var(--bad); }
.scrolling { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; } caption { text-align: left; color: var(--dim); padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; } thead th, tbody th { background: var(--panel); font-weight: 600; } tbody th { position: sticky; left: 0; }
.key { display: flex; flex-wrap: wrap; gap: 1.5rem; list-style: none; padding: 0; color: var(--dim); } .line { display: inline-block; width: 2.5rem; margin-right: .5rem; vertical-align: middle; border-top: 2px solid var(--call); }
svg { max-width: 100%; min-width: 46rem; height: auto; } svg text { fill: var(--text); font: 14px system-ui, sans-serif; } .zone { fill: var(--panel); stroke: var(--line); } .zone-name { font-weight: 600; } .node { fill: var(--back); stroke: var(--dim); } .node-name { text-anchor: middle; }
.arrow { fill: none; stroke: var(--call); stroke-width: 1.5; } .arrow:hover { stroke-width: 4; } .head { fill: var(--call); }
@media print { .scrolling { overflow: visible; } }
`;
