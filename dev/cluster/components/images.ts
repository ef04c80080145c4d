import * as fs from "node:fs";
import { request } from "node:http";

import type { ClusterContext } from "../context";
import { programName, type Daemon } from "../daemons";
import { builder, host, network, nodeMachine, registryHost } from "../layout";
import { registryRequest } from "../pki";
import { writeFile } from "./write-file";

/** The registry that holds every image of the cluster under its public name. */
export async function registry(context: ClusterContext): Promise<Daemon> {
  const pair = await context.pki.leaf("registry", "registry", registryRequest);
  fs.mkdirSync(context.registryStore, { recursive: true });
  const configuration = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: context.registryStore }, delete: { enabled: true } },
    http: { addr: `${network.builderAddress}:443`, tls: { certificate: pair.certificate, key: pair.key } },
  };
  const text = JSON.stringify(configuration, null, 2);
  const file = context.files.machine(builder, "registry.json");
  writeFile(file, text);
  return {
    name: "registry",
    machine: builder,
    program: context.programs["docker-registry"],
    args: ["serve", file],
    configuration: [text, fs.readFileSync(pair.certificate, "utf8")],
    env: { OTEL_TRACES_EXPORTER: "none" },
  };
}

/** A Docker engine for image builds: its base images come from the registry, and what it pushes goes there. */
export async function dockerEngine(context: ClusterContext): Promise<Daemon> {
  const authority = await context.pki.authority("registry");
  const pidFile = context.files.machine(builder, "dockerd.pid");
  forgetStale(pidFile);
  const configuration = {
    hosts: [`unix://${context.files.dockerSocket}`],
    "data-root": "/var/lib/docker",
    "exec-root": "/run/docker",
    pidfile: pidFile,
    // It would write one to the host's /etc/docker.
    "deprecated-key-path": "/var/lib/docker/key.json",
    "cgroup-parent": `/${context.cgroups.root}/${builder.name}/builds`,
    "registry-mirrors": [`https://${registryHost}`],
    // Lowering it needs a right that this machine lacks.
    "oom-score-adjust": 0,
  };
  const text = JSON.stringify(configuration, null, 2);
  const file = context.files.machine(builder, "dockerd.json");
  writeFile(file, text);
  return {
    name: "dockerd",
    machine: builder,
    program: context.programs.dockerd,
    args: ["--config-file", file, "--group", "root"],
    env: { SSL_CERT_FILE: authority.certificate },
    configuration: [text],
  };
}

/**
 * Ways from the host into the cluster's network, which no route leads to: a Unix socket each, and for the API server a
 * port on 127.0.0.1. None leads out.
 */
export function forwarders(context: ClusterContext): Daemon[] {
  const { files, programs } = context;
  const listen = (socket: string): string => `UNIX-LISTEN:${socket},fork,mode=600,unlink-early`;
  // One side may be done sending long before the other is.
  const patience = ["-t", "60"];
  const apiAddress = `${network.controlPlaneAddress}:${String(network.apiPort)}`;
  return [
    {
      name: "apiserver-socket",
      machine: nodeMachine(1),
      program: programs.socat,
      args: [...patience, listen(files.apiSocket), `TCP:${apiAddress},nodelay`],
    },
    {
      name: "registry-socket",
      machine: builder,
      program: programs.socat,
      args: [...patience, listen(files.registrySocket), `TCP:${network.builderAddress}:443,nodelay`],
    },
    {
      name: "apiserver-port",
      machine: host,
      program: programs.socat,
      args: [
        ...patience,
        `TCP-LISTEN:${String(context.apiPort)},bind=127.0.0.1,reuseaddr,fork,nodelay`,
        `UNIX-CONNECT:${files.apiSocket}`,
      ],
    },
  ];
}

/** Whether the Docker engine answers at its socket. */
export function dockerAnswers(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 2 s")));
    call.on("error", reject);
    call.end();
  });
}

/**
 * A killed engine leaves its pid file, and a new one takes it for running where the number is in use again, or the dead process was not buried yet: such a
 * file goes.
 */
function forgetStale(pidFile: string): void {
  if (fs.existsSync(pidFile) && programName(Number(fs.readFileSync(pidFile, "utf8").trim())) !== "dockerd") {
    fs.rmSync(pidFile);
  }
}
