import * as assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { alertGroups } from "../../../../components/observability/alerts";
import { inspectionServerName } from "../../../../envoy";
import { INSPECTED_PATHS, scrapePort } from "../../../../mesh/wire";
import type { ZoneName } from "../../../../mesh/model";
import { parseCertificates, parseState } from "../../../../services/controller/src/inspection/answers";
import { sidecarFilesOf, VERSIONED } from "../../../../services/controller/src/inspection/files";
import { QUERIES } from "../../../../services/controller/src/overview/traffic";
import { selectorsOf } from "../../../unit/components/alerts/selectors";
import { everyProtocol, services } from "../../../unit/envoy/fixture";
import type { Answer } from "../answer";
import type { MeshLab, Running } from "../mesh-lab";
import type { Leaf } from "../pki";
import type { Seen } from "../servers";
import { LAB_UID, until } from "../sidecar";

/** The listeners beside the calls: health, admin, inspection and Prometheus' way to them. */
export function listeners(lab: () => MeshLab): void {
  const blocks = () => lab().host("blocks");

  describe("health at 15021", () => {
    const ask = (path: string, method = "GET") =>
      lab().stranger.call("request", { host: blocks().address, port: 15021, path, method });

    it("/ready tells of Envoy, /health of the application", async () => {
      assert.equal((await ask("/ready")).status, 200);
      assert.equal((await ask("/health")).status, 200);
      await blocks().call("setHealth", { port: 8080, healthy: false });
      assert.equal((await ask("/health")).status, 503);
      assert.equal((await ask("/ready")).status, 200);
      await blocks().call("setHealth", { port: 8080, healthy: true });
    });

    it("has nothing else", async () => {
      const tries = [
        "/",
        "/stats",
        "/config_dump",
        "/height",
        "/health/../stats",
        "/ready/../quitquitquit",
        "/healthz",
      ];
      for (const path of tries) {
        assert.equal((await ask(path)).status, 404, path);
      }
      for (const path of ["/ready", "/health", "/quitquitquit"]) {
        assert.equal((await ask(path, "POST")).status, 404, path);
      }
    });
  });

  describe("admin at 127.0.0.1:15000", () => {
    const ask = (path: string, method = "GET") =>
      blocks().call("request", { host: "127.0.0.1", port: 15000, path, method });

    it("shows /ready and /stats, and nothing else", async () => {
      assert.equal((await ask("/ready")).status, 200);
      assert.match((await ask("/stats")).body ?? "", /cluster_manager/);
      for (const path of ["/config_dump", "/certs", "/clusters", "/logging", "/runtime", "/", "/stats/recentlookups"]) {
        assert.equal((await ask(path)).status, 404, path);
      }
      for (const path of ["/quitquitquit", "/drain_listeners", "/healthcheck/fail", "/ready"]) {
        assert.equal((await ask(path, "POST")).status, 404, path);
      }
    });

    it("is not reached from outside the pod", async () => {
      const answer = await lab().stranger.call("request", { host: blocks().address, port: 15000, path: "/ready" });
      assert.match(answer.refused ?? "answered", /ECONNREFUSED/);
    });

    it("the admin socket itself is the sidecar's user's alone", () => {
      const socket = fs.statSync(path.join(blocks().directory, "var/run/envoy/admin.sock"));
      assert.equal(socket.uid, LAB_UID);
      assert.equal(socket.mode & 0o777, 0o600);
    });
  });

  describe("inspection at 15090", () => {
    const ask = (
      leaf: Partial<Leaf> & { readonly host?: string },
      zone: "ops" | "mesh",
      path: string,
      method = "GET",
    ): Promise<Answer> =>
      lab().stranger.call("requestTls", {
        host: blocks().address,
        port: 15090,
        serverName: inspectionServerName(zone),
        alpn: "http/1.1",
        path,
        method,
        ...leaf,
      });

    it("shows Prometheus the metrics, and nothing else", async () => {
      const leaf = lab().leaf("prometheus");
      const metrics = await ask(leaf, "ops", "/stats/prometheus");
      assert.equal(metrics.status, 200);
      assert.match(metrics.body ?? "", /^envoy_cluster_upstream_rq_total\{/m);
      for (const path of ["/config_dump", "/certs", "/stats", "/ready", "/stats/prometheus/../../config_dump"]) {
        assert.equal((await ask(leaf, "ops", path)).status, 403, path);
      }
      assert.equal((await ask(leaf, "ops", "/stats/prometheus", "POST")).status, 403);
    });

    it("takes Prometheus to what the application tells of itself, and to nothing else of it", async () => {
      const leaf = lab().leaf("prometheus");
      const told = await ask(leaf, "ops", "/metrics");
      assert.equal(told.status, 200);
      const seen = JSON.parse(told.body ?? "") as Seen;
      assert.deepEqual([seen.service, seen.method, seen.path], ["blocks", "GET", "/internal/metrics"]);
      // Neither the token nor who asks is the application's to know.
      assert.deepEqual(
        Object.keys(seen.headers).filter((name) => /^x-(lucid|envoy|forwarded-client)/.test(name)),
        [],
      );
      const tries = ["/metrics/", "/metrics/../height", "/internal/metrics", "/height", "/", "/metrics%2f..%2fheight"];
      for (const path of tries) {
        assert.notEqual((await ask(leaf, "ops", path)).status, 200, path);
      }
      for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"]) {
        assert.equal((await ask(leaf, "ops", "/metrics", method)).status, 403, method);
      }
    });

    it("gives an application's metrics to nobody but Prometheus, and not by its certificate alone", async () => {
      const controller = await lab().forge("mesh", services.controller);
      assert.equal((await ask(controller, "mesh", "/metrics")).status, 403);
      assert.match((await ask(lab().leaf("console"), "ops", "/metrics")).refused ?? "", /certificate unknown/);
      assert.match((await ask({}, "ops", "/metrics")).refused ?? "", /certificate required/);
      const withoutToken = { ...lab().leaf("prometheus"), token: undefined };
      assert.equal((await ask(withoutToken, "ops", "/metrics")).status, 401);
      const another = { ...lab().leaf("prometheus"), token: lab().leaf("console").token };
      assert.equal((await ask(another, "ops", "/metrics")).status, 403);
    });

    it("asks a port that only metrics have, and says so where none is declared", async () => {
      const leaf = lab().leaf("prometheus");
      const told = await ask({ ...leaf, host: lab().host("console").address }, "ops", "/metrics");
      assert.equal((JSON.parse(told.body ?? "") as Seen).path, "/metrics");
      assert.equal((await ask({ ...leaf, host: lab().host("router").address }, "ops", "/metrics")).status, 403);
    });

    it("counts calls, refusals and their times under the names that the controller asks Prometheus for", async () => {
      const leaf = lab().leaf("prometheus");
      const call = { host: services.blocks.hostname, port: 80, path: "/height", method: "GET" };
      assert.equal((await lab().host("console").call("request", call)).status, 200);
      assert.equal(
        (
          await lab()
            .host("console")
            .call("request", { ...call, path: "/undeclared" })
        ).status,
        403,
      );
      const expositions = await Promise.all(
        [lab().host("console"), blocks()].map(
          async ({ address }) => (await ask({ ...leaf, host: address }, "ops", "/stats/prometheus")).body ?? "",
        ),
      );
      const series = expositions.join("\n").split("\n");
      const there = (name: string, labels: readonly string[]) =>
        series.some((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(`${label}="`)));
      const asked = Object.values(QUERIES).flatMap((query) =>
        [...query.matchAll(/\((envoy_\w+)\{/g)].map(([, name = ""]) => ({ name, query })),
      );
      assert.equal(asked.length, 9);
      for (const { name, query } of asked) {
        const labels = ["lucid_callee", "lucid_callee_port", "lucid_port", "lucid_caller_zone"].filter((label) =>
          new RegExp(`\\b${label}\\b`).test(query),
        );
        // Failures are counted from the first one on, by the class of the status.
        const failing = name === "envoy_cluster_upstream_rq_xx" ? ["envoy_response_code_class"] : [];
        assert.ok(there(name, [...labels, ...failing]), `${name}{${labels.join()}}`);
      }
    });

    it("counts under the names and labels that alerting rules ask for", async () => {
      const leaf = lab().leaf("prometheus");
      const call = { host: services.blocks.hostname, port: 80, path: "/height", method: "GET" };
      assert.equal((await lab().host("console").call("request", call)).status, 200);
      const expositions = await Promise.all(
        [lab().host("console"), blocks()].map(
          async ({ address }) => (await ask({ ...leaf, host: address }, "ops", "/stats/prometheus")).body ?? "",
        ),
      );
      const series = expositions.join("\n").split("\n");
      const rules = alertGroups(everyProtocol, { certValidityDays: 90 }).flatMap((group) => group.rules);
      const asked = rules.flatMap(({ name, expression }) =>
        selectorsOf(expression).flatMap(({ names, labels }) =>
          names.map((metric) => ({ name, expression, metric, labels })),
        ),
      );
      const counted = asked.filter(({ metric }) => metric.startsWith("envoy_"));
      assert.ok(new Set(counted.map(({ metric }) => metric)).size >= 15);
      for (const { name, expression, metric, labels } of counted) {
        // What a rule sums up by is among the labels too; the target's own are Prometheus's to add.
        const summed = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", "));
        const own = [...labels, ...summed].filter((label) => /^(envoy|lucid)_/.test(label));
        assert.ok(
          series.some((line) => line.startsWith(`${metric}{`) && own.every((label) => line.includes(`${label}="`))),
          `${name}: ${metric}{${own.join()}}`,
        );
      }
    });

    it("tells when the certificate that it serves ends, and the roots that it believes", async () => {
      const exposition = (await ask(lab().leaf("prometheus"), "ops", "/stats/prometheus")).body ?? "";
      const ends = (name: string) =>
        [
          ...exposition.matchAll(
            new RegExp(
              `^envoy_listener_ssl_certificate_expiration_unix_time_seconds\\{[^}]*envoy_tls_certificate="${name}"[^}]*\\} (\\d+)$`,
              "gm",
            ),
          ),
        ].map(([, seconds]) => Number(seconds));
      const leaf = new X509Certificate(lab().leaf("blocks").certificate);
      assert.ok(ends("leaf").length > 0);
      for (const seconds of ends("leaf")) assert.equal(seconds * 1000, Date.parse(leaf.validTo));
      const root = new X509Certificate(lab().trust.ops.roots);
      assert.ok(ends("trust/ops").length > 0);
      for (const seconds of ends("trust/ops")) assert.equal(seconds * 1000, Date.parse(root.validTo));
    });

    it("shows the controller by which files the sidecar runs, and its certificates, and dates both", async () => {
      const leaf = await lab().forge("mesh", services.controller);
      const state = await ask(leaf, "mesh", INSPECTED_PATHS.state);
      assert.equal(state.status, 200);
      assert.match(state.body ?? "", /^listener_manager\.lds\.version_text: "[0-9a-f]{16}"$/m);
      assert.match(state.body ?? "", /^cluster_manager\.cds\.version_text: "[0-9a-f]{16}"$/m);
      assert.match(state.body ?? "", /^listener_manager\.total_listeners_active: \d+$/m);
      const certificates = await ask(leaf, "mesh", INSPECTED_PATHS.certificates);
      assert.equal(certificates.status, 200);
      assert.match(certificates.body ?? "", /spiffe:\/\/chain/);
      for (const { body, headers } of [state, certificates]) {
        assert.doesNotMatch(body ?? "", /PRIVATE KEY/);
        assert.ok(Math.abs(Date.now() - Date.parse(headers?.date ?? "")) < 5_000, headers?.date);
      }
    });

    it("shows the controller nothing else, and answers no other question under the same path", async () => {
      const leaf = await lab().forge("mesh", services.controller);
      const tries = [
        "/config_dump",
        "/config_dump?mask=version_info",
        "/stats",
        "/stats?filter=",
        "/stats?filter=_manager.&format=json",
        "/stats?format=json&filter=_manager.",
        "/stats?filter=.",
        "/stats/prometheus",
        "/stats/../config_dump",
        "/clusters",
        "/listeners",
        "/server_info",
        "/certs/../config_dump",
        "/metrics",
      ];
      for (const path of tries) assert.equal((await ask(leaf, "mesh", path)).status, 403, path);
      for (const path of Object.values(INSPECTED_PATHS))
        for (const method of ["POST", "HEAD", "PUT"])
          assert.equal((await ask(leaf, "mesh", path, method)).status, 403, `${method} ${path}`);
    });

    it("shows what the controller may ask to nobody else, and to him not by his certificate alone", async () => {
      for (const path of Object.values(INSPECTED_PATHS)) {
        assert.equal((await ask(lab().leaf("prometheus"), "ops", path)).status, 403, path);
        assert.match((await ask(lab().leaf("console"), "mesh", path)).refused ?? "", /unknown ca/);
        const leaf = await lab().forge("mesh", services.controller);
        const withoutToken = { ...leaf, token: undefined };
        assert.equal((await ask(withoutToken, "mesh", path)).status, 401);
        const another = { ...leaf, token: lab().leaf("console").token };
        assert.equal((await ask(another, "mesh", path)).status, 403);
      }
    });

    it("refuses everybody else", async () => {
      assert.match((await ask(lab().leaf("console"), "ops", "/stats/prometheus")).refused ?? "", /certificate unknown/);
      const forged = await lab().forge("wallet", services.prometheus);
      assert.match((await ask(forged, "ops", "/stats/prometheus")).refused ?? "", /unknown ca/);
      assert.match((await ask({}, "ops", "/stats/prometheus")).refused ?? "", /certificate required/);
    });
  });

  describe("the controller's forward proxies", () => {
    const ask = (name: Running, zone: ZoneName, path: string, method = "GET") => {
      const target = `${lab().host(name).address}:15090`;
      const port = scrapePort(zone);
      const request = { host: "127.0.0.1", port, path: `http://${target}${path}`, headers: { host: target }, method };
      return lab().host("controller").call("request", request);
    };
    const fileOf = (name: Running, file: string) =>
      fs.readFileSync(path.join(lab().host(name).directory, "etc/envoy/config", file), "utf8");

    it("take it to every zone's sidecars, which tell by which files they run, and what they serve", async () => {
      for (const name of ["blocks", "console", "router"] as const) {
        const { zone, identity } = services[name];
        const state = parseState((await ask(name, zone, INSPECTED_PATHS.state)).body ?? "");
        const files = sidecarFilesOf("x-envoy", {
          "listeners.yaml": fileOf(name, "listeners.yaml"),
          "clusters.yaml": fileOf(name, "clusters.yaml"),
        });
        for (const file of VERSIONED) assert.equal(state.running[file], files?.[file].version, `${name}: ${file}`);
        assert.equal(state.listeners, files?.["listeners.yaml"].listeners, name);
        const served = parseCertificates((await ask(name, zone, INSPECTED_PATHS.certificates)).body ?? "");
        const leaf = new X509Certificate(lab().leaf(name).certificate);
        assert.deepEqual(
          served.map(({ uris, end }) => ({ uris, end })),
          [{ uris: [identity], end: Date.parse(leaf.validTo) }],
        );
        assert.equal(BigInt(`0x${served[0]?.serial ?? ""}`), BigInt(`0x${leaf.serialNumber}`));
      }
    });

    it("ask nothing else, and no other way", async () => {
      const tries = [
        "/config_dump",
        "/stats",
        "/stats?filter=.",
        "/stats/prometheus",
        "/metrics",
        "/certs/../clusters",
      ];
      for (const path of tries) assert.equal((await ask("blocks", "chain", path)).status, 404, path);
      for (const path of Object.values(INSPECTED_PATHS))
        assert.equal((await ask("blocks", "chain", path, "POST")).status, 404, path);
    });

    it("believe a pod only in its own zone", async () => {
      assert.equal((await ask("blocks", "wallet", INSPECTED_PATHS.certificates)).status, 503);
    });

    it("say what a sidecar rejected, of which config_dump's version tells nothing", async () => {
      const state = async () => parseState((await ask("router", "wallet", INSPECTED_PATHS.state)).body ?? "");
      const before = await state();
      const { router: sidecar } = lab().sidecars;
      // One more listener, that Envoy can't make: the others of the file are taken all the same.
      sidecar.mountConfig(lab().mesh, (file, text) =>
        file === "listeners.yaml"
          ? `${text.replace(/^version_info: .*$/m, "version_info: tampered")}  - "@type": type.googleapis.com/envoy.config.listener.v3.Listener\n    name: broken\n`
          : text,
      );
      await until("it is rejected", async () => {
        const { rejected } = await state();
        return rejected["listeners.yaml"] > before.rejected["listeners.yaml"];
      });
      const { running, accepted } = await state();
      assert.deepEqual([running, accepted["listeners.yaml"]], [before.running, before.accepted["listeners.yaml"]]);
      sidecar.mountConfig(lab().mesh);
      await until("it runs as before", async () => {
        const { accepted, listeners } = await state();
        return accepted["listeners.yaml"] > before.accepted["listeners.yaml"] && listeners === before.listeners;
      });
    });
  });

  describe("Prometheus' forward proxies", () => {
    // As Prometheus does it with `proxy_url`: the whole address in the request line.
    const scrape = (name: "blocks" | "console", zone: "chain" | "ops" | "wallet", path = "/stats/prometheus") => {
      const target = `${lab().host(name).address}:15090`;
      return lab()
        .host("prometheus")
        .call("request", {
          host: "127.0.0.1",
          port: scrapePort(zone),
          path: `http://${target}${path}`,
          headers: { host: target },
        });
    };

    it("reach every zone's pods by their addresses", async () => {
      for (const [name, zone] of [["blocks", "chain"] as const, ["console", "ops"] as const]) {
        const answer = await scrape(name, zone);
        assert.equal(answer.status, 200);
        assert.match(answer.body ?? "", /^envoy_server_live\{/m);
      }
    });

    it("fetch what applications tell, where one of the zone does", async () => {
      const answer = await scrape("blocks", "chain", "/metrics");
      assert.equal(answer.status, 200);
      assert.equal((JSON.parse(answer.body ?? "") as Seen).path, "/internal/metrics");
      assert.equal((await scrape("blocks", "wallet", "/metrics")).status, 404);
      assert.equal((await scrape("blocks", "chain", "/internal/metrics")).status, 404);
    });

    it("believe a pod only in its own zone", async () => {
      assert.equal((await scrape("blocks", "wallet")).status, 503);
    });

    it("fetch nothing but metrics, and no other port than 15090", async () => {
      assert.equal((await scrape("blocks", "chain", "/config_dump")).status, 404);
      const host = `${blocks().address}:15021`;
      const target = { host: "127.0.0.1", port: scrapePort("chain"), path: "/stats/prometheus", headers: { host } };
      const answer = await lab().host("prometheus").call("request", target);
      assert.match(answer.body ?? "", /^envoy_server_live\{/m);
    });

    it("fetch nothing that only the controller may ask", async () => {
      for (const path of Object.values(INSPECTED_PATHS))
        assert.equal((await scrape("blocks", "chain", path)).status, 404, path);
    });

    it("count what they cannot reach", async () => {
      const { prometheus } = lab().sidecars;
      await until(
        "refusals are counted",
        async () => (await prometheus.stat("cluster.scrape|wallet.ssl.fail_verify_error")) > 0,
      );
    });
  });
}
