import assert from "node:assert/strict";
import { diffArrays } from "diff";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { grantCall, revokeCall, type GrantedCall } from "../../../cli/document/calls";
import { CliError } from "../../../cli/exit-status";
import { parseDocument } from "../../../mesh";

const NOW = "2026-11-01T00:00:00.000Z";
const OWN = readFileSync(join(__dirname, "..", "..", "..", "mesh.yaml"), "utf8");

/** A document in which calls are written in every way. */
const TEXT = `# who calls whom
apiVersion: mesh.lucid.internal/v1
zones:
  ops: { members: [one, two,   three, four] }   # spaces are kept
services:
  - name: one   # no calls yet
    plane: ops
    image: "a/b:1"
    ports: [{ name: http, port: 8080 }]

  # two calls one, and says why
  - name: two
    plane: ops
    image: 'a/b:1'
    ports:
      - { name: http, port: 8080 }
      - { name: grpc, port: 8081, protocol: grpc, dialPort: 81 }
    calls:
    - service: one # the first
      methods:
        - GET
      # about the path
      paths: [/a] # and this
    # three is called too
    - service: three
      ports:
        - http
        - more
      until: 2026-12-01
    # the end of the list
  - { name: three, plane: ops, image: "a/b:1", ports: [{ name: http, port: 8080 }, { name: more, port: 8082, dialPort: 82 }], calls: [{ service: one }] }
  - name: four
    plane: ops
    image: a/b:1
    ports: [{ name: http, port: 8080 }]
    calls: [] # none`;

const grant = (from: string, to: string, more: Partial<GrantedCall> = {}, text = TEXT) =>
  grantCall(text, { from, to, until: "2026-12-31", reason: "for a test", ...more }, "mesh.yaml", NOW);

/** The lines that a change takes out (-) and adds (+). */
function changes(before: string, after: string): string[] {
  return diffArrays(before.split("\n"), after.split("\n")).flatMap(({ added, removed, value }) =>
    added || removed ? value.map((line) => `${added ? "+" : "-"}${line}`) : [],
  );
}

describe("granting a call in the document", () => {
  const rows: [what: string, after: () => string, changes: string[]][] = [
    [
      "at the end of a block list, with its indentation",
      () => grant("two", "four", { methods: ["GET", "POST"], paths: ["/a,b", "/c/*"] }),
      [
        "+    - service: four",
        "+      reason: for a test",
        "+      methods: [GET, POST]",
        '+      paths: ["/a,b", /c/*]',
        "+      until: 2026-12-31",
      ],
    ],
    [
      "to a service without calls",
      () => grant("one", "two", { port: "grpc", grpc: ["a.B/C", "a.D/*"], until: "2026-12-31T18:00:00Z" }),
      [
        "+    calls:",
        "+      - service: two",
        "+        ports: [grpc]",
        "+        reason: for a test",
        "+        grpc: [a.B/C, a.D/*]",
        "+        until: 2026-12-31T18:00:00Z",
      ],
    ],
    [
      "to an empty list, at the end of a file without a last newline",
      () => grant("four", "one"),
      [
        "-    calls: [] # none",
        "+    calls:",
        "+      - service: one",
        "+        reason: for a test",
        "+        until: 2026-12-31 # none",
      ],
    ],
    [
      "with a reason that YAML would take for something else",
      () => grant("one", "four", { reason: "ticket: #7, 'now' [urgent]" }),
      [
        "+    calls:",
        "+      - service: four",
        `+        reason: "ticket: #7, 'now' [urgent]"`,
        "+        until: 2026-12-31",
      ],
    ],
  ];
  for (const [what, after, expected] of rows) {
    it(`is written ${what}; every other byte stays`, () => {
      assert.deepEqual(changes(TEXT, after()), expected);
    });
  }

  it("is written into braces and brackets, where the author uses them", () => {
    const [, ...added] = changes(TEXT, grant("three", "four", { reason: "a, b" }));
    assert.match(
      added.join(),
      /calls: \[\{ service: one \}, \{ service: four, reason: "a, b", until: 2026-12-31 \}\] \}$/,
    );
    const json = JSON.stringify(parseDocument(TEXT));
    const read = parseDocument(grant("one", "four", {}, json));
    assert.deepEqual(read.services[0]?.calls, [{ service: "four", reason: "for a test", until: "2026-12-31" }]);
  });

  it("anew: the call gets the new end and reason", () => {
    const first = grant("one", "four", { reason: "old" });
    assert.deepEqual(changes(first, grant("one", "four", { until: "2027-01-31", reason: "new" }, first)), [
      "-        reason: old",
      "-        until: 2026-12-31",
      "+        reason: new",
      "+        until: 2027-01-31",
    ]);
  });

  const refused: [what: string, attempt: () => string, message: RegExp][] = [
    [
      "what is allowed without an end",
      () => grant("two", "one"),
      /^mesh\.yaml:19: two may call port http of one already/,
    ],
    ["one of several ports", () => grant("two", "three"), /has other ports too \(http, more\)/],
    [
      "other rules than those granted",
      () => grant("one", "four", { paths: ["/x"] }, grant("one", "four")),
      /granted until 2026-12-31 already.*revoke it first/,
    ],
    ["an unknown caller", () => grant("nobody", "one"), /'nobody' is no service/],
    ["an unknown callee", () => grant("one", "nobody"), /'nobody' is no service/],
    ["an unknown port", () => grant("one", "two", { port: "grcp" }), /no port 'grcp'; name http, grpc/],
    ["no date", () => grant("one", "two", { until: "tomorrow" }), /no date of UTC/],
    ["a date that is over", () => grant("one", "two", { until: "2026-10-31" }), /over already/],
    [
      "what the document may not say",
      () => grant("one", "two", { grpc: ["a.B/C"] }),
      /^nothing was written; the change would leave it with mesh\.yaml: 1 problem\n.*mesh\.yaml:13 .*carries no gRPC/,
    ],
    ["a path that can't be matched", () => grant("one", "two", { paths: ["/a/../b"] }), /'\.\.'.*never match/s],
    ["a document with problems", () => grant("one", "two", {}, TEXT.replace("plane: ops", "plane: opps")), /'opps'/],
  ];
  for (const [what, attempt, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(attempt, (error) => error instanceof CliError && message.test(error.message));
    });
  }
});

