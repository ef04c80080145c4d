/**
 * What a sidecar needs, by the number of its edges and by its load: the figures behind envoy/process/resources.ts, printed as a table. Needs root (network namespaces).
 *
 *     npx tsx test/bench/sidecar-resources.ts
 */
import * as fs from "node:fs";
import type { EnvoyOptions } from "../../envoy";
import type { Mesh, Service } from "../../mesh/model";
import { Issuer } from "../integration/envoy/issuer";
import { Network, type Host } from "../integration/envoy/network";
import { Authority } from "../integration/envoy/pki";
import { volumes } from "../integration/envoy/mesh-lab";
import { labDirectory, removeLabDirectory, Sidecar, until } from "../integration/envoy/sidecar";
import { runTool } from "../integration/envoy/tool";
import { makeEdge, makeMesh, makeService, OPTIONS } from "../unit/envoy/fixture";

const EDGES = [1, 10, 50, 150] as const;
const CONNECTIONS = [100, 500, 1000] as const;
const REQUESTS = 20_000;
const HTTP = { name: "http", protocol: "http", port: 8080, dialPort: 80 } as const;

const rows: string[][] = [];

async function main(): Promise<void> {
  const network = new Network(labDirectory());
  try {
    await measureAll(network);
    print();
  } finally {
    await network.close();
    removeLabDirectory();
  }
}

async function measureAll(network: Network): Promise<void> {
  const root = await Authority.create("ops");
  const resolver = await network.host("resolver", volumes("resolver"));
  const options: EnvoyOptions = { ...OPTIONS, tracing: false, resolverAddress: resolver.address };
  const callerHost = await network.host("caller", volumes("caller"));
  const calleeHost = await network.host("callee", volumes("callee"));
  const stranger = await network.host("stranger", volumes("stranger"));
  await resolver.call("serveDns", {
    address: resolver.address,
    port: 53,
    records: { "callee.service.discovery.lucid.internal": [calleeHost.address] },
  });
  await calleeHost.call("serveHttp", { service: "callee", port: HTTP.port });
  await callerHost.call("serveHttp", { service: "caller", port: HTTP.port });

  for (const count of EDGES) {
    const { mesh, caller } = meshOf(count, 0);
    await measured(caller, callerHost, options, mesh, root, (sidecar) => {
      row(`${String(count)} callees`, memoryOf(sidecar));
      return Promise.resolve();
    });
  }
  for (const count of EDGES) {
    const { mesh, callee } = meshOf(1, count - 1);
    await measured(callee, calleeHost, options, mesh, root, async (sidecar) => {
      row(`${String(count)} callers`, memoryOf(sidecar));
      if (count === 1) {
        await connections(sidecar, stranger, root);
      }
    });
  }
  const { mesh, caller, callee } = meshOf(1, 0);
  await measured(callee, calleeHost, options, mesh, root, async (serving) => {
    await measured(caller, callerHost, options, mesh, root, async (calling) => {
      await requests(calling, serving);
    });
  });
}

/** Memory by the number of TLS connections that callers hold, each with one request answered. */
async function connections(sidecar: Sidecar, stranger: Host, root: Authority): Promise<void> {
  const { certificate, key } = await root.issue("caller.lucid.internal", identityOf("caller"));
  const to = { host: sidecar.host.address, port: 15001, serverName: "http.callee.ops", certificate, key };
  let held = 0;
  for (const count of CONNECTIONS) {
    await stranger.call("holdTls", { ...to, connections: count - held });
    held = count;
    await until("they are counted", async () => (await sidecar.stat("listener.inbound.downstream_cx_active")) >= held);
    row(`1 caller, ${String(count)} connections`, memoryOf(sidecar));
  }
  await stranger.call("releaseTls");
}

