import assert from "node:assert/strict";
import { parseCertificates, parseState } from "../../src/inspection/answers.js";
import { aheadBy, NodeClocks } from "../../src/inspection/clocks.js";
import { sidecarFilesOf } from "../../src/inspection/files.js";

/** As Envoy 1.40 answers `GET /stats?filter=_manager.`. */
const STATE = `cluster_manager.cds.version_text: "0123456789abcdef"
listener_manager.lds.version_text: "fedcba9876543210"
cluster_manager.active_clusters: 12
cluster_manager.cds.update_rejected: 1
cluster_manager.cds.update_success: 3
listener_manager.lds.update_success: 4
listener_manager.lds.update_rejected: 2
listener_manager.total_listeners_active: 7
listener_manager.total_listeners_draining: 1
cluster_manager.cds.update_duration: No recorded values
`;

describe("controller: what a sidecar says of itself", () => {
  it("is by which files it runs, what it rejected and how many listeners it has", () => {
    assert.deepEqual(parseState(STATE), {
      running: { "listeners.yaml": "fedcba9876543210", "clusters.yaml": "0123456789abcdef" },
      rejected: { "listeners.yaml": 2, "clusters.yaml": 1 },
      accepted: { "listeners.yaml": 4, "clusters.yaml": 3 },
      listeners: 7,
    });
  });

  it("may be that it runs by none", () => {
    const none = STATE.replace("fedcba9876543210", "");
    assert.equal(parseState(none).running["listeners.yaml"], "");
  });

  for (const missing of ["lds.version_text", "cds.update_rejected", "total_listeners_active"])
    it(`is no answer without ${missing}`, () => {
      const lines = STATE.split("\n").filter((line) => !line.includes(missing));
      assert.throws(() => parseState(lines.join("\n")), new RegExp(`does not say .*${missing.replace(".", "\\.")}`));
    });

  it("is no answer where a count is none", () => {
    assert.throws(() => parseState(STATE.replace("active: 7", "active: many")), /does not say/);
    assert.throws(() => parseState("upstream connect error or disconnect/reset before headers"), /does not say/);
  });

  it("are the certificates that it shows, each once, whatever the number of contexts", () => {
    const chain = [
      {
        path: "<inline>",
        serial_number: "4f",
        subject_alt_names: [{ dns: "admin-ui.lucid.internal" }, { uri: "spiffe://ops.lucid.internal/x" }],
        days_until_expiration: "89",
        valid_from: "2026-01-01T00:00:00Z",
        expiration_time: "2026-04-01T00:00:00Z",
      },
    ];
    const ca = [{ path: "x", serial_number: "01", subject_alt_names: [], expiration_time: "2036-01-01T00:00:00Z" }];
    const body = {
      certificates: [{ ca_cert: ca, cert_chain: chain }, { ca_cert: ca, cert_chain: chain }, { ca_cert: ca }],
    };
    assert.deepEqual(parseCertificates(JSON.stringify(body)), [
      { serial: "4f", uris: ["spiffe://ops.lucid.internal/x"], end: Date.parse("2026-04-01T00:00:00Z") },
    ]);
    const [leaf] = chain;
    const anew = { ...leaf, serial_number: "004F", expiration_time: "2026-04-02T00:00:00Z" };
    const both = parseCertificates(JSON.stringify({ certificates: [{ cert_chain: [leaf, anew] }] }));
    assert.deepEqual(
      both.map(({ serial, end }) => [serial, new Date(end).getUTCDate()]),
      [
        ["4f", 1],
        ["4f", 2],
      ],
      "two with the same serial number are two",
    );
    assert.deepEqual(parseCertificates('{"certificates": []}'), []);
    assert.throws(() => parseCertificates("not found"));
    const dateless = JSON.stringify(body).replaceAll("2026-04-01T00:00:00Z", "soon");
    assert.throws(() => parseCertificates(dateless), /is no instant/);
  });
});

describe("controller: what a sidecar's files say of themselves", () => {
  const listener = "type.googleapis.com/envoy.config.listener.v3.Listener";

  it("is their versions, in whatever quotes, and how many listeners there are", () => {
    const texts = {
      "listeners.yaml": `version_info: "0123456789012345"\nresources:\n  - "@type": ${listener}\n    name: a\n  - '@type': ${listener}\n    name: b\n    x: {"@type": type.googleapis.com/envoy.config.listener.v3.ListenerFilter}\n`,
      "clusters.yaml": "version_info: 01e3\nresources: []\n",
    };
    assert.deepEqual(sidecarFilesOf("admin-ui-envoy", texts), {
      "listeners.yaml": { version: "0123456789012345", listeners: 2 },
      "clusters.yaml": { version: "01e3", listeners: 0 },
    });
  });

  it("is nothing of files without one, and of other ConfigMaps", () => {
    assert.deepEqual(sidecarFilesOf("x-envoy", { "listeners.yaml": "resources:\n  - version_info: x" }), {
      "listeners.yaml": { version: "", listeners: 0 },
      "clusters.yaml": { version: "", listeners: 0 },
    });
    assert.equal(sidecarFilesOf("x-trust", {}), undefined);
  });
});

describe("controller: how far clocks are apart", () => {
  const at = Date.parse("2026-06-01T12:00:00Z");

  it("is nothing where the second of the date and the time of the answer may explain it", () => {
    assert.equal(aheadBy({ asked: at + 400, answered: at + 900, date: at }), 0);
    assert.equal(aheadBy({ asked: at - 700, answered: at + 100, date: at }), 0);
    assert.equal(aheadBy({ asked: at + 1_000, answered: at + 5_000, date: at + 4_000 }), 0);
  });

  it("is what is left beyond that, ahead or behind", () => {
    assert.equal(aheadBy({ asked: at, answered: at + 500, date: at + 8_500 }), 8);
    assert.equal(aheadBy({ asked: at + 9_000, answered: at + 9_500, date: at }), -8);
  });

  it("is told by node, and of late alone", () => {
    const clocks = new NodeClocks();
    clocks.note("far", { asked: at, answered: at, date: at + 20_000 });
    clocks.note("near", { asked: at + 60_000, answered: at + 60_000, date: at + 60_000 });
    assert.deepEqual(clocks.ahead(at + 60_000), [
      { node: "far", seconds: 20 },
      { node: "near", seconds: 0 },
    ]);
    assert.deepEqual(clocks.ahead(at + 150_000), [{ node: "near", seconds: 0 }]);
  });
});
