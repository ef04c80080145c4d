import { readFileSync } from "node:fs";
import * as path from "node:path";

import type { ConfigValues } from "../protocol/config";
import { isProperties, type Value } from "../protocol/values";
import type { Endpoint, EndpointTls } from "./engine";

/** Arguments that the provider of the SDK can send. */
export const CONFIG_KEYS: readonly string[] = [
  "caMaterial",
  "certMaterial",
  "certPath",
  "context",
  "disableDockerDaemonCheck",
  "host",
  "keyMaterial",
  "registryAuth",
  "sshOpts",
];

/** Credentials for one registry, as the provider's `registryAuth` gives them. */
export interface RegistryCredentials {
  /** Host of the registry, without a scheme. */
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

export interface Settings {
  readonly endpoint: Endpoint;
  readonly registryAuth: readonly RegistryCredentials[];
}

const DEFAULT_HOST = "unix:///var/run/docker.sock";

/** Reads the provider's arguments; what isn't given comes from the official provider's environment variables. */
export function readSettings(config: ConfigValues, env: NodeJS.ProcessEnv): Settings {
  if (config.string("context") !== undefined) {
    throw new Error(
      'the argument "context" is not implemented by this stand-in of the Docker plugin; give the engine\'s address as "host"',
    );
  }
  const host = config.string("host") ?? nonEmpty(env.DOCKER_HOST) ?? DEFAULT_HOST;
  return {
    endpoint: parseHost(host, tlsMaterial(config, env)),
    registryAuth: readRegistryAuth(config.json("registryAuth"), env),
  };
}

/**
 * The engine's address: `unix:///path`, or `tcp://host:port` (also `http://` and `https://`).
 * @throws Error for any other, naming it
 */
export function parseHost(host: string, tls?: EndpointTls): Endpoint {
  if (host.startsWith("unix://")) {
    const socketPath = host.slice("unix://".length);
    if (!path.isAbsolute(socketPath)) {
      throw new Error(`the Docker host "${host}" names a relative path; write unix:///absolute/path`);
    }
    return { host, socketPath };
  }
  const url = /^(?:tcp|http|https):\/\//.test(host) ? parseUrl(host.replace(/^tcp:/, "http:")) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new Error(
      `the Docker host "${host}" can't be used by this stand-in of the Docker plugin; write unix:///path or tcp://host:port`,
    );
  }
  const secure = tls ?? (url.protocol === "https:" ? {} : undefined);
  const port = url.port === "" ? (secure === undefined ? 2375 : 2376) : Number(url.port);
  return { host, address: { hostname: url.hostname.replace(/^\[|\]$/g, ""), port }, tls: secure };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function tlsMaterial(config: ConfigValues, env: NodeJS.ProcessEnv): EndpointTls | undefined {
  const ca = config.string("caMaterial") ?? nonEmpty(env.DOCKER_CA_MATERIAL);
  const cert = config.string("certMaterial") ?? nonEmpty(env.DOCKER_CERT_MATERIAL);
  const key = config.string("keyMaterial") ?? nonEmpty(env.DOCKER_KEY_MATERIAL);
  const certPath = config.string("certPath") ?? nonEmpty(env.DOCKER_CERT_PATH);
  if (ca === undefined && cert === undefined && key === undefined) {
    if (certPath === undefined) {
      return undefined;
    }
    const read = (name: string): string => readFileSync(path.join(certPath, name), "utf8");
    return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
  }
  if (ca === undefined || cert === undefined || key === undefined) {
    throw new Error("caMaterial, certMaterial and keyMaterial of the Docker provider must be given together");
  }
  if (certPath !== undefined) {
    throw new Error(
      "give either certPath or caMaterial, certMaterial and keyMaterial to the Docker provider, not both",
    );
  }
  return { ca, cert, key };
}

function readRegistryAuth(value: Value | undefined, env: NodeJS.ProcessEnv): RegistryCredentials[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value) || !value.every(isProperties)) {
    throw new Error('provider configuration "registryAuth" must be a list of objects');
  }
  return value.flatMap((entry) => {
    if (entry.configFile !== undefined || entry.configFileContent !== undefined) {
      throw new Error(
        '"configFile" and "configFileContent" of registryAuth are not implemented by this stand-in of the Docker plugin; ' +
          "give username and password, or set DOCKER_CONFIG",
      );
    }
    const text = (name: string): string | undefined => {
      const member = entry[name];
      return typeof member === "string" && member !== "" ? member : undefined;
    };
    const address = text("address");
    const username = text("username") ?? nonEmpty(env.DOCKER_REGISTRY_USER);
    const password = text("password") ?? nonEmpty(env.DOCKER_REGISTRY_PASS);
    return address === undefined || username === undefined || password === undefined || entry.authDisabled === true
      ? []
      : [{ address: address.replace(/^https?:\/\//, "").replace(/\/.*$/, ""), username, password }];
  });
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