/** CPU of both sidecars by request. */
async function requests(calling: Sidecar, serving: Sidecar): Promise<void> {
  const url = "http://callee.lucid.internal/";
  await until("the callee is found", async () => {
    const answer = await calling.host.call("request", { host: "callee.lucid.internal", port: 80, path: "/" });
    return answer.status === 200;
  });
  const before = [cpuMs(calling), cpuMs(serving)] as const;
  const args = ["load", "-qps", "0", "-c", "8", "-n", String(REQUESTS), "-allow-initial-errors", url];
  const { code, output } = await runTool(calling.host, "fortio", args);
  if (code !== 0) {
    throw new Error(output);
  }
  const perRequest = [calling, serving].map(
    (sidecar, index) => ((cpuMs(sidecar) - (before[index] ?? 0)) * 1000) / REQUESTS,
  );
  rows.push(["caller, CPU a request", `${(perRequest[0] ?? 0).toFixed(0)} µs`, ""]);
  rows.push(["callee, CPU a request", `${(perRequest[1] ?? 0).toFixed(0)} µs`, ""]);
  row("caller after the load", memoryOf(calling));
  row("callee after the load", memoryOf(serving));
}

/** A caller with so many callees, one of which has so many callers more. */
function meshOf(callees: number, moreCallers: number): { mesh: Mesh; caller: Service; callee: Service } {
  const service = (name: string, index: number) => makeService(name, "ops", index, [HTTP]);
  const caller = service("caller", 1);
  const callee = service("callee", 2);
  const others = Array.from({ length: callees - 1 }, (_, index) => service(`callee-${String(index)}`, index + 3));
  const callers = Array.from({ length: moreCallers }, (_, index) => service(`caller-${String(index)}`, index + 3));
  const edges = [
    ...[callee, ...others].map((one) => makeEdge(caller, one, "http")),
    ...callers.map((one) => makeEdge(one, callee, "http", [{ methods: ["GET"], paths: ["/one", "/two/*"] }])),
  ];
  return { mesh: makeMesh([caller, callee, ...others, ...callers], edges), caller, callee };
}

function identityOf(name: string): string {
  return `spiffe://ops.lucid.internal/ns/lucid-ops/sa/${name}`;
}

async function measured(
  service: Service,
  host: Host,
  options: EnvoyOptions,
  mesh: Mesh,
  root: Authority,
  measure: (sidecar: Sidecar) => Promise<void>,
): Promise<void> {
  const sidecar = new Sidecar(service, host, options);
  const leaf = await root.issue(service.hostname, service.identity);
  const issuer = new Issuer();
  sidecar.mountKeys(issuer.published);
  const trust = await root.bundle();
  sidecar.mount(
    mesh,
    { ...leaf, token: issuer.issue(service) },
    { ops: trust, chain: trust, wallet: trust, mesh: trust, edge: trust },
  );
  await sidecar.start();
  // The first flush of the statistics makes what is only made once.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  try {
    await measure(sidecar);
  } finally {
    await sidecar.stop();
  }
}

function row(what: string, { anonymousMib, residentMib }: Memory): void {
  rows.push([what, `${anonymousMib.toFixed(1)} MiB`, `${residentMib.toFixed(1)} MiB`]);
  console.error(rows.at(-1)?.join("  "));
}

interface Memory {
  /** Memory of its own: what counts against a container's limit and can't be taken back. */
  readonly anonymousMib: number;
  /** The same and the pages of its binary. */
  readonly residentMib: number;
}

function memoryOf(sidecar: Sidecar): Memory {
  const status = fs.readFileSync(`/proc/${String(sidecar.pid)}/status`, "utf8");
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { anonymousMib: mib("RssAnon"), residentMib: mib("VmRSS") };
}

/** CPU that the process used so far, in milliseconds (a tick is ten). */
function cpuMs(sidecar: Sidecar): number {
  const fields = fs
    .readFileSync(`/proc/${String(sidecar.pid)}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function print(): void {
  console.log("| sidecar | own memory | resident |\n|---|---|---|");
  console.log(rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n"));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
