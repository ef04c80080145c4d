import * as path from "node:path";

import { run } from "./commands";

/** Asks the API server by kubectl. */
export class Kubectl {
  constructor(
    private readonly program: string,
    private readonly kubeconfigFile: string,
  ) {}

  /** Runs kubectl and returns what it prints. @throws Refusal with kubectl's own message */
  run(args: readonly string[], input?: string): Promise<string> {
    // Its cache belongs to this cluster, not to the user's home.
    const cache = path.join(path.dirname(this.kubeconfigFile), "kubectl-cache");
    const common = ["--kubeconfig", this.kubeconfigFile, "--cache-dir", cache, "--request-timeout=30s"];
    return run(this.program, [...common, ...args], input === undefined ? {} : { input });
  }

  /** Creates or changes objects by server-side apply; returns when the API server has them. */
  async apply(manifest: string): Promise<void> {
    await this.run(
      ["apply", "--server-side", "--force-conflicts", "--field-manager=lucid-mesh-cluster", "-f", "-"],
      manifest,
    );
  }

  /** The list of objects of a kind, in all namespaces. */
  async list<T>(kind: string): Promise<readonly T[]> {
    const answer = JSON.parse(await this.run(["get", kind, "--all-namespaces", "--output=json"])) as { items: T[] };
    return answer.items;
  }
}
