import assert from "node:assert/strict";
import type { SidecarState } from "../../src/inspection/answers.js";
import type { VersionedFile } from "../../src/inspection/files.js";
import { judgeCertificates, judgeFiles, type Verdict } from "../../src/inspection/judgement.js";

const FILES = {
  "listeners.yaml": { version: "l2", listeners: 3 },
  "clusters.yaml": { version: "c2", listeners: 0 },
};
const IDENTITY = "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui";
const END = Date.parse("2026-06-01T00:00:00Z");

interface Case {
  readonly running?: Partial<Record<VersionedFile, string>>;
  readonly listeners?: number;
  readonly undeclared?: readonly VersionedFile[];
  readonly rejected?: readonly VersionedFile[];
  readonly isDue?: boolean;
}

function judged({ running, listeners = 3, undeclared = [], rejected = [], isDue = true }: Case): Verdict | undefined {
  const state: SidecarState = {
    running: { "listeners.yaml": "l2", "clusters.yaml": "c2", ...running },
    rejected: { "listeners.yaml": 0, "clusters.yaml": 0 },
    accepted: { "listeners.yaml": 1, "clusters.yaml": 1 },
    listeners,
  };
  const earlier = new Set(["listeners.yaml@l1", "listeners.yaml@l2", "clusters.yaml@c1"]);
  return judgeFiles({ files: FILES, undeclared, earlier }, state, { isDue, rejected });
}

describe("controller: the judgement of a sidecar's files", () => {
  it("is nothing where it runs by what was declared", () => {
    assert.equal(judged({}), undefined);
    assert.equal(judged({ isDue: false }), undefined);
  });

  it("waits until another version has had time to come", () => {
    assert.equal(judged({ running: { "listeners.yaml": "l1" }, isDue: false }), undefined);
    assert.equal(judged({ running: { "listeners.yaml": "??" }, isDue: false }), undefined);
    assert.equal(judged({ listeners: 2, isDue: false }), undefined);
  });

  it("is configuration where it stays with what was declared before", () => {
    assert.deepEqual(judged({ running: { "listeners.yaml": "l1" } }), {
      class: "configuration",
      detail: "runs by listeners.yaml of version l1, declared before, and not by l2",
    });
  });

  it("is a loss of enforcement where it runs by what nobody declared", () => {
    assert.deepEqual(judged({ running: { "listeners.yaml": "??" } }), {
      class: "enforcement",
      detail: "runs by listeners.yaml of version ?? and not by l2",
    });
    // One file's version is none of the other's.
    assert.equal(judged({ running: { "clusters.yaml": "l1" } })?.class, "enforcement");
    assert.match(judged({ running: { "clusters.yaml": "" } })?.detail ?? "", /of version none and not by c2/);
  });

  it("does not wait where what stands in the ConfigMap is what nobody declared, and it runs by that", () => {
    assert.deepEqual(judged({ undeclared: ["listeners.yaml"], isDue: false }), {
      class: "enforcement",
      detail: "runs by listeners.yaml of version l2, which nobody declared",
    });
    // It stands there, and has not come yet.
    assert.equal(
      judged({ undeclared: ["listeners.yaml"], running: { "listeners.yaml": "l1" }, isDue: false }),
      undefined,
    );
  });

  it("does not wait where it has rejected a change, of which a part may be in force, whatever its version", () => {
    for (const running of ["l1", "l2"])
      assert.deepEqual(judged({ running: { "listeners.yaml": running }, rejected: ["listeners.yaml"], isDue: false }), {
        class: "enforcement",
        detail: `has rejected a change of listeners.yaml, of which a part may be in force; what it accepted last is version ${running}`,
      });
  });

  it("counts the listeners of the version by which it runs", () => {
    assert.deepEqual(judged({ listeners: 2 }), {
      class: "enforcement",
      detail: "has 2 listeners of the 3 that its file has",
    });
    assert.equal(judged({ listeners: 4 })?.class, "enforcement");
    assert.doesNotMatch(judged({ listeners: 2, running: { "listeners.yaml": "l1" } })?.detail ?? "", /has 2/);
  });

  it("tells all, as gravely as the gravest of it", () => {
    const found = judged({ running: { "listeners.yaml": "l1", "clusters.yaml": "??" } });
    assert.equal(found?.class, "enforcement");
    assert.match(found.detail, /listeners\.yaml of version l1.*; runs by clusters\.yaml of version \?\?/);
  });
});

describe("controller: the judgement of the certificates that a sidecar shows", () => {
  const served = (uris: readonly string[], end = END) => [{ serial: "4f", uris, end }];
  const expected = { identity: IDENTITY, end: END, serial: undefined };

  it("is nothing where it is the one issued last", () => {
    assert.equal(judgeCertificates(served([IDENTITY], END + 500), expected, { isDue: true }), undefined);
  });

  it("is told once another has had time to come", () => {
    const before = served([IDENTITY], END - 60_000);
    assert.equal(judgeCertificates(before, expected, { isDue: false }), undefined);
    assert.deepEqual(judgeCertificates(before, expected, { isDue: true }), {
      class: "identity",
      detail:
        "shows certificate 4f, which ends at 2026-05-31T23:59:00Z, and not the one issued last, which ends at 2026-06-01T00:00:00Z",
    });
    assert.equal(judgeCertificates(before, { ...expected, end: undefined }, { isDue: true }), undefined);
  });

  it("goes by the serial number too, where an issuer has noted it", () => {
    const issued = { ...expected, serial: "4f" };
    assert.equal(judgeCertificates(served([IDENTITY]), issued, { isDue: true }), undefined);
    assert.equal(judgeCertificates(served([IDENTITY]), { ...issued, end: undefined }, { isDue: true }), undefined);
    const another = { ...issued, serial: "5a" };
    assert.equal(judgeCertificates(served([IDENTITY]), another, { isDue: false }), undefined);
    assert.deepEqual(judgeCertificates(served([IDENTITY]), another, { isDue: true }), {
      class: "identity",
      detail:
        "shows certificate 4f, which ends at 2026-06-01T00:00:00Z, and not the one issued last, 5a, which ends at 2026-06-01T00:00:00Z",
    });
    // Two that are made within an hour may have the same serial number.
    assert.equal(judgeCertificates(served([IDENTITY], END - 60_000), issued, { isDue: true })?.class, "identity");
  });

  it("is told at once where it is another's, or another's as well", () => {
    for (const uris of [["spiffe://x"], [IDENTITY, "spiffe://x"], []]) {
      const found = judgeCertificates(served(uris), expected, { isDue: false });
      assert.equal(found?.class, "identity");
      assert.match(found.detail, /shows certificate 4f of (nobody|.*spiffe:\/\/x)$/);
    }
    assert.equal(
      judgeCertificates(served(["spiffe://x"]), { ...expected, identity: undefined }, { isDue: true }),
      undefined,
    );
  });

  it("is told where one of several is not as it should be, or there is none", () => {
    const both = [...served([IDENTITY]), { serial: "50", uris: [IDENTITY], end: END - 60_000 }];
    assert.match(judgeCertificates(both, expected, { isDue: true })?.detail ?? "", /^shows certificate 50/);
    assert.equal(judgeCertificates([], expected, { isDue: false }), undefined);
    assert.equal(judgeCertificates([], expected, { isDue: true })?.detail, "shows no certificate");
  });
});
