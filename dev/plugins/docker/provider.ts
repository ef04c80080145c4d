import { version } from "@pulumi/docker/package.json";

import type { ProviderImplementation } from "../protocol/provider";
import type { Builder } from "./build";
import { Engine } from "./engine";
import { imageResource } from "./image";
import { CONFIG_KEYS, readSettings } from "./settings";

/**
 * The stand-in for the official Docker provider: images built and pushed by a Docker engine. The engine is called on when an image is to be
 * built, not before: a preview needs none.
 */
export function dockerProvider(): ProviderImplementation {
  const configured: { builder?: Builder } = {};
  return {
    name: "docker",
    version,
    configKeys: CONFIG_KEYS,
    configure: (config) => {
      const settings = readSettings(config, process.env);
      configured.builder = { engine: new Engine(settings.endpoint), registryAuth: settings.registryAuth };
      return Promise.resolve();
    },
    resources: {
      "docker:index/image:Image": imageResource(() => {
        if (configured.builder === undefined) {
          throw new Error("the Docker provider was asked for an image before it was configured");
        }
        return configured.builder;
      }),
    },
  };
}
