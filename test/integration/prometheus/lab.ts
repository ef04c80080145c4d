/** A real Prometheus with the mesh's own jobs and rules, between a controller that names targets and applications that tell whatever a test has them tell. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { alertGroups, alertRulesFile } from "../../../components/observability/alerts";
import { ALERTS_FILE, prometheusConfig } from "../../../components/observability/prometheus-config";
import { METRICS_LABEL, SCRAPED_PATHS, type Mesh } from "../../../mesh";
import { freePorts } from "../../../services/controller/test/support/consul";

const PROMETHEUS = "/usr/bin/prometheus";

/** A pod, as the controller names it to Prometheus. */
export interface LabPod {
  readonly zone: string;
  readonly service: string;
  readonly pod: string;
  /** Whether its application is said to tell metrics of its own. */
  readonly tells: boolean;
}

interface ScrapeConfig {
  readonly job_name: string;
  proxy_url?: string;
  http_sd_configs: { url: string; refresh_interval: string }[];
}

interface Config {
  global: Record<string, string>;
  readonly scrape_configs: ScrapeConfig[];
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastEvaluation: string;
  readonly alerts: readonly { readonly state: string; readonly labels: Readonly<Record<string, string>> }[];
}

export class PrometheusLab {
  private constructor(
    readonly url: URL,
    private readonly child: ChildProcess,
    private readonly servers: readonly Server[],
    private readonly folder: string,
    private readonly told: Map<string, string>,
  ) {}

  /** Starts it. Scrapes and evaluations come every second; all else of its configuration is the program's, but that no sidecar stands between. */
  static async start(mesh: Mesh, pods: readonly LabPod[]): Promise<PrometheusLab> {
    const told = new Map<string, string>();
    const servers: Server[] = [];
    const addresses = new Map<string, string>();
    for (const { pod } of pods) {
      // An application and its sidecar, told apart by the path as at the inspection listener.
      const server = await listening((path) => told.get(`${pod} ${path}`));
      servers.push(server);
      addresses.set(pod, addressOf(server));
    }
    const controller = await listening((path) =>
      JSON.stringify(
        pods
          .filter(({ zone }) => path === `/targets/${zone}`)
          .map(({ zone, service, pod, tells }) => ({
            targets: [addresses.get(pod)],
            labels: { zone, service, version: "1.0.0", pod, ...(tells ? { [METRICS_LABEL]: "true" } : {}) },
          })),
      ),
    );
    servers.push(controller);
    const config = load(prometheusConfig(mesh)) as Config;
    Object.assign(config.global, { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" });
    for (const job of config.scrape_configs) {
      delete job.proxy_url;
      job.http_sd_configs = job.http_sd_configs.map(({ url }) => ({
        url: `http://${addressOf(controller)}${new URL(url).pathname}`,
        refresh_interval: "1s",
      }));
    }
    const folder = mkdtempSync(join(tmpdir(), "lucid-prometheus-"));
    writeFileSync(join(folder, "prometheus.yaml"), dump(config));
    writeFileSync(join(folder, ALERTS_FILE), alertRulesFile(alertGroups(mesh, { certValidityDays: 90 })));
    const [port = 0] = await freePorts(1);
    const child = spawn(
      PROMETHEUS,
      [
        `--config.file=${join(folder, "prometheus.yaml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${String(port)}`,
      ],
      { stdio: "ignore" },
    );
    return new PrometheusLab(new URL(`http://127.0.0.1:${String(port)}`), child, servers, folder, told);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill("SIGTERM");
    await ended;
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
    rmSync(this.folder, { recursive: true });
  }

  /** Has an application tell this from now on. */
  application(pod: string, ...lines: readonly string[]): void {
    this.told.set(`${pod} ${SCRAPED_PATHS.application}`, `${lines.join("\n")}\n`);
  }

  /** Has a sidecar tell this from now on. */
  sidecar(pod: string, ...lines: readonly string[]): void {
    this.told.set(`${pod} ${SCRAPED_PATHS.sidecar}`, `${lines.join("\n")}\n`);
  }

  async query(expression: string): Promise<readonly Series[]> {
    const { result } = (await this.get("/api/v1/query", { query: expression })) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async rule(name: string): Promise<Rule | undefined> {
    return (await this.rules()).find((rule) => rule.name === name);
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = (await this.get("/api/v1/rules", { type: "alert" })) as { groups: { rules: Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  private async get(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const response = await fetch(url);
    return ((await response.json()) as { data: unknown }).data;
  }
}

/** A server on loopback that answers a path with a text, or 404. */
async function listening(answer: (path: string) => string | undefined): Promise<Server> {
  const server = createServer((request, response) => {
    const text = answer(request.url ?? "");
    response.writeHead(text === undefined ? 404 : 200, {
      "content-type": text?.startsWith("[") === true ? "application/json" : "text/plain; version=0.0.4",
    });
    response.end(text ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function addressOf(server: Server): string {
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
