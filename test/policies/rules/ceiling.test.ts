import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { LONGEST_EXCEPTION_DAYS, Exceptions, endOf, holds } from "../../../policies/ceiling/exceptions";
import { readCeiling } from "../../../policies/ceiling/reading";
import { CEILING_FORM } from "../../../policies/ceiling/schema";
import type { CeilingException } from "../../../policies/ceiling/types";
import { resourceRules, stackRules } from "../../../policies/rules";

const NOW = new Date("2026-05-10T12:00:00Z");
const RULES = new Map([...resourceRules, ...stackRules].map((rule) => [rule.name, rule]));

const EXCEPTION: CeilingException = {
  rule: "images-pinned",
  object: "Deployment lucid-ops/jaeger",
  finding: "the image moves",
  reason: "The new build is not there yet",
  owner: "ops@lucid.internal",
  until: "2026-06-01",
};

const read = (written: unknown) => readCeiling(written, { rules: RULES, now: NOW });
const problems = (written: unknown) =>
  read(written).problems.map(({ path, problem, mend }) => `${path}: ${problem}; ${mend}`);
const notes = (written: unknown) => read(written).notes.map(({ path, problem }) => `${path}: ${problem}`);

describe("the ceiling's configuration", () => {
  it("is Lucid's own where nothing is configured, and nothing is wrong with that", () => {
    assert.deepEqual(read({}), { ceiling: LUCID_CEILING, problems: [], notes: [] });
  });

  it("has a form for every key", () => {
    assert.deepEqual(Object.keys(CEILING_FORM).sort(), [...Object.keys(LUCID_CEILING), "also"].sort());
  });

  it("replaces a key as a whole, and adds to one under `also`", () => {
    const images = ["docker.io/envoyproxy/envoy"];
    assert.deepEqual(read({ images }).ceiling, { ...LUCID_CEILING, images });
    const also = {
      members: { ops: ["billing"], wallet: ["miner"] },
      joined: { "ops/billing": "by its own stack" },
      images: ["docker.io/x/billing"],
      edges: [{ from: "ops/billing", to: "wallet/payout-router", ports: ["15001/TCP"], reason: "Bills" }],
    };
    const { ceiling } = read({ also });
    assert.deepEqual(ceiling?.members, {
      ...LUCID_CEILING.members,
      ops: [...(LUCID_CEILING.members.ops ?? []), "billing"],
      wallet: [...(LUCID_CEILING.members.wallet ?? []), "miner"],
    });
    assert.deepEqual(ceiling.joined, also.joined);
    assert.deepEqual(ceiling.images, [...LUCID_CEILING.images, ...also.images]);
    assert.deepEqual(ceiling.edges, [...LUCID_CEILING.edges, ...also.edges]);
    assert.deepEqual(ceiling.kinds, LUCID_CEILING.kinds);
    assert.deepEqual(read({ images, also: { images: ["docker.io/x/y"] } }).ceiling?.images, [
      ...images,
      "docker.io/x/y",
    ]);
  });

  for (const [title, written, expected] of [
    [
      "an unknown key",
      { membres: {} },
      /^: the key membres is none of the ceiling's; take one of members, infra.*also/,
    ],
    [
      "an unknown key of an edge",
      { edges: [{ from: "*", to: "*", ports: ["1/TCP"], reason: "r", port: 1 }] },
      /^edges\[0\]: the key port is none .* from, to, ports, sides, reason/,
    ],
    ["an unknown key under also", { also: { sidecarImage: "x" } }, /^also: the key sidecarImage/],
    ["a key of another type", { members: ["ops"] }, /^members: expected record/],
    ["a member that is no text", { members: { ops: [1] } }, /^members\.ops\[0\]: expected string/],
    ["a reason that is empty", { joined: { "ops/jaeger": " " } }, /^joined\["ops\/jaeger"\]: the text is empty/],
    [
      "an edge without reason",
      { edges: [{ from: "*", to: "*", ports: ["1/TCP"] }] },
      /^edges\[0\]\.reason: it is missing/,
    ],
    [
      "an edge without port",
      { edges: [{ from: "*", to: "*", ports: [], reason: "r" }] },
      /^edges\[0\]\.ports: no port is named/,
    ],
    [
      "an edge of another side",
      { edges: [{ from: "*", to: "*", ports: ["1/TCP"], reason: "r", sides: ["both"] }] },
      /^edges\[0\]\.sides\[0\]/,
    ],
    [
      "no such port",
      { edges: [{ from: "*", to: "*", ports: ["99999/TCP"], reason: "r" }] },
      /^edges\[0\]\.ports: `99999\/TCP` is no port/,
    ],
    [
      "a range of ports",
      { edges: [{ from: "*", to: "*", ports: ["1-9/TCP"], reason: "r" }] },
      /is no port; write it as 15001\/TCP/,
    ],
    [
      "an external of no form",
      { externals: { "external/x": { hosts: [] } } },
      /^externals\["external\/x"\]: an external is \{namespace, labels\} or/,
    ],
    [
      "an external of a member's name",
      { externals: { "ops/x": { namespace: "a", labels: { b: "c" } } } },
      /could be a member's/,
    ],
    ["a whole namespace", { externals: { "external/x": { namespace: "a", labels: {} } } }, /everything in a namespace/],
    [
      "pods of the mesh as outsiders",
      { externals: { "external/x": { namespace: "lucid-ops", labels: { b: "c" } } } },
      /pods of the mesh itself/,
    ],
    ["no block", { externals: { "external/x": { cidrs: ["all"], widestPrefix: 24 } } }, /`all` is no IPv4 block/],
    [
      "no prefix",
      { externals: { "external/x": { cidrs: ["10.0.0.0/8"], widestPrefix: 0 } } },
      /externals\["external\/x"\]/,
    ],
    ["a zone that is no zone's name", { members: { "Ops-1": [] } }, /no zone's name/],
    ["a member that is no service's name", { members: { ops: ["Jaeger_"] } }, /no service's name/],
    [
      "a power for nobody",
      { powers: { "escalate rbac.authorization.k8s.io/roles": "r" } },
      /no right that a role could be given/,
    ],
    ["a power that is none", { powers: { "core/pods": "r" } }, /write `<verb> <group>\/<resource>`/],
    [
      "an exception without owner",
      { exceptions: [{ ...EXCEPTION, owner: undefined }] },
      /^exceptions\[0\]\.owner: it is missing/,
    ],
    [
      "an exception of an empty owner",
      { exceptions: [{ ...EXCEPTION, owner: "" }] },
      /^exceptions\[0\]\.owner: the text is empty/,
    ],
    [
      "an exception without reason",
      { exceptions: [{ ...EXCEPTION, reason: undefined }] },
      /^exceptions\[0\]\.reason: it is missing/,
    ],
    [
      "an exception without end",
      { exceptions: [{ ...EXCEPTION, until: undefined }] },
      /^exceptions\[0\]\.until: it is missing/,
    ],
  ] as const) {
    it(`refuses ${title}, and judges nothing by it`, () => {
      assert.match(problems(written).join("\n"), expected);
      assert.equal(read(written).ceiling, undefined);
    });
  }

  it("tells everything that is wrong at once", () => {
    assert.equal(problems({ membres: {}, edges: [{ from: "*" }], images: "x" }).length, 5);
  });

  it("lets addresses outside the cluster be Tor's proxies' alone", () => {
    const also = {
      members: { edge: ["tor"] },
      externals: { "external/relays": { cidrs: ["1.0.0.0/8"], except: [], widestPrefix: 8 } },
    };
    const edge = (from: string) => ({ from, to: "external/relays", ports: ["9001/TCP"], reason: "Tor" });
    const torProxies = ["edge/tor"];
    assert.deepEqual(problems({ also: { ...also, torProxies, edges: [edge("edge/tor")] } }), []);
    for (const from of ["wallet/payout-router", "*", "ops/admin-ui"]) {
      assert.match(
        problems({ also: { ...also, torProxies, edges: [edge(from)] } }).join(),
        /out of the cluster past Tor/,
      );
    }
    assert.match(problems({ also: { ...also, edges: [edge("edge/tor")] } }).join(), /past Tor/);
  });

  it("warns of parties that don't exist, by which nothing is granted", () => {
    assert.match(
      notes({ members: { ops: [] } }).join("\n"),
      /edges\[0\]\.from: `ops\/admin-ui` is neither a listed member/,
    );
    for (const key of ["infrastructure", "joined", "apiClients", "mtlsOptional"]) {
      assert.deepEqual(notes({ also: { [key]: { "ops/nobody": "r" } } }), [
        `${key}: \`ops/nobody\` is no listed member`,
      ]);
    }
    for (const key of ["authenticators", "torProxies"]) {
      assert.deepEqual(notes({ also: { [key]: ["ops/nobody"] } }), [`${key}: \`ops/nobody\` is no listed member`]);
    }
    assert.deepEqual(notes({ mtlsOptional: { "*": "r" } }), []);
  });
});

describe("an exception of the ceiling", () => {
  const finding = { path: "spec.image", problem: EXCEPTION.finding, mend: "pin it" };
  const lifts = (
    exception: CeilingException,
    now = NOW,
    rule = EXCEPTION.rule,
    object = EXCEPTION.object,
    found = finding,
  ) => new Exceptions([exception], now).lift(rule, object, found);

  it("lifts what one rule finds in one object", () => {
    assert.deepEqual(problems({ exceptions: [EXCEPTION] }), []);
    assert.ok(lifts(EXCEPTION));
    assert.ok(!lifts(EXCEPTION, NOW, "resource-limits"));
    assert.ok(!lifts(EXCEPTION, NOW, EXCEPTION.rule, "Deployment lucid-ops/jaeger-2"));
    assert.ok(!lifts(EXCEPTION, NOW, EXCEPTION.rule, EXCEPTION.object, { ...finding, problem: "another" }));
    assert.ok(lifts({ ...EXCEPTION, path: "spec.image" }));
    assert.ok(!lifts({ ...EXCEPTION, path: "spec.other" }));
  });

  it("holds to the end of its day, and is a violation from then on", () => {
    assert.ok(lifts(EXCEPTION, new Date("2026-06-01T23:59:59Z")));
    assert.ok(!lifts(EXCEPTION, new Date("2026-06-02T00:00:00Z")));
    const over = { ...EXCEPTION, until: "2026-05-09" };
    assert.match(
      problems({ exceptions: [over] }).join(),
      /exceptions\[0\]\.until: the exception for Deployment lucid-ops\/jaeger ended with 2026-05-09; ops@lucid\.internal answers for it/,
    );
    assert.ok(read({ exceptions: [over] }).ceiling, "all else can be judged");
    assert.deepEqual(problems({ exceptions: [{ ...EXCEPTION, until: "2026-05-10" }] }), []);
  });

  it("is for a day that there is, and within a year", () => {
    for (const until of ["soon", "2026-02-30", "2026-6-1", "2026-06-01T00:00:00Z"]) {
      assert.match(problems({ exceptions: [{ ...EXCEPTION, until }] }).join(), /is no day; write the last day/);
      assert.ok(!lifts({ ...EXCEPTION, until }));
    }
    const later = (days: number) => new Date(NOW.getTime() + days * 86_400_000).toISOString().slice(0, 10);
    assert.deepEqual(problems({ exceptions: [{ ...EXCEPTION, until: later(LONGEST_EXCEPTION_DAYS) }] }), []);
    const long = { ...EXCEPTION, until: later(LONGEST_EXCEPTION_DAYS + 1) };
    assert.match(problems({ exceptions: [long] }).join(), /more than 366 days/);
    assert.ok(!holds(long, NOW));
    assert.equal(endOf("2026-12-31")?.toISOString(), "2027-01-01T00:00:00.000Z");
  });

  it("names a rule that there is", () => {
    assert.match(
      problems({ exceptions: [{ ...EXCEPTION, rule: "image-pinned" }] }).join(),
      /there is no rule `image-pinned`/,
    );
  });

  for (const { name, takesExceptions } of [...resourceRules, ...stackRules]) {
    if (takesExceptions === true) continue;
    it(`is not for ${name}`, () => {
      assert.match(
        problems({ exceptions: [{ ...EXCEPTION, rule: name }] }).join(),
        new RegExp(`${name} takes no exceptions`),
      );
    });
  }

  it("is told of where it lifts nothing", () => {
    const exceptions = new Exceptions([EXCEPTION, { ...EXCEPTION, object: "Deployment lucid-ops/gone" }], NOW);
    assert.equal(exceptions.unused().length, 2);
    exceptions.lift(EXCEPTION.rule, EXCEPTION.object, finding);
    assert.deepEqual(
      exceptions.unused().map(({ object }) => object),
      ["Deployment lucid-ops/gone"],
    );
  });
});
