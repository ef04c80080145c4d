import { parseArgs } from "node:util";

import { Refusal, StepFailure } from "../toolchain";
import { clusterDown } from "./down";
import { hasCode } from "./errors";
import { linkClusters } from "./link";
import { clusterStatus } from "./status";
import { statusText } from "./status-text";
import { clusterUp } from "./up";

const usage = `usage: npm run cluster -- <command>

  up [--nodes N] [--port P] [--kubeconfig FILE]
                    bring the embedded cluster up, or repair it: N nodes (1), API server on 127.0.0.1:P (6443 or the
                    next free one), its kubeconfig in FILE (.state/kubeconfig)
  down              end it and remove its state; the cache of tools and images stays
  status [--json]   what runs; exit code 0 only when all is well
  link              join it and the usual cluster, as two datacenters are

LUCID_MESH_CLUSTER=b names another cluster than the usual one, with addresses of its own.`;

/** Runs the command line and returns the exit code. @throws Refusal */
async function main(args: readonly string[]): Promise<number> {
  const { command, values } = parse(args);
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  switch (command) {
    case "up": {
      const { kubeconfig, dockerSocket } = await clusterUp({
        nodes: wholeNumber("nodes", values.nodes),
        port: wholeNumber("port", values.port),
        kubeconfig: values.kubeconfig,
      });
      console.log(`cluster: up; kubeconfig ${kubeconfig}, DOCKER_HOST=unix://${dockerSocket}`);
      return 0;
    }
    case "down":
      await clusterDown();
      console.log("cluster: down");
      return 0;
    case "link":
      await linkClusters();
      console.log("cluster: joined with the usual one");
      return 0;
    case "status": {
      const status = await clusterStatus();
      console.log(values.json === true ? JSON.stringify(status, null, 2) : statusText(status));
      return status.state === "healthy" ? 0 : 1;
    }
    default:
      throw new Refusal(command === undefined ? usage : `no such command: ${command}\n${usage}`);
  }
}

/** What each command takes. */
const options: Readonly<Record<string, readonly string[]>> = {
  up: ["nodes", "port", "kubeconfig", "help"],
  down: ["help"],
  link: ["help"],
  status: ["json", "help"],
};

interface CommandLine {
  readonly command: string | undefined;
  readonly values: {
    readonly nodes?: string;
    readonly port?: string;
    readonly kubeconfig?: string;
    readonly json?: boolean;
    readonly help?: boolean;
  };
}

function parse(args: readonly string[]): CommandLine {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        nodes: { type: "string" },
        port: { type: "string" },
        kubeconfig: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (positionals.length > 1) {
      throw new Refusal(`one command at a time, not ${positionals.join(" ")}\n${usage}`);
    }
    const [command] = positionals;
    const misplaced = Object.keys(values).find((name) => !(options[command ?? ""] ?? [name]).includes(name));
    if (misplaced !== undefined) {
      throw new Refusal(`--${misplaced} means nothing to '${command ?? ""}'\n${usage}`);
    }
    return { command, values };
  } catch (error) {
    if (error instanceof TypeError) {
      throw new Refusal(`${error.message}\n${usage}`);
    }
    throw error;
  }
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65535) {
    throw new Refusal(`--${name} ${text}: give a whole number from 1 to ${name === "port" ? "65535" : "200"}`);
  }
  return value;
}

// `status | head` closes the pipe early; that is no error.
process.stdout.on("error", () => undefined);

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    if (hasCode(error, "ENOSPC")) {
      console.error(
        "cluster: the disk is full; make room, or set LUCID_MESH_STATE and LUCID_MESH_CACHE to another disk",
      );
    } else {
      const expected = error instanceof Refusal || error instanceof StepFailure;
      console.error(expected ? `cluster: ${error.message}` : error);
    }
    process.exitCode = 1;
  },
);
