import assert from "node:assert/strict";
import type { Finding } from "../../src/drift/finding.js";
import type { Answer } from "../../src/inspection/ask.js";
import type { SidecarFiles, VersionedFile } from "../../src/inspection/files.js";
import { Inspection, SILENCE, type InspectedZone } from "../../src/inspection/inspection.js";
import { PATIENCE, TOLD_PATIENCE } from "../../src/inspection/known-sidecar.js";
import { assess, parsePod, type Pod } from "../../src/pod.js";
import type { DeclaredService } from "../../src/services/resource.js";
import { podObject, type PodOptions } from "../support/objects.js";

const START = Date.parse("2026-06-01T12:00:00Z");
const END = "2026-08-01T00:00:00Z";
const IDENTITY = "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui";
const PROXY = new URL("http://127.0.0.1:15300");

/** What a sidecar says. */
interface Sidecar {
  listeners: string;
  rejected: number;
  accepted: number;
  serial: string;
  end: string;
  ahead: number;
}

describe("controller: the inspection of sidecars", () => {
  let now: number;
  let pods: Map<string, Pod>;
  let services: Map<string, Partial<DeclaredService>>;
  let sidecars: Map<string, Sidecar>;
  let asked: string[];
  let found: Map<string, Finding>;
  let blind: string[];
  let outcomes: string[];
  let files: SidecarFiles | undefined;
  let undeclared: readonly VersionedFile[];
  let certificateEnd: string | undefined;
  let certificateSerial: string | undefined;
  let inspection: Inspection;

  const pod = (name: string, address: string, options: PodOptions = {}, distributed = ""): void => {
    pods.set(name, { ...parsePod(podObject(name, { address, ...options })), distributed });
    sidecars.set(address, { listeners: "l1", rejected: 0, accepted: 1, serial: "4f", end: END, ahead: 0 });
  };
  const sidecar = (address: string): Sidecar => sidecars.get(address) ?? assert.fail();
  const declare = (version: string): void => {
    files = { "listeners.yaml": { version, listeners: 3 }, "clusters.yaml": { version: "c1", listeners: 0 } };
  };
  const answer = (address: string, path: string): Promise<Answer> => {
    asked.push(`${address}${path}`);
    const state = sidecars.get(address);
    if (state === undefined) return Promise.reject(new Error("it answers 503"));
    const served = {
      serial_number: state.serial,
      subject_alt_names: [{ uri: IDENTITY }],
      expiration_time: state.end,
    };
    const body = path.startsWith("/certs")
      ? JSON.stringify({ certificates: [{ cert_chain: [served] }] })
      : `listener_manager.lds.version_text: "${state.listeners}"\ncluster_manager.cds.version_text: "c1"\nlistener_manager.lds.update_rejected: ${String(state.rejected)}\ncluster_manager.cds.update_rejected: 0\nlistener_manager.lds.update_success: ${String(state.accepted)}\ncluster_manager.cds.update_success: 1\nlistener_manager.total_listeners_active: 3\n`;
    return Promise.resolve({ body, asked: now, answered: now, date: now + state.ahead * 1000 });
  };
  const round = async (seconds = 3): Promise<void> => {
    now += seconds * 1000;
    asked = [];
    await inspection.round();
  };
  /** Rounds as they come, for a while. */
  const pass = async (milliseconds: number): Promise<void> => {
    const until = now + milliseconds;
    while (now < until) await round();
  };
  const details = (): string[] => [...found.values()].map(({ class: of, detail }) => `${of}: ${detail}`);

  beforeEach(() => {
    now = START;
    pods = new Map();
    services = new Map([["admin-ui", { name: "admin-ui", identity: IDENTITY }]]);
    sidecars = new Map();
    asked = [];
    found = new Map();
    blind = [];
    outcomes = [];
    undeclared = [];
    certificateEnd = END;
    certificateSerial = undefined;
    declare("l1");
    const zone = {
      view: {
        name: "ops",
        pods: { namespace: "lucid-ops", all: () => pods.values() },
        assess: (one: Pod) => assess(one, "ops"),
      },
      services: { get: (name: string) => services.get(name) },
      objects: {
        certificateEnd: () => certificateEnd,
        certificateSerial: () => certificateSerial,
        digest: () => "present",
      },
      proxy: PROXY,
    } as unknown as InspectedZone;
    inspection = new Inspection(
      [zone],
      { filesOf: () => files && { files, undeclared }, liveOf: () => undefined },
      {
        report: (place, finding) => {
          found.set(place, finding);
          return Promise.resolve();
        },
        settle: (place) => {
          found.delete(place);
        },
      },
      (proxy, address, path) => {
        assert.equal(proxy, PROXY);
        return answer(address, path);
      },
      {
        asked: (zoneName, outcome) => outcomes.push(`${zoneName} ${outcome}`),
        blind: (why) => blind.push(why),
      },
      { ownPod: "mesh-controller-1", now: () => now },
    );
  });

  it("finds nothing in sidecars that run as declared, and asks no more than it must", async () => {
    pod("one", "10.0.0.1");
    await round();
    assert.deepEqual(asked, ["10.0.0.1/stats?filter=_manager.", "10.0.0.1/certs"]);
    await round();
    assert.deepEqual(asked, ["10.0.0.1/stats?filter=_manager."]);
    await pass(PATIENCE + 10_000);
    assert.deepEqual(details(), []);
    assert.deepEqual([...new Set(outcomes)], ["ops answered"]);
  });

  it("asks ready pods of services that let it in, and of its own only the one in which it runs", async () => {
    for (const service of ["mesh-controller", "away", "nobody"])
      services.set(service, { name: service, ...(service === "away" ? { revoked: "stolen" } : {}) });
    services.delete("nobody");
    pod("unready", "10.0.0.2", { ready: false });
    pod("ending", "10.0.0.3", { terminating: true });
    pod("revoked", "10.0.0.4", { service: "away" });
    pod("undeclared", "10.0.0.5", { service: "nobody" });
    pod("impostor", "10.0.0.6", { serviceAccount: "jaeger" });
    pod("issuer", "10.0.0.9", { service: "issuer-ops", labels: { "app.kubernetes.io/name": "issuer-ops" } });
    pod("mesh-controller-1", "10.0.0.7", { service: "mesh-controller" });
    pod("mesh-controller-2", "10.0.0.8", { service: "mesh-controller" });
    await round();
    assert.deepEqual([...new Set(asked.map((one) => one.split("/")[0]))], ["10.0.0.7"]);
  });

  it("judges nobody before what was declared is known", async () => {
    pod("one", "10.0.0.1");
    files = undefined;
    await pass(PATIENCE);
    assert.deepEqual([asked, details()], [[], []]);
  });

  it("tells of a sidecar that stays with an earlier version, as long as it does", async () => {
    pod("one", "10.0.0.1");
    await round();
    declare("l2");
    await pass(PATIENCE - 6_000);
    assert.deepEqual(details(), []);
    await pass(12_000);
    assert.deepEqual(details(), [
      "configuration: runs by listeners.yaml of version l1, declared before, and not by l2",
    ]);
    assert.deepEqual([...found.keys()], ["sidecar/ops/one#files"]);
    sidecar("10.0.0.1").listeners = "l2";
    await round();
    assert.deepEqual(details(), []);
  });

  it("waits less where kubelet was told", async () => {
    pod("one", "10.0.0.1", {}, "present");
    pod("two", "10.0.0.2", {}, "before");
    await round();
    declare("l2");
    await pass(TOLD_PATIENCE + 6_000);
    assert.deepEqual([...found.keys()], ["sidecar/ops/one#files"]);
  });

  it("does not wait once a sidecar has rejected a change, and tells of it until one is accepted", async () => {
    pod("one", "10.0.0.1");
    const one = sidecar("10.0.0.1");
    one.rejected = 4;
    await round();
    assert.deepEqual(details(), [], "what it rejected before it was first asked, nobody knows");
    one.rejected = 5;
    await round();
    assert.match(details().join(), /^enforcement: has rejected a change of listeners\.yaml, .* version l1$/);
    await pass(60_000);
    assert.equal(found.size, 1);
    one.accepted += 1;
    await round();
    assert.deepEqual(details(), []);
  });

  it("takes the good one for the last where a sidecar rejected and accepted between two looks, by its version", async () => {
    pod("one", "10.0.0.1");
    const one = sidecar("10.0.0.1");
    await round();
    Object.assign(one, { rejected: 1, accepted: 2 });
    await round();
    assert.deepEqual(details(), []);
    declare("l2");
    Object.assign(one, { rejected: 2, accepted: 3 });
    await round();
    assert.match(details().join(), /has rejected a change/);
    Object.assign(one, { listeners: "l2", accepted: 4 });
    await round();
    assert.deepEqual(details(), []);
  });

  it("tells at once of what nobody declared, and of what nobody ever declared in time", async () => {
    pod("one", "10.0.0.1");
    pod("two", "10.0.0.2");
    await round();
    declare("evil");
    undeclared = ["listeners.yaml"];
    sidecar("10.0.0.1").listeners = "evil";
    await round();
    assert.deepEqual(details(), ["enforcement: runs by listeners.yaml of version evil, which nobody declared"]);
    declare("l1");
    undeclared = [];
    await pass(PATIENCE + 6_000);
    assert.deepEqual(details(), ["enforcement: runs by listeners.yaml of version evil and not by l1"]);
  });

  it("believes no single look: what is expected may have changed while it was asked", async () => {
    pod("one", "10.0.0.1");
    await pass(PATIENCE + 6_000);
    sidecar("10.0.0.1").listeners = "l2";
    await round();
    assert.deepEqual(details(), []);
    declare("l2");
    await pass(PATIENCE + 6_000);
    assert.deepEqual(details(), []);
    sidecar("10.0.0.1").listeners = "l3";
    await round();
    await round();
    assert.match(details().join(), /^enforcement: runs by listeners\.yaml of version l3 and not by l2$/);
  });

  it("tells of a certificate that is not the one issued last, once that must have come", async () => {
    pod("one", "10.0.0.1");
    await round();
    certificateEnd = "2026-11-01T00:00:00Z";
    await round();
    assert.deepEqual(asked, ["10.0.0.1/stats?filter=_manager.", "10.0.0.1/certs"], "it looks at once");
    await pass(PATIENCE + 6_000);
    assert.match(details().join(), /^identity: shows certificate 4f, which ends at 2026-08-01T00:00:00Z, and not/);
    sidecar("10.0.0.1").end = certificateEnd;
    await round();
    assert.deepEqual(details(), []);
  });

  describe("where an issuer makes the certificates", () => {
    const NEXT = "2026-08-01T16:00:00Z";
    /** What the issuer has noted of the one that it made last. */
    const note = (serial: string, end: string): void => {
      [certificateSerial, certificateEnd] = [serial, end];
    };
    const show = (serial: string, end: string): void => {
      Object.assign(sidecar("10.0.0.1"), { serial, end });
    };

    beforeEach(async () => {
      note("4f", END);
      // Kubelet was told of all that there is.
      pod("one", "10.0.0.1", {}, "present");
      await pass(PATIENCE + 6_000);
      assert.deepEqual(details(), []);
    });

    it("gives each new one the time that kubelet takes by itself, and tells of none that comes within it", async () => {
      for (const [serial, end] of [
        ["5a", NEXT],
        // Two that are made within an hour may have the same serial number.
        ["5a", "2026-08-01T16:30:00Z"],
      ] as const) {
        note(serial, end);
        await pass(PATIENCE - 6_000);
        assert.deepEqual(details(), []);
        show(serial, end);
        await pass(2 * PATIENCE);
        assert.deepEqual(details(), []);
      }
    });

    it("tells of a sidecar that goes on with the one before", async () => {
      note("5a", NEXT);
      await pass(PATIENCE + 6_000);
      assert.deepEqual(details(), [
        "identity: shows certificate 4f, which ends at 2026-08-01T00:00:00Z, and not the one issued last, 5a, which ends at 2026-08-01T16:00:00Z",
      ]);
      show("5a", NEXT);
      await round();
      assert.deepEqual(details(), []);
    });

    it("tells of none that a sidecar shows before its issuer has noted it", async () => {
      show("5a", NEXT);
      await pass(PATIENCE - 6_000);
      assert.deepEqual(details(), []);
      note("5a", NEXT);
      await pass(2 * PATIENCE);
      assert.deepEqual(details(), []);
    });

    it("tells of one that its issuer never noted, were it of the same end, and of another identity at once", async () => {
      show("66", END);
      // It looks at certificates about which nothing is open once a minute.
      await pass(60_000 + PATIENCE + 6_000);
      assert.match(details().join(), /^identity: shows certificate 66, .*, and not the one issued last, 4f,/);
      services.set("admin-ui", { name: "admin-ui", identity: "spiffe://ops.lucid.internal/ns/lucid-ops/sa/jaeger" });
      await round();
      assert.match(details().join(), /^identity: shows certificate 66 of .*\/admin-ui$/);
    });

    it("is quiet while what makes them is changed for Pulumi: nothing is noted then", async () => {
      certificateSerial = certificateEnd = undefined;
      await pass(2 * PATIENCE);
      show("77", "2026-11-01T00:00:00Z");
      await pass(2 * PATIENCE);
      certificateEnd = "2026-11-01T00:00:00Z";
      await pass(2 * PATIENCE);
      assert.deepEqual(details(), []);
    });
  });

  it("tells of a ready pod whose sidecar doesn't answer while others do, and asks it less often", async () => {
    pod("one", "10.0.0.1");
    pod("two", "10.0.0.2");
    await round();
    const silent = sidecar("10.0.0.2");
    sidecars.delete("10.0.0.2");
    outcomes = [];
    await pass(60_000);
    const failures = outcomes.filter((outcome) => outcome === "ops failed").length;
    assert.ok(failures >= 6 && failures <= 8, String(failures));
    assert.deepEqual(details(), []);
    await pass(SILENCE - 50_000);
    assert.match(details().join(), /^enforcement: does not answer who inspects it/);
    sidecars.set("10.0.0.2", silent);
    await pass(15_000);
    assert.deepEqual([details(), blind], [[], []]);
  });

  it("says which sidecars are asked, and which of them don't answer", async () => {
    pod("one", "10.0.0.1");
    pod("two", "10.0.0.2");
    await round();
    assert.deepEqual(inspection.seen, { asked: 2, silent: {} });
    sidecars.delete("10.0.0.2");
    await round();
    await round();
    assert.deepEqual(inspection.seen, { asked: 2, silent: {} }, "a connection may end under a question");
    await round();
    assert.deepEqual(inspection.seen, { asked: 2, silent: { "ops/two": "it answers 503" } });
  });

  it("blames itself where nobody answers", async () => {
    pod("one", "10.0.0.1");
    pod("two", "10.0.0.2");
    await round();
    sidecars.clear();
    await pass(SILENCE + 60_000);
    assert.deepEqual([details(), [...new Set(blind)]], [[], ["it answers 503"]]);
    assert.ok(blind.length >= 3 && blind.length <= 5, "again and again, and not in every round");
  });

  it("forgets pods that are gone, and knows one that was replaced for another", async () => {
    pod("one", "10.0.0.1");
    await round();
    declare("l2");
    await pass(PATIENCE + 6_000);
    assert.equal(found.size, 1);
    pod("one", "10.0.0.1", { uid: "another" });
    await round();
    assert.equal(found.size, 0, "it is given the time of a new one");
    await pass(PATIENCE + 6_000);
    assert.equal(found.size, 1);
    pods.clear();
    await round();
    assert.equal(found.size, 0);
  });

  it("keeps a bound at 3,000 pods, and what is open comes first", async () => {
    for (let index = 0; index < 3000; index++)
      pod(`pod-${String(index)}`, `10.1.${String(index >> 8)}.${String(index & 255)}`);
    const seen = new Set<string>();
    for (let rounds = 0; rounds < 6; rounds++) {
      await round();
      assert.ok(asked.length <= 1000, String(asked.length));
      asked.forEach((one) => seen.add(one.split("/")[0] ?? ""));
    }
    assert.equal(seen.size, 3000, "everybody's turn comes");
    sidecar("10.1.11.183").listeners = "evil";
    let rounds = 0;
    do await round();
    while (!asked.includes("10.1.11.183/certs") && ++rounds < 10);
    assert.ok(rounds <= 6);
    await round();
    assert.ok(asked[0]?.startsWith("10.1.11.183/"), "what is open is asked first, in every round");
  });

  it("reads the nodes' clocks by the way", async () => {
    pod("one", "10.0.0.1", { node: "node-a" });
    pod("two", "10.0.0.2", { node: "node-b" });
    sidecar("10.0.0.2").ahead = -30;
    await round();
    assert.deepEqual(inspection.clocks.ahead(now), [
      { node: "node-a", seconds: 0 },
      { node: "node-b", seconds: -29 },
    ]);
  });
});
