import assert from "node:assert/strict";
import { parse } from "parse5";
import type { DefaultTreeAdapterTypes as Tree } from "parse5";
import { changesFrom } from "../../../cli/reachability/report";
import type { Opened, Report } from "../../../cli/reachability/report";
import type { Call, SidecarMatrix } from "../../../cli/reachability/sidecars";
import type { RegistrationMatrix } from "../../../cli/reachability/registration";
import type { Matrix, Pair } from "../../../cli/reachability/matrix";
import { reportHtml } from "../../../cli/reachability/html/page";
import { PortSet } from "../../../policies/reachability/network";

const pair = (from: string, to: string, ...ports: number[]): Pair => ({ from, to, ports: PortSet.tcp(...ports) });

function matrix(pairs: readonly Pair[], outside: Matrix["outside"] = []): Matrix {
  return { parties: [...new Set(pairs.flatMap(({ from, to }) => [from, to]))].sort(), pairs, outside };
}

const BEFORE = matrix([
  pair("Ops/admin-ui", "Chain/lucid-blocks", 15001),
  pair("Ops/admin-ui", "Wallet/payout-router", 15001),
]);
const AFTER = matrix([
  pair("Ops/admin-ui", "Chain/lucid-blocks", 15001),
  pair("Ops/prometheus", "Wallet/payout-router", 15090),
]);
const call = (from: string, to: string, changes: Partial<Call> = {}): Call => ({
  from,
  to,
  port: "http",
  rules: [{ methods: ["GET"] }],
  further: [],
  layers: ["authorization", "ways"],
  ...changes,
});
const sidecarsOf = (...calls: readonly Call[]): SidecarMatrix => ({
  calls,
  outside: [],
  trust: [{ party: "Chain/lucid-blocks", zones: ["ops"] }],
  names: [{ party: "Ops/admin-ui", names: ["lucid-blocks.lucid.internal"] }],
});
const SIDECARS = sidecarsOf(call("Ops/admin-ui", "Chain/lucid-blocks"));
const REGISTRATION: RegistrationMatrix = {
  services: ["Chain/lucid-blocks", "Ops/admin-ui", "Ops/jaeger"],
  rows: [
    {
      backend: "consul",
      by: "AclToken registrar-ops",
      holders: ["Mesh/mesh-controller"],
      acts: [
        { act: "register", what: "Ops/admin-ui", isService: true },
        { act: "look up", what: "Chain/lucid-blocks", isService: true },
        { act: "write", what: "every other node that begins with `lucid-ops-`", isService: false },
      ],
      isRoot: false,
    },
    { backend: "consul", by: "token <by hand>", holders: [], acts: [], isRoot: false },
  ],
};
const opened = (of: Matrix, sidecars = SIDECARS): Opened => ({ matrix: of, sidecars, registration: REGISTRATION });
const report = (changes: Partial<Report> = {}): Report => ({
  source: "mesh.yaml",
  matrix: AFTER,
  sidecars: SIDECARS,
  registration: REGISTRATION,
  violations: [],
  ...changes,
});

/** Every element of a page, in order. */
function elements(page: string): readonly Tree.Element[] {
  const errors: string[] = [];
  const document = parse(page, { onParseError: ({ code }) => errors.push(code) });
  assert.deepEqual(errors, []);
  const below = (node: Tree.ChildNode | Tree.Document): Tree.Element[] =>
    "childNodes" in node
      ? [...("tagName" in node ? [node] : []), ...node.childNodes.flatMap((child) => below(child))]
      : [];
  return below(document);
}

const attribute = ({ attrs }: Tree.Element, name: string) => attrs.find((one) => one.name === name)?.value;
const named = (page: string, tag: string) => elements(page).filter(({ tagName }) => tagName === tag);
const textOf = (node: Tree.ChildNode): string =>
  "value" in node ? node.value : "childNodes" in node ? node.childNodes.map(textOf).join("") : "";

