/** What the controller makes of a real Prometheus' answers. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../src/log.js";
import { PrometheusView } from "../../src/overview/prometheus.js";
import { freePorts } from "../support/consul.js";
import { eventually } from "../support/eventually.js";

const PROMETHEUS = "/usr/bin/prometheus";
const EDGE = 'envoy_cluster_name="outbound|lucid-blocks|http",lucid_callee="lucid-blocks",lucid_callee_port="http"';

/** What the sidecar of admin-ui would say of its calls after so many rounds, in Envoy's words. */
function exposition(round: number): string {
  const bucket = (le: string, share: number): string =>
    `envoy_cluster_upstream_rq_time_bucket{${EDGE},le="${le}"} ${String(share * round)}`;
  return `${[
    `envoy_cluster_upstream_rq_completed{${EDGE}} ${String(10 * round)}`,
    `envoy_cluster_upstream_rq_xx{${EDGE},envoy_response_code_class="2"} ${String(8 * round)}`,
    `envoy_cluster_upstream_rq_xx{${EDGE},envoy_response_code_class="5"} ${String(2 * round)}`,
    `envoy_cluster_upstream_cx_total{${EDGE}} ${String(round)}`,
    `envoy_cluster_upstream_cx_connect_fail{${EDGE}} 0`,
    bucket("1", 5),
    bucket("10", 10),
    bucket("+Inf", 10),
    `envoy_http_rbac_denied{envoy_http_conn_manager_prefix="inbound|http|wallet",lucid_port="http",lucid_caller_zone="wallet"} ${String(round)}`,
    `envoy_listener_ssl_fail_verify_error{envoy_listener_address="0.0.0.0_15001"} ${String(round)}`,
    `envoy_listener_ssl_fail_verify_san{envoy_listener_address="0.0.0.0_15001"} ${String(round)}`,
  ].join("\n")}\n`;
}