describe("revoking a call in the document", () => {
  const revoke = (from: string, to: string, port?: string, text = TEXT) =>
    revokeCall(text, from, to, port, "mesh.yaml");

  it("takes its lines out, and no comment that stands on a line of its own before it", () => {
    assert.deepEqual(changes(TEXT, revoke("two", "three")), [
      "-    - service: three",
      "-      ports:",
      "-        - http",
      "-        - more",
      "-      until: 2026-12-01",
    ]);
    assert.deepEqual(changes(TEXT, revoke("two", "one")), [
      "-    - service: one # the first",
      "-      methods:",
      "-        - GET",
      "-      # about the path",
      "-      paths: [/a] # and this",
    ]);
  });

  it("takes one port out, wherever the others go on", () => {
    assert.deepEqual(changes(TEXT, revoke("two", "three", "more")), ["-        - more"]);
    assert.deepEqual(changes(OWN, revoke("admin-ui", "payout-router", "http", OWN)), [
      "-        ports: [http, grpc]",
      "+        ports: [grpc]",
    ]);
  });

  it("takes the list out with its last call", () => {
    const once = revoke("two", "three");
    assert.deepEqual(changes(once, revoke("two", "one", undefined, once)).slice(0, 2), [
      "-    calls:",
      "-    - service: one # the first",
    ]);
    assert.match(revoke("three", "one"), /dialPort: 82 \}\] \}$/m);
  });

  it("refuses what is not declared", () => {
    assert.throws(() => revoke("one", "two"), /one declares no call to two: nothing to revoke/);
    assert.throws(
      () => revoke("two", "three", "http", revoke("two", "three", "http")),
      /no call to port http of three/,
    );
    assert.throws(() => revoke("two", "three", "htp"), /no port 'htp'/);
  });

  it("of a job is neither granted nor revoked", () => {
    const text = TEXT.replace("ports: [{ name: http, port: 8080 }]\n    calls: [] # none", "workload: { kind: job }");
    assert.notEqual(text, TEXT);
    assert.match(grant("four", "one", {}, text), /name: four[^]*workload: \{ kind: job \}\n +calls:\n +- .*one/);
    for (const port of [undefined, "http"]) {
      const options = port === undefined ? {} : { port };
      assert.throws(() => grant("one", "four", options, text), /--to: 'four' is a job: it has no port/);
    }
  });

  it("is the opposite of granting: byte for byte, for every pair of the project's own document", () => {
    const { services } = parseDocument(OWN);
    let pairs = 0;
    for (const from of services) {
      for (const to of services) {
        if (from === to || from.calls.some((call) => call.service === to.name)) continue;
        const dialled = to.ports?.[0]?.dialPort ?? 80;
        if (from.ports?.some(({ port }) => port === dialled)) continue;
        const granted = grant(from.name, to.name, {}, OWN);
        assert.notEqual(granted, OWN);
        assert.equal(revoke(from.name, to.name, undefined, granted), OWN, `${from.name} ${to.name}`);
        pairs++;
      }
    }
    assert.ok(pairs > 20, String(pairs));
  });
});