/** What a document's author could try as a name, a reason or a file name. */
const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  "</title><script>1</script>",
  "</svg></style><script>1</script>",
  "<!--",
  "]]><svg onload=1>",
  "&lt;script&gt;&#60;script&#62;",
  "javascript:alert(1)",
  "`${alert(1)}`",
  "\u202Eevil\u0000\u001B[31m",
];

describe("the page of who reaches whom", () => {
  it("is one well-formed page that asks for nothing, runs nothing and allows neither", () => {
    const page = reportHtml(report({ changes: changesFrom("before.yaml", opened(BEFORE), opened(AFTER)) }));
    const tags = new Set(elements(page).map(({ tagName }) => tagName));
    for (const tag of [
      "script",
      "link",
      "img",
      "iframe",
      "object",
      "embed",
      "form",
      "base",
      "image",
      "use",
      "foreignObject",
    ])
      assert.ok(!tags.has(tag), tag);
    for (const element of elements(page)) {
      for (const { name, value } of element.attrs) {
        assert.doesNotMatch(name, /^on|^(src|href|srcset|style|action)$/, `${element.tagName} ${name}`);
        assert.doesNotMatch(value, /url\((?!#)/);
      }
    }
    const [style] = named(page, "style");
    assert.ok(style !== undefined && !/url\(|@import/.test(textOf(style)));
    assert.match(textOf(style), /prefers-color-scheme: dark/);
    assert.match(page, /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/);
  });

  it("can be read without seeing the drawing: language, headings, captions, labelled parts", () => {
    const page = reportHtml(report({ changes: changesFrom("before.yaml", opened(BEFORE), opened(AFTER)) }));
    const all = elements(page);
    assert.equal(attribute(all[0] as Tree.Element, "lang"), "en");
    const ids = all.flatMap((element) => attribute(element, "id") ?? []);
    assert.equal(new Set(ids).size, ids.length);
    for (const element of all) {
      for (const id of (attribute(element, "aria-labelledby") ?? "").split(" ").filter(Boolean))
        assert.ok(ids.includes(id), id);
    }
    assert.equal(named(page, "h1").length, 1);
    for (const table of named(page, "table"))
      assert.ok(table.childNodes.some((child) => "tagName" in child && child.tagName === "caption"));
    for (const heading of named(page, "th")) assert.match(attribute(heading, "scope") ?? "", /^(row|col)$/);
    for (const svg of named(page, "svg")) assert.equal(attribute(svg, "role"), "img");
  });

  it("draws each edge once, and says of each what changed", () => {
    const page = reportHtml(report({ changes: changesFrom("before.yaml", opened(BEFORE), opened(AFTER)) }));
    const arrows = named(page, "path").filter((path) => attribute(path, "class")?.startsWith("arrow") === true);
    assert.deepEqual(
      arrows.map((arrow) => [attribute(arrow, "class"), textOf(arrow)]),
      [
        ["arrow call", "Ops/admin-ui may call Chain/lucid-blocks on 15001/TCP"],
        ["arrow opens", "Ops/prometheus may now reach Wallet/payout-router on 15090/TCP"],
        ["arrow closes", "Ops/admin-ui may no longer reach Wallet/payout-router on 15001/TCP"],
      ].filter(([, text]) => text !== undefined),
    );
    const rows = named(page, "tr").map((row) =>
      row.childNodes
        .map((cell) => textOf(cell).trim())
        .filter(Boolean)
        .join("|"),
    );
    assert.ok(rows.includes("opens|Ops/prometheus → Wallet/payout-router|15090/TCP"), rows.join("\n"));
    assert.ok(rows.includes("closes|Ops/admin-ui → Wallet/payout-router|15001/TCP"), rows.join("\n"));
  });

  it("has a column for each layer, with what it lets through", () => {
    const page = reportHtml(report());
    const headings = named(page, "th").map(textOf);
    for (const layer of ["network", "authorization", "ways"]) assert.ok(headings.includes(layer), layer);
    assert.match(page, /<td>15001\/TCP<\/td>\s*<td>http: GET[^<]*<\/td>\s*<td>http<\/td>/);
  });

  it("says of trust and names what no pair shows, and nothing where sidecars can't be judged", () => {
    const rows = (page: string) =>
      named(page, "tr").map((row) => row.childNodes.map(textOf).join(" ").replace(/\s+/g, " ").trim());
    assert.ok(rows(reportHtml(report())).includes("Chain/lucid-blocks ops ·"));
    const without = reportHtml(report({ sidecars: undefined }));
    assert.doesNotMatch(without, /Trust and names/);
    assert.ok(!named(without, "th").map(textOf).includes("authorization"));
  });

  it("tells what sidecars newly let be asked, where the network stays as it is", () => {
    const more = sidecarsOf(call("Ops/admin-ui", "Chain/lucid-blocks", { rules: [{ methods: ["PUT"] }] }));
    const page = reportHtml(report({ changes: changesFrom("before.yaml", opened(AFTER), opened(AFTER, more)) }));
    const [, rows = ""] = /What opens and what closes([\s\S]*?)<\/table>/.exec(page) ?? [];
    assert.match(rows, /opens[\s\S]*http: PUT/);
    assert.match(rows, /closes[\s\S]*http: GET/);
  });

  it("says what is not as declared, and nothing of a matrix where there is none", () => {
    const page = reportHtml(report({ matrix: undefined, violations: ["network: a can reach b; close it"] }));
    assert.match(page, /<strong>Not proven\.<\/strong>/);
    assert.match(page, /<li>network: a can reach b; close it<\/li>/);
    assert.equal(named(page, "svg").length, 0);
  });

  it("draws zones where services are too many", () => {
    const many = Array.from({ length: 60 }, (_, index) => pair(`Ops/s${String(index)}`, "Chain/lucid-blocks", 15001));
    const page = reportHtml(report({ matrix: matrix(many) }));
    assert.match(page, /61 services are too many to be drawn/);
    assert.equal(named(page, "rect").filter((rect) => attribute(rect, "class") === "node").length, 2);
  });

  for (const hostile of HOSTILE) {
    it(`takes ${JSON.stringify(hostile)} as text wherever it stands`, () => {
      const evil = matrix(
        [pair(`Ops/${hostile}`, `${hostile}/b`, 15001)],
        [{ party: `Ops/${hostile}`, direction: "egress", whom: hostile, ports: PortSet.tcp(1) }],
      );
      const harmless = matrix(
        [pair("Ops/a", "Zone/b", 15001)],
        [{ party: "Ops/a", direction: "egress", whom: "c", ports: PortSet.tcp(1) }],
      );
      const sidecarsNamed = (text: string, { pairs: [only] }: Matrix): SidecarMatrix => ({
        calls: [call(only?.from ?? "", only?.to ?? "", { port: text, rules: [{ methods: [text] }], until: text })],
        outside: [{ party: text, port: text, where: text }],
        trust: [{ party: text, zones: [text] }],
        names: [{ party: text, names: [text] }],
      });
      const shapeOf = (page: string) =>
        elements(page).map(({ tagName, attrs }) => `${tagName} ${attrs.map(({ name }) => name).join(" ")}`);
      const pageOf = (text: string, of: Matrix) =>
        reportHtml({
          source: text,
          ...opened(of, sidecarsNamed(text, of)),
          violations: [text],
          changes: changesFrom(text, opened(matrix([]), sidecarsOf()), opened(of, sidecarsNamed(text, of))),
        });
      const page = pageOf(hostile, evil);
      // Rows are sorted by name, so that their order may differ, but not what there is.
      assert.deepEqual([...shapeOf(page)].sort(), [...shapeOf(pageOf("x", harmless))].sort());
      assert.doesNotMatch(page.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}]/u);
    });
  }
});
