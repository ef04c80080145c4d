import { KubeConfig } from "@kubernetes/client-node";
import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { SHARED_PART, zonesOfPart } from "../parts/part";
import type { Settings } from "./settings";

/** The way into a cluster, for resources and for image builds. */
export interface ClusterProviders {
  readonly kubernetes: kubernetes.Provider;
  /** None where another part's stack has the images built. */
  readonly docker?: docker.Provider;
}

/**
 * Makes the providers of the stack's cluster.
 *
 * A kubeconfig that is named and not there leaves the Kubernetes provider without a cluster, never with the ambient one: `pulumi preview` still
 * works, as in a CI run that has no cluster in reach, and `pulumi up` fails.
 */
export function clusterProviders(settings: Settings): ClusterProviders {
  return {
    kubernetes: new kubernetes.Provider("kubernetes", {
      // The path and not the text: a cluster made anew under the same path is the same cluster to the stack, and no key lies in the state.
      ...(settings.kubeconfig === undefined ? {} : { kubeconfig: settings.kubeconfig }),
      ...(settings.context === undefined ? {} : { context: settings.context }),
      enableServerSideApply: true,
      // What somebody else changed by hand is put right, instead of being a conflict.
      enablePatchForce: true,
      // Read live by the sidecars, so they change in place and keep their names.
      enableConfigMapMutable: true,
      enableSecretMutable: true,
    }),
    ...(zonesOfPart(settings.part).includes(SHARED_PART) && { docker: dockerProvider(settings) }),
  };
}

function dockerProvider({ dockerHost }: Settings): docker.Provider {
  return new docker.Provider("docker", dockerHost === undefined ? {} : { host: absoluteHost(dockerHost) });
}

/** The kubeconfig as the program itself uses it; an empty one where the named file is missing. */
export function readKubeConfig(settings: Settings): KubeConfig {
  const kubeConfig = new KubeConfig();
  if (settings.kubeconfig === undefined) {
    kubeConfig.loadFromDefault();
  } else if (existsSync(settings.kubeconfig)) {
    kubeConfig.loadFromFile(settings.kubeconfig);
  } else {
    void pulumi.log.warn(
      `No cluster in reach: ${settings.kubeconfig}, which this stack names as its kubeconfig, is not there. \`npm start\` makes the embedded cluster.`,
    );
    return kubeConfig;
  }
  if (settings.context !== undefined) kubeConfig.setCurrentContext(settings.context);
  return kubeConfig;
}

/** Docker takes absolute socket paths alone; the stack's configuration says them relative to the project. */
function absoluteHost(host: string): string {
  const socket = /^unix:\/\/(?<path>.+)$/.exec(host)?.groups?.path;
  return socket === undefined ? host : `unix://${path.resolve(socket)}`;
}
