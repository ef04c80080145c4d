import { present } from "../protocol/provider";
import type { Properties } from "../protocol/values";
import { packContext, relativeDockerfile } from "./archive";
import { authHeader, type EngineAuth, pushAuth, readDockerConfig } from "./credentials";
import type { Engine, ImageInspection } from "./engine";
import { familiarRepository, splitTag } from "./image-name";
import type { BuildSpec, ImageSpec } from "./spec";
import { Progress } from "./messages";
import type { RegistryCredentials } from "./settings";

/** What building takes. */
export interface Builder {
  readonly engine: Engine;
  readonly registryAuth: readonly RegistryCredentials[];
}

/** A built image. */
export interface BuiltImage {
  /** Digest of the pushed manifest with its repository, or the image's id where it was not pushed. */
  readonly repoDigest: string;
  readonly platform: string;
}

/**
 * Builds an image and pushes it.
 * @param push whether it is pushed, where the resource doesn't say otherwise
 * @throws Error that says what failed, with the engine's reason and the last lines of the build's output
 */
export async function buildImage(
  { engine, registryAuth }: Builder,
  image: ImageSpec,
  push: boolean,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const logins = readDockerConfig(process.env);
  const auth = pushAuth(image, registryAuth, logins);
  const building = `building the image ${image.imageName}`;
  await during(building, async () => {
    const enginePlatform = await engine.platform(signal);
    const archive = packContext(image.build.context, image.build.dockerfile);
    const progress = new Progress();
    const query = buildQuery(image, archive.dockerfile, enginePlatform);
    await engine.stream(
      {
        path: `/build?${query.toString()}`,
        headers: {
          "Content-Type": "application/x-tar",
          "X-Registry-Config": authHeader(
            Object.fromEntries(
              [...logins, auth].map((login): [string, EngineAuth] => [login.serveraddress ?? "", login]),
            ),
          ),
        },
        body: archive.stream,
        signal,
      },
      (message) => {
        progress.take(message);
      },
    );
    progress.check(building);
  });

  let digest: string | undefined;
  if (push && !image.skipPush) {
    digest = await pushImage(engine, image.imageName, auth, signal);
  }
  const inspection = await engine.inspect(image.imageName, signal);
  return {
    repoDigest:
      digest === undefined ? localDigest(image, push, inspection) : `${familiarRepository(image.imageName)}@${digest}`,
    platform: `${inspection.Os}/${inspection.Architecture}`,
  };
}

async function pushImage(
  engine: Engine,
  imageName: string,
  auth: EngineAuth,
  signal: AbortSignal,
): Promise<string | undefined> {
  const pushing = `pushing the image ${imageName}`;
  const { repository, tag } = splitTag(imageName);
  return await during(pushing, async () => {
    const progress = new Progress();
    await engine.stream(
      {
        path: `/images/${repository}/push?${new URLSearchParams({ tag }).toString()}`,
        headers: { "X-Registry-Auth": authHeader(auth) },
        signal,
      },
      (message) => {
        progress.take(message);
      },
    );
    progress.check(pushing);
    return progress.digest;
  });
}

/** Puts what was being done before an error that doesn't say it. */
async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw reason.startsWith(what) ? error : new Error(`${what} failed: ${reason}`, { cause: error });
  }
}

/** An engine that tells no digest of its push has it among the image's; one that was not pushed goes by its id. */
function localDigest(image: ImageSpec, pushed: boolean, inspection: ImageInspection): string {
  const own = `${familiarRepository(image.imageName)}@`;
  const known = pushed && !image.skipPush ? inspection.RepoDigests.find((digest) => digest.startsWith(own)) : undefined;
  return known ?? inspection.Id;
}

/**
 * The parameters of a build. The classic builder (version 1) is asked for: BuildKit wants a session over a hijacked connection.
 * The platform is named only where it isn't the engine's own: the classic builder of an engine without experimental features may
 * refuse it.
 */
export function buildQuery(image: ImageSpec, dockerfile: string, enginePlatform: string): URLSearchParams {
  const { build } = image;
  const query = new URLSearchParams({ version: "1", t: image.imageName, dockerfile, rm: "1", forcerm: "1" });
  const set = (name: string, value: string): void => {
    if (value !== "") {
      query.set(name, value);
    }
  };
  set("platform", build.platform === enginePlatform ? "" : build.platform);
  set("target", build.target);
  set("networkmode", build.network);
  set("extrahosts", build.addHosts.join(","));
  set("buildargs", Object.keys(build.args).length === 0 ? "" : JSON.stringify(build.args));
  set("cachefrom", build.cacheFrom.length === 0 ? "" : JSON.stringify(build.cacheFrom));
  return query;
}

/** Outputs that follow from the inputs alone. */
export function certainOutputs(
  image: Pick<ImageSpec, "imageName" | "registry"> & { readonly build: BuildSpec },
): Properties {
  return present({
    baseImageName: image.imageName,
    imageName: image.imageName,
    registryServer: image.registry.server,
    context: image.build.context,
    dockerfile: relativeDockerfile(image.build.context, image.build.dockerfile),
  });
}
