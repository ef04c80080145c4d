import { version } from "@pulumi/kubernetes/package.json";

import type { ProviderImplementation, ResourceImplementation } from "../protocol/provider";
import { diffConfig } from "./config-diff";
import { connect } from "./connection";
import { refusal } from "./kinds";
import { create } from "./lifecycle/create";
import { remove } from "./lifecycle/delete";
import { check, diff } from "./lifecycle/plan";
import { read } from "./lifecycle/read";
import { update } from "./lifecycle/update";
import { Session } from "./session";
import { CONFIG_KEYS, readSettings } from "./settings";

/**
 * The stand-in for the official Kubernetes provider: whatever object the API server knows, by server-side apply. What it does
 * otherwise than the official one stands in DIFFERENCES.md.
 */
export function kubernetesProvider(): ProviderImplementation {
  let session: Session | undefined;
  const configured = (): Session => {
    if (session === undefined) {
      throw new Error("the Kubernetes provider was asked for a resource before it was configured");
    }
    return session;
  };
  const objects: ResourceImplementation = {
    check: async (request) => await check(configured(), request),
    diff: async (request) => await diff(configured(), request),
    create: async (request) => await create(configured(), request),
    read: async (request) => await read(configured(), request),
    update: async (request) => await update(configured(), request),
    delete: async (request) => {
      await remove(configured(), request);
    },
  };
  return {
    name: "kubernetes",
    version,
    configKeys: CONFIG_KEYS,
    diffConfig: (olds, news) => Promise.resolve(diffConfig(olds, news)),
    configure: async (config) => {
      const settings = readSettings(config, process.env);
      session = new Session(settings, await connect(settings));
    },
    resource: (token) => {
      const refused = refusal(token);
      if (refused !== undefined) {
        throw new Error(refused);
      }
      return objects;
    },
  };
}
