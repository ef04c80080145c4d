import assert from "node:assert/strict";
import fc from "fast-check";
import { MeshDocumentError, parseDocument, validateDocument } from "../../../mesh";
import { happy, problemsOf } from "./fixture";

const ALL_AT_ONCE = `apiVersion: mesh.lucid.internal/v1
zones:
  ops: { members: [admin-ui] }
  chain: { members: [lucid-blocks, spy] }
services:
  - name: admin-ui
    plane: opps
    image: a/b:1
    color: blue
    ports: [{ name: http, port: 99999 }]
    calls:
      - { service: nobody }
  - name: spy
    plane: chain
    image: a/b:1
    ports: [{ name: http, port: 8080 }]
  - name: jaeger
    plane: ops
    component: true
    ports: [{ name: query, port: 16686 }, { name: otlp, port: 4317, protocol: grpc, dialPort: 4317 }]
    calls:
      - service: spy
  - name: jaeger
    plane: ops
    component: true
    ports: [{ name: query, port: 16686 }, { name: otlp, port: 4317, protocol: grpc, dialPort: 4317 }]
`;

describe("parseDocument", () => {
  it("tells all problems at once, in the order of the document, each with its line", () => {
    assert.deepEqual(
      problemsOf(ALL_AT_ONCE).map(({ line, path }) => `${String(line)} ${path}`),
      [
        "4 zones.chain.members[1]",
        "7 services.admin-ui.plane",
        "9 services.admin-ui.color",
        "10 services.admin-ui.ports[0].port",
        "12 services.admin-ui.calls[0].service",
        "14 services.spy.plane",
        "18 services[2].plane",
        "22 services[2].calls[0].reason",
        "23 services[3].name",
        "24 services[3].plane",
      ],
    );
  });

  it("writes them as one message, a line each, with file and line", () => {
    assert.throws(
      () => parseDocument(ALL_AT_ONCE, "lucid.yaml"),
      (error) => {
        assert.ok(error instanceof MeshDocumentError);
        const [head, ...lines] = error.message.split("\n");
        assert.equal(head, "lucid.yaml: 10 problems; nothing was planned");
        assert.equal(lines.length, 10);
        assert.equal(
          lines[1],
          "  lucid.yaml:7 services.admin-ui.plane: 'opps' is not ops, chain, wallet, mesh or edge; did you mean 'ops'?",
        );
        return true;
      },
    );
  });

  it("shows a hundred problems and counts the rest", () => {
    const document = happy();
    for (let index = 0; index < 200; index++) document.services.push({});
    assert.throws(() => validateDocument(document), /… and \d+ more$/);
  });

  it("tells every key that stands twice, with both lines", () => {
    const text = "apiVersion: mesh.lucid.internal/v1\nzones: {}\nservices: []\nzones: {}\nservices: []\n";
    assert.deepEqual(
      problemsOf(text).map(({ line, path, message }) => [line, path, message]),
      [
        [4, "zones", "the key 'zones' stands twice (first on line 2)"],
        [5, "services", "the key 'services' stands twice (first on line 3)"],
      ],
    );
  });

  it("refuses aliases, however deep they would expand", () => {
    const bomb = ["a: &a0 [x]"];
    for (let depth = 1; depth < 40; depth++) {
      const last = `*a${String(depth - 1)}`;
      bomb.push(`a${String(depth)}: &a${String(depth)} [${[last, last, last].join(", ")}]`);
    }
    const problems = problemsOf(bomb.join("\n"));
    assert.equal(problems.length, 39 * 3);
    assert.match(problems[0]?.message ?? "", /alias \*a0 is refused/);
    assert.equal(problems[0]?.line, 2);
  });

  const odd: [title: string, text: string, message: RegExp][] = [
    ["nothing", "", /document is empty/],
    ["a comment", "# nothing\n", /document is empty/],
    ["null", "---\n", /nothing stands here/],
    ["a word", "hello", /the text 'hello' stands here/],
    ["a list", "- 1\n- 2", /a list stands here/],
    ["two documents", "a: 1\n---\nb: 2\n", /2 documents/],
    ["broken YAML", "services: [\n", /not YAML/],
    ["a tag of code", "services: !!js/function 'x'", /not YAML/],
    ["a list as key", "? [a]\n: b", /not YAML/],
    ["deep nesting", "[".repeat(500) + "]".repeat(500), /not YAML/],
    ["an unknown alias", "a: *b", /alias \*b is refused/],
    ["a recursive alias", "a: &a [*a]", /alias \*a is refused/],
    ["a control character", "a: \u0000", /not YAML/],
    ["too much", `# ${"x".repeat(17_000_000)}`, /has 17000002 characters/],
    ["a merge key", "<<: { apiVersion: x }", /'<<' is unknown/],
    ["__proto__", "__proto__: { services: [] }", /'__proto__' is refused/],
  ];
  for (const [title, text, message] of odd) {
    it(`${title} is a problem, not a crash`, () => {
      const problems = problemsOf(text);
      assert.ok(
        problems.some((problem) => message.test(problem.message)),
        JSON.stringify(problems),
      );
    });
  }

  it("survives any text", function () {
    this.timeout(30_000);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        problemsOf(text);
      }),
      { numRuns: 300 },
    );
  });

  it("survives any value in any place", function () {
    this.timeout(30_000);
    const paths = placesIn(happy());
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
        const document: unknown = structuredClone(happy());
        let place = document as Record<string, unknown>;
        for (const step of path.slice(0, -1)) place = place[step] as Record<string, unknown>;
        place[path.at(-1) ?? ""] = value;
        problemsOf(JSON.stringify(document));
      }),
      { numRuns: 300 },
    );
  });
});

/** Paths of all values in a document. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...placesIn(inner, [...path, key])]);
}
