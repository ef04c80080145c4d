import type { Mesh } from "../../../mesh/model";
import { resolveMesh, validateDocument } from "../../../mesh";

const IMAGE = "fortio/fortio:1.66.2";
const HTTP = [{ name: "http", port: 8080 }];

/** A document with a job, a cronjob, what they call, and somebody who looks at their sidecars. */
export function jobsDocument() {
  return {
    apiVersion: "mesh.lucid.internal/v1",
    zones: {
      ops: { members: ["ledger", "migration", "nightly"] },
      chain: { members: ["lucid-blocks"] },
      mesh: { members: ["mesh-controller"] },
    },
    services: [
      { name: "ledger", plane: "ops", image: IMAGE, ports: HTTP },
      { name: "lucid-blocks", plane: "chain", image: IMAGE, ports: HTTP },
      { name: "mesh-controller", plane: "mesh", component: true, ports: HTTP },
      {
        name: "migration",
        plane: "ops",
        image: IMAGE,
        args: ["load", "-n", "1", "http://ledger.lucid.internal/"],
        version: "1.0.0",
        workload: { kind: "job", completions: 3, parallelism: 2, backoffLimit: 0, activeDeadline: "15m" },
        calls: [{ service: "ledger", methods: ["POST"], paths: ["/schema"] }],
      },
      {
        name: "nightly",
        plane: "ops",
        image: IMAGE,
        workload: { kind: "cronjob", schedule: "30 2 * * 1-5" },
        calls: [{ service: "ledger" }, { service: "lucid-blocks", reason: "Anchors the day" }],
      },
    ],
  };
}

/** {@link jobsDocument}, resolved. */
export function jobsMesh(): Mesh {
  return resolveMesh(validateDocument(jobsDocument()));
}
