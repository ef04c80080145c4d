/**
 * Sidecars that don't run as declared, at a real API server: what the controller says of them. There is no node, so the sidecar behind the forward proxy is the test's own, which
 * answers as Envoy does (`test/integration/envoy/suites/listeners.ts` holds a real one's answers against the same questions).
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CERTIFICATE_END, INSPECTED_PATHS } from "../../../mesh/wire";
import { sidecarFilesOf } from "../../../services/controller/src/inspection/files";
import { pathOf, type Manifest } from "../admission/api";
import { planned } from "../admission/lab";
import { eventually } from "../support/eventually";
import { BACKENDS, type Backend } from "./backends";
import { ControllerLab } from "./lab";
import type { Replica } from "./replica";

const MERGE = "application/merge-patch+json";
/** Seconds within which what needs no patience is told of. */
const TOLD = 10;
/** Seconds that files have to come to a sidecar whose kubelet was told of them, before that. */
const PATIENCE = 20;
/** The same of certificates, whether kubelet was told or not. */
const CERTIFICATE_PATIENCE = 100;
const ADDRESS = "10.244.0.21";
const IDENTITY = "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui";
const END = "2031-05-01T00:00:00Z";

interface Told {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid?: string };
}

describe("the inspection of sidecars", function () {
  this.timeout(400_000);
  let backend: Backend;
  let lab: ControllerLab;
  let leader: Replica;
  let server: Server;
  /** What the one sidecar says of itself. */
  const sidecar = {
    listeners: "",
    clusters: "",
    active: 0,
    rejected: 0,
    accepted: 1,
    end: END,
    ahead: 0,
    silent: false,
  };
  const asked = new Set<string>();
  let files: Manifest;
  let texts: Record<string, string>;

  before(async () => {
    server = createServer(({ url = "", method = "" }, response) => {
      asked.add(`${method} ${url}`);
      response.sendDate = false;
      const isState = url.endsWith(INSPECTED_PATHS.state);
      if (sidecar.silent || !url.startsWith(`http://${ADDRESS}:15090/`)) {
        response.writeHead(503).end("upstream connect error or disconnect/reset before headers");
        return;
      }
      const served = { serial_number: "4f", subject_alt_names: [{ uri: IDENTITY }], expiration_time: sidecar.end };
      response.writeHead(200, { date: new Date(Date.now() + sidecar.ahead * 1000).toUTCString() });
      response.end(
        isState
          ? [
              `cluster_manager.cds.version_text: "${sidecar.clusters}"`,
              `listener_manager.lds.version_text: "${sidecar.listeners}"`,
              "cluster_manager.cds.update_rejected: 0",
              `listener_manager.lds.update_rejected: ${String(sidecar.rejected)}`,
              "cluster_manager.cds.update_success: 1",
              `listener_manager.lds.update_success: ${String(sidecar.accepted)}`,
              `listener_manager.total_listeners_active: ${String(sidecar.active)}`,
            ].join("\n")
          : JSON.stringify({ certificates: [{ cert_chain: [served] }] }),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    backend = await (BACKENDS.etcd as () => Promise<Backend>)();
    const { port } = server.address() as AddressInfo;
    lab = await ControllerLab.start(backend, { INSPECTION_PROXIES: `ops=http://127.0.0.1:${String(port)}` });
    files = await planned("ConfigMap", "lucid-ops", "admin-ui-envoy");
    texts = (await lab.api.ask({ method: "GET", path: pathOf(files) })).data as Record<string, string>;
    const facts = sidecarFilesOf("admin-ui-envoy", texts) ?? assert.fail();
    sidecar.listeners = facts["listeners.yaml"].version;
    sidecar.clusters = facts["clusters.yaml"].version;
    sidecar.active = facts["listeners.yaml"].listeners;
    await certificateEnds(END);
    leader = await lab.replica();
    await lab.pod("admin-ui-1", ADDRESS);
    await lab.bind("admin-ui-1", "node-1");
    await eventually("a first look", async () => {
      assert.ok((await counted("inspections_total", 'outcome="answered"')) > 0, leader.output.slice(-2000));
    });
  });
  after(async () => {
    await lab.stop();
    await backend.stop();
    server.close();
    server.closeAllConnections();
  });

  const counted = (metric: string, ...labels: string[]) => leader.counted(`lucid_controller_${metric}`, ...labels);
  const certificateEnds = async (end: string) => {
    const trust = await planned("ConfigMap", "lucid-ops", "admin-ui-trust");
    const body = { metadata: { annotations: { [CERTIFICATE_END]: end } } };
    await lab.api.ask({ method: "PATCH", path: pathOf(trust), body, contentType: MERGE });
  };
  const mount = (listeners: string) =>
    lab.api.ask({
      method: "PATCH",
      path: `${pathOf(files)}?fieldManager=somebodys-hand`,
      body: { data: { "listeners.yaml": listeners } },
      contentType: MERGE,
    });
  const version = (text: string) =>
    (texts["listeners.yaml"] ?? "").replace(/^version_info: .*$/m, `version_info: ${text}`);
  const event = (reason: string, message: RegExp, seconds = TOLD) =>
    eventually(
      `${reason} of ${String(message)}`,
      async () => {
        const path = "/api/v1/namespaces/lucid-ops/events";
        const { items } = (await lab.api.ask({ method: "GET", path })) as unknown as { items: Told[] };
        const found = items.find((one) => one.reason === reason && message.test(one.message));
        assert.ok(found, `${JSON.stringify(items.map((one) => one.message))}\n${leader.output.slice(-3000)}`);
        assert.deepEqual([found.involvedObject.kind, found.involvedObject.name], ["Pod", "admin-ui-1"]);
        assert.ok(found.involvedObject.uid);
      },
      seconds,
    );
  const drifted = (expected: string, message = /./) =>
    eventually(
      "Drifted",
      async () => {
        const { status } = await lab.meshService("lucid-ops", "admin-ui");
        const found = status?.conditions?.find(({ type }) => type === "Drifted") ?? { status: "absent", message: "" };
        assert.equal(found.status, expected, found.message);
        assert.match(found.message, message);
      },
      TOLD,
    );

  it("finds nothing where they run as declared, and asks two questions alone", async () => {
    await drifted("False");
    assert.deepEqual(
      [...asked].sort(),
      Object.values(INSPECTED_PATHS)
        .map((path) => `GET http://${ADDRESS}:15090${path}`)
        .sort(),
    );
    assert.equal(await counted("drift", 'class="enforcement"'), 0);
  });

  it("tells at once of one that runs by what nobody declared, and of its end", async () => {
    await mount(version("0f0f0f0f0f0f0f0f"));
    const before = sidecar.listeners;
    sidecar.listeners = "0f0f0f0f0f0f0f0f";
    await event(
      "EnforcementLost",
      /^the sidecar of Pod lucid-ops\/admin-ui-1 runs by listeners\.yaml of version 0f0f0f0f0f0f0f0f, which nobody declared$/,
    );
    await drifted("True", /the sidecar of Pod lucid-ops\/admin-ui-1 runs by/);
    assert.equal(await counted("drift", 'zone="ops"', 'class="enforcement"'), 1);
    assert.equal(await counted("drift_found_total", 'class="enforcement"', 'what="running"'), 1);
    await mount(texts["listeners.yaml"] ?? "");
    sidecar.listeners = before;
    await drifted("False");
    assert.equal(await counted("drift", 'class="enforcement"'), 0);
  });

  it("tells at once of one that rejects what it should run by", async () => {
    await mount(version("1f1f1f1f1f1f1f1f"));
    sidecar.rejected += 1;
    await event("EnforcementLost", /has rejected a change of listeners\.yaml, of which a part may be in force; /);
    await drifted("True", /has rejected/);
    await mount(texts["listeners.yaml"] ?? "");
    sidecar.accepted += 1;
    await drifted("False");
  });

  it("gives one that lags the time that kubelet needs, and tells of it then", async () => {
    await mount(version("2f2f2f2f2f2f2f2f"));
    await event(
      "Drifted",
      /runs by listeners\.yaml of version \w+, declared before, and not by 2f2f2f2f2f2f2f2f$/,
      PATIENCE + TOLD,
    );
    await mount(texts["listeners.yaml"] ?? "");
    await drifted("False");
  });

  it("tells of one that lacks a listener", async () => {
    sidecar.active -= 1;
    await event("EnforcementLost", /has \d+ listeners of the \d+ that its file has$/, PATIENCE + TOLD);
    await drifted("True", /listeners of the/);
    sidecar.active += 1;
    await drifted("False");
  });

  it("tells of one that shows another certificate than the one issued last", async () => {
    await certificateEnds("2031-08-01T00:00:00Z");
    await event(
      "Drifted",
      /shows certificate 4f, which ends at 2031-05-01T00:00:00Z, and not the one issued last, which ends at 2031-08-01T00:00:00Z$/,
      CERTIFICATE_PATIENCE + TOLD,
    );
    assert.equal(await counted("drift", 'zone="ops"', 'class="identity"'), 1);
    await drifted("True", /shows certificate/);
    sidecar.end = "2031-08-01T00:00:00Z";
    await drifted("False");
  });

  it("tells how far the clock of a node is from its own", async () => {
    assert.equal(await counted("clock_skew_seconds"), 0);
    sidecar.ahead = 30;
    await eventually("the skew", async () => {
      const seconds = await counted("clock_skew_seconds");
      assert.ok(seconds > 27 && seconds <= 30, String(seconds));
    });
    sidecar.ahead = 0;
  });

  it("blames nobody while none answers, and says so itself", async () => {
    const lost = await counted("drift_found_total", 'class="enforcement"');
    sidecar.silent = true;
    await eventually(
      "its own failure",
      async () => {
        assert.ok((await counted("failures_total", 'operation="inspect"')) > 0);
      },
      60,
    );
    assert.equal(await counted("drift_found_total", 'class="enforcement"'), lost);
    sidecar.silent = false;
  });

  it("is told of without a failure of the controller's own", async () => {
    assert.equal(await counted("failures_total", 'operation="drift"'), 0);
  });
});