describe("controller: what a real Prometheus has seen", function () {
  this.timeout(60_000);
  let folder: string;
  let sidecar: Server;
  let child: ChildProcess;
  let view: PrometheusView;
  const stop = new AbortController();
  let running: Promise<void>;
  let round = 0;

  before(async () => {
    const [port = 0, targetPort = 0, gone = 0] = await freePorts(3);
    sidecar = createServer((_, response) => {
      round += 1;
      response.end(exposition(round));
    });
    await new Promise<void>((resolve) => sidecar.listen(targetPort, "127.0.0.1", resolve));
    folder = mkdtempSync(join(tmpdir(), "lucid-prometheus-"));
    const target = (at: number, pod: string): object => ({
      targets: [`127.0.0.1:${String(at)}`],
      labels: { zone: "ops", service: "admin-ui", version: "1.0.0", pod },
    });
    const jobs = [
      { job_name: "sidecars-ops", static_configs: [target(targetPort, "admin-ui-1"), target(gone, "admin-ui-2")] },
    ];
    writeFileSync(
      join(folder, "prometheus.yml"),
      JSON.stringify({ global: { scrape_interval: "1s", scrape_timeout: "1s" }, scrape_configs: jobs }),
    );
    child = spawn(
      PROMETHEUS,
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${String(port)}`,
      ],
      { stdio: "ignore" },
    );
    const log = createLog("error", () => undefined);
    view = new PrometheusView(new URL(`http://127.0.0.1:${String(port)}`), log, { interval: 500 });
    running = view.run(stop.signal);
  });
  after(async () => {
    stop.abort();
    await running;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    await ended;
    sidecar.close();
    sidecar.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  it("has requests, failures and latency per edge", async () => {
    await eventually(() => {
      const observed = view.seen.value?.edges.get("admin-ui/lucid-blocks/http")?.observed;
      assert.ok(observed !== undefined && observed.requestsPerSecond > 0);
      assert.ok(Math.abs(observed.failuresPerSecond / observed.requestsPerSecond - 0.2) < 0.01);
      assert.ok(observed.connectionsPerSecond > 0);
      assert.equal(observed.connectFailuresPerSecond, 0);
      assert.equal(observed.p50, 1);
      assert.ok(observed.p99 !== null && observed.p99 > 9 && observed.p99 <= 10);
    }, 30_000);
    assert.equal(view.seen.state, "fresh");
  });

  it("has what a callee's sidecar refused, of calls and of peers", () => {
    const { value: traffic } = view.seen;
    const [call, peer] = [traffic?.refusedCalls[0], traffic?.refusedPeers[0]];
    assert.deepEqual([call?.zone, call?.service, call?.port, call?.callerZone], ["ops", "admin-ui", "http", "wallet"]);
    assert.ok(call !== undefined && peer !== undefined);
    // Of both reasons together.
    assert.ok(peer.perSecond > 1.5 * call.perSecond);
  });

  it("has the sidecars that are not reached", () => {
    const { value: traffic } = view.seen;
    assert.deepEqual([traffic?.reached, traffic?.unreached], [1, ["admin-ui-2"]]);
  });
});

describe("controller: a Prometheus that gives no answer", () => {
  const log: string[] = [];
  const asked = async (
    answer: (text: (code: number, body: string) => void) => void,
    until: (view: PrometheusView) => void,
  ) => {
    const server = createServer((_, response) => {
      answer((code, body) => {
        response.writeHead(code);
        response.end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const stop = new AbortController();
    const url = new URL(`http://127.0.0.1:${String(typeof address === "object" ? address?.port : 0)}`);
    const view = new PrometheusView(
      url,
      createLog("warn", (line) => log.push(line)),
      { interval: 20 },
    );
    const running = view.run(stop.signal);
    try {
      await eventually(() => {
        until(view);
      });
    } finally {
      stop.abort();
      await running;
      server.close();
      server.closeAllConnections();
    }
  };
  beforeEach(() => {
    log.length = 0;
  });

  for (const [title, code, body] of [
    ["an error", 503, "no"],
    ["something else", 200, "<html>"],
    ["a redirect", 302, ""],
    ["too much", 200, "x".repeat(17 * 2 ** 20)],
  ] as const) {
    it(`is not believed where it answers with ${title}, and that is told once`, async () => {
      let times = 0;
      await asked(
        (send) => {
          times += 1;
          send(code, body);
        },
        ({ seen, alerts }) => {
          assert.ok(times >= 6);
          for (const { state, value, error } of [seen, alerts]) {
            assert.deepEqual([state, value], ["never", undefined]);
            assert.ok(error instanceof Error);
          }
        },
      );
      // Of each of the two things that it is asked for.
      assert.deepEqual(
        log.map((line) => (JSON.parse(line) as { asked: string }).asked),
        ["of the calls", "what fires"],
      );
    });
  }

  it("may tell of the calls and not of what fires, where the document declares the one request alone", async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.url?.startsWith("/api/v1/query?") === true ? 200 : 403);
      response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result: [] } }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const stop = new AbortController();
    const url = new URL(`http://127.0.0.1:${String(typeof address === "object" ? address?.port : 0)}`);
    const view = new PrometheusView(
      url,
      createLog("error", () => undefined),
      { interval: 20 },
    );
    const running = view.run(stop.signal);
    await eventually(() => {
      assert.equal(view.seen.state, "fresh");
      assert.equal(view.alerts.state, "never");
      assert.match(String(view.alerts.error), /403/);
    });
    stop.abort();
    await running;
    server.close();
    server.closeAllConnections();
  });

  it("is not asked where nobody said where it is", () => {
    const view = new PrometheusView(
      undefined,
      createLog("error", () => undefined),
    );
    assert.deepEqual([view.seen.state, view.alerts.state], ["off", "off"]);
  });

  it("is not shown as the present once its answer is old", async () => {
    let now = 1_000;
    const stop = new AbortController();
    const empty = JSON.stringify({ status: "success", data: { resultType: "vector", result: [] } });
    const server = createServer((_, response) => response.end(empty));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = new URL(`http://127.0.0.1:${String(typeof address === "object" ? address?.port : 0)}`);
    const view = new PrometheusView(
      url,
      createLog("error", () => undefined),
      { interval: 3_600_000, now: () => now },
    );
    const running = view.run(stop.signal);
    await eventually(() => {
      assert.equal(view.seen.state, "fresh");
    });
    now += 91_000;
    assert.deepEqual([view.seen.state, view.seen.value, view.seen.time], ["stale", undefined, 1_000]);
    stop.abort();
    await running;
    server.close();
    server.closeAllConnections();
  });
});
