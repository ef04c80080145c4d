import * as path from "node:path";

import { isProperties, type Properties, reveal, type Value } from "../protocol/values";

/** An image to build, with the official defaults; every value known. */
export interface ImageSpec {
  readonly imageName: string;
  readonly skipPush: boolean;
  readonly buildOnPreview: boolean;
  readonly registry: { readonly server: string; readonly username: string; readonly password: string };
  readonly build: BuildSpec;
}

export interface BuildSpec {
  /** Folder, relative to the Pulumi project or absolute. */
  readonly context: string;
  /** File, relative to the Pulumi project (not to the context) or absolute. */
  readonly dockerfile: string;
  readonly platform: string;
  readonly target: string;
  readonly network: string;
  readonly builderVersion: string;
  readonly args: Readonly<Record<string, string>>;
  readonly addHosts: readonly string[];
  readonly cacheFrom: readonly string[];
}

/** Platform that is built when none is asked for: Linux on this machine's architecture. */
export function hostPlatform(): string {
  return `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
}

/** The checked inputs as what is to be built. They must hold no unknowns. */
export function imageSpec(checked: Properties): ImageSpec {
  const inputs = reveal(checked);
  const registry = isProperties(inputs.registry) ? inputs.registry : {};
  return {
    imageName: textOf(inputs.imageName),
    skipPush: inputs.skipPush === true,
    buildOnPreview: inputs.buildOnPreview === true,
    registry: {
      server: textOf(registry.server),
      username: textOf(registry.username),
      password: textOf(registry.password),
    },
    build: buildSpec(isProperties(inputs.build) ? inputs.build : {}),
  };
}

/** The `build` argument with the official defaults. */
export function buildSpec(build: Properties): BuildSpec {
  const context = textOf(build.context) || ".";
  const args = isProperties(build.args) ? build.args : {};
  const cacheFrom = isProperties(build.cacheFrom) ? build.cacheFrom.images : undefined;
  return {
    context,
    dockerfile: textOf(build.dockerfile) || path.join(context, "Dockerfile"),
    platform: textOf(build.platform) || hostPlatform(),
    target: textOf(build.target),
    network: textOf(build.network),
    builderVersion: textOf(build.builderVersion),
    args: Object.fromEntries(Object.entries(args).map(([key, value]) => [key, textOf(value)])),
    addHosts: textsOf(build.addHosts),
    cacheFrom: textsOf(cacheFrom),
  };
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.filter((element) => typeof element === "string") : [];
}
