import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { registryOf } from "./image-name";
import type { ImageSpec } from "./spec";
import type { RegistryCredentials } from "./settings";

/** Credentials as the engine's API has them; `{}` is nobody. */
export interface EngineAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress?: string;
}

/** Key under which Docker keeps the credentials of Docker Hub. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/**
 * Credentials with which an image is pushed: those of the resource, else of the provider, else of the user's Docker
 * configuration, else none. A resource with but a user or but a password counts as one without, as with the official provider.
 */
export function pushAuth(
  image: Pick<ImageSpec, "imageName" | "registry">,
  provider: readonly RegistryCredentials[],
  dockerConfig: DockerConfig,
): EngineAuth {
  const { server, username, password } = image.registry;
  const serveraddress = serverAddress(server === "" ? (registryOf(image.imageName) ?? "docker.io") : hostOf(server));
  if (username !== "" && password !== "") {
    return { username, password, serveraddress };
  }
  const given = provider.find(({ address }) => serverAddress(address) === serveraddress);
  if (given !== undefined) {
    return { username: given.username, password: given.password, serveraddress };
  }
  return dockerConfig.find((known) => known.serveraddress === serveraddress) ?? {};
}

/** Logins in the user's Docker configuration. */
export type DockerConfig = readonly EngineAuth[];

/** Reads `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`; only logins that stand in the file itself, no helpers'. */
export function readDockerConfig(env: NodeJS.ProcessEnv): DockerConfig {
  const folder = env.DOCKER_CONFIG === undefined || env.DOCKER_CONFIG === "" ? undefined : env.DOCKER_CONFIG;
  const file = path.join(folder ?? path.join(os.homedir(), ".docker"), "config.json");
  if (!fs.existsSync(file)) {
    return [];
  }
  try {
    return parseDockerConfig(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`the Docker configuration ${file} can't be read: ${error instanceof Error ? error.message : ""}`);
  }
}

/** Logins of the text of a Docker configuration. */
export function parseDockerConfig(text: string): DockerConfig {
  const { auths = {} } = JSON.parse(text) as {
    readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  };
  return Object.entries(auths).flatMap(([key, { auth = "", identitytoken }]): EngineAuth[] => {
    const decoded = Buffer.from(auth, "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    const serveraddress = serverAddress(hostOf(key));
    if (identitytoken !== undefined && identitytoken !== "") {
      return [{ identitytoken, serveraddress }];
    }
    return colon < 1 ? [] : [{ username: decoded.slice(0, colon), password: decoded.slice(colon + 1), serveraddress }];
  });
}

/** The value of the engine's headers `X-Registry-Auth` and `X-Registry-Config`. */
export function authHeader(value: EngineAuth | Readonly<Record<string, EngineAuth>>): string {
  // The engine wants the padding; Node's base64url leaves it out.
  return Buffer.from(JSON.stringify(value)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

/** Docker Hub goes by three names. */
function serverAddress(host: string): string {
  return ["docker.io", "index.docker.io", "registry-1.docker.io"].includes(host) ? DOCKER_HUB : host;
}
