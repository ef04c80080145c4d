import { KubeConfig } from "@kubernetes/client-node";
import { once } from "node:events";
import type { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { OFFERED, consulForward } from "../components/discovery/consul/forward";
import { kubeconfigPath } from "./paths";
import type { PulumiEnvironment } from "./pulumi-environment";

/** For how long another Pulumi is waited for that has the port. */
const PATIENCE_MS = 60_000;

/**
 * Runs Pulumi while the embedded cluster's Consul is offered to its Consul provider. The program does that itself, but not for long enough here: the newest Node.js host
 * that package registries have ends it before the engine deletes what a change takes away, a token of a zone say.
 *
 * @param kubeconfig of another embedded cluster than the usual one
 * @param run is given the environment for Pulumi
 */
export async function offeringConsul<T>(
  { env, consulPort, kubeconfig }: Pick<PulumiEnvironment, "env" | "consulPort"> & { readonly kubeconfig?: string },
  run: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  if (consulPort === undefined) return run(env);
  const server = await offered(consulPort, kubeconfig);
  try {
    // Where the port stays taken, the program finds that as well, and says it.
    return await run(server === undefined ? env : { ...env, [OFFERED]: `127.0.0.1:${consulPort}` });
  } finally {
    server?.close();
  }
}

/** Listens as soon as it can: another Pulumi, a preview say, may still have the port. @returns undefined where it stays taken */
async function offered(port: number, kubeconfig: string = kubeconfigPath): Promise<Server | undefined> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const server = consulForward(
      () => read(kubeconfig),
      () => undefined,
    ).listen(port, "127.0.0.1");
    const isListening = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (isListening) return server;
    await delay(500);
  }
  return undefined;
}

function read(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}
