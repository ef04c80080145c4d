/** A service of another cluster that takes part in the Lucid mesh: this stack brings its pods, everything else of it is the mesh's own stack's. */
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { JoinedService, readJoin, type Joins } from "@lucid/mesh";

const config = new pulumi.Config();

/** The mesh's stack by its name, where this stack's backend has it; else a copy of its output `joins`. */
function mesh(): string | Joins {
  const file = config.get("joins");
  return file === undefined ? config.require("mesh") : (JSON.parse(readFileSync(file, "utf8")) as Joins);
}

export = async () => {
  const join = await readJoin(mesh(), "billing");
  const [http] = join.ports;
  const cluster = new kubernetes.Provider("cluster", {
    kubeconfig: config.get("kubeconfig"),
    context: config.get("context"),
  });

  new JoinedService(
    "billing",
    {
      join,
      version: "1.4.2",
      template: {
        spec: {
          containers: [
            {
              name: "app",
              image: "fortio/fortio:1.66.2",
              // What listens on 127.0.0.1 alone is reached through the sidecar or not at all.
              args: [
                "server",
                `-http-port=127.0.0.1:${String(http.port)}`,
                "-grpc-port=disabled",
                "-redirect-port=disabled",
                "-tcp-port=disabled",
                "-udp-port=disabled",
              ],
              resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
            },
          ],
        },
      },
    },
    { provider: cluster },
  );

  return { owner: join.owner };
};
