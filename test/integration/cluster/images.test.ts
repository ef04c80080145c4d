import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stateDir } from "../../../dev/paths";
import { apply, command, kubectl, makeNamespace, outcome, pod, ready, removeNamespace } from "./support";

const namespace = "test-images";
const image = "registry.lucid.internal/lucid/test-image:1";
const docker = (...args: readonly string[]): Promise<string> =>
  command("/usr/bin/docker", ["--host", `unix://${path.join(stateDir(), "run", "docker.sock")}`, ...args]);

describe("images on the embedded cluster", function () {
  this.timeout(120_000);
  let directory: string;

  before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "lucid-image-"));
    await makeNamespace(namespace);
  });

  after(async () => {
    fs.rmSync(directory, { recursive: true, force: true });
    await outcome("/usr/bin/docker", ["--host", `unix://${path.join(stateDir(), "run", "docker.sock")}`, "rmi", image]);
    await removeNamespace(namespace);
  });

  it("are built by the Docker engine from a public base, pushed under a name of ours, and run", async () => {
    const word = `built at ${String(Date.now())}`;
    const program = `console.log(${JSON.stringify(word)}); setInterval(() => {}, 1000);`;
    fs.writeFileSync(path.join(directory, "main.js"), program);
    const dockerfile =
      'FROM node:20-bookworm-slim\nCOPY main.js /\nRUN node --version\nUSER 1000\nCMD ["node", "/main.js"]\n';
    fs.writeFileSync(path.join(directory, "Dockerfile"), dockerfile);
    await docker("build", "--quiet", "--tag", image, directory);
    await docker("push", "--quiet", image);
    await apply(pod(namespace, "built", image, [], { container: { args: undefined, imagePullPolicy: "Always" } }));
    await ready(namespace, "built");
    assert.equal((await kubectl(["-n", namespace, "logs", "built"])).trim(), word);
  });

  it("of the mesh all start under their public names", async () => {
    const version: Readonly<Record<string, readonly [command: string, argument: string]>> = {
      "envoyproxy/envoy:v1.40.0": ["envoy", "--version"],
      "hashicorp/consul:1.21.0": ["consul", "version"],
      "coredns/coredns:1.12.4": ["/coredns", "-version"],
      "jaegertracing/jaeger:2.13.0": ["/cmd/jaeger/jaeger-linux", "version"],
      "prom/prometheus:v2.42.0": ["/bin/prometheus", "--version"],
      "fortio/fortio:1.66.2": ["fortio", "version"],
      "node:20-bookworm-slim": ["node", "--version"],
    };
    const nameOf = (reference: string): string => reference.replace(/.*\//, "").replace(/:.*/, "");
    for (const [reference, [program, argument]] of Object.entries(version)) {
      const options = { spec: { restartPolicy: "Never" }, container: { command: [program] } };
      await apply(pod(namespace, nameOf(reference), reference, [argument], options));
    }
    const pods = Object.keys(version).map((reference) => `pod/${nameOf(reference)}`);
    await kubectl(["-n", namespace, "wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s", ...pods]);
    for (const reference of Object.keys(version)) {
      assert.match(await kubectl(["-n", namespace, "logs", nameOf(reference)]), /\d+\.\d+\.\d+/, reference);
    }
  });
});
