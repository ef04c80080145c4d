import { diffInputs } from "../protocol/diff";
import type {
  CheckRequest,
  CheckResult,
  DiffRequest,
  DiffResult,
  OperationContext,
  ResourceImplementation,
} from "../protocol/provider";
import {
  containsUnknowns,
  isProperties,
  isUnknown,
  type Properties,
  reveal,
  Secret,
  UNKNOWN,
  type Value,
} from "../protocol/values";
import { type Builder, buildImage, certainOutputs } from "./build";
import { contextDigest } from "./digest";
import { checkInputs } from "./inputs";
import { buildSpec, hostPlatform, imageSpec } from "./spec";

/** `docker.Image`: built and pushed at each change of its inputs, its context included; nothing is ever deleted. */
export function imageResource(builder: () => Builder): ResourceImplementation {
  return {
    check: (request) => Promise.resolve(check(request)),
    diff: (request) => Promise.resolve(diff(request)),
    create: async ({ inputs, context }) => ({
      id: reveal(inputs.imageName ?? "") as string,
      outputs: await outputs(builder, inputs, context),
    }),
    update: async ({ news, context }) => await outputs(builder, news, context),
  };
}

/** Adds the context's digest and the platform to the inputs: their change is what makes a new build necessary. */
export function check({ news, context }: CheckRequest): CheckResult {
  const failures = checkInputs(news);
  if (failures.length > 0) {
    return { inputs: news, failures };
  }
  const given = news.build instanceof Secret ? news.build.value : news.build;
  if (isUnknown(given)) {
    return { inputs: news, failures };
  }
  const build = isProperties(given) ? given : {};
  if (build.platform === undefined || build.platform === null) {
    context.log(
      "info",
      `Building your image for ${hostPlatform()} architecture.\nTo ensure you are building for the correct platform, ` +
        "consider explicitly setting the `platform` field on ImageBuildOptions.",
    );
  }
  const checked: Properties = {
    ...build,
    platform: build.platform ?? hostPlatform(),
    contextDigest: digestOf(build),
  };
  return { inputs: { ...news, build: news.build instanceof Secret ? new Secret(checked) : checked }, failures };
}

function digestOf(build: Properties): Value {
  if (isUnknown(build.context) || isUnknown(build.dockerfile)) {
    return UNKNOWN;
  }
  const { context, dockerfile } = buildSpec(reveal(build));
  return contextDigest(context, dockerfile);
}

/** Every change is an update in place; credentials change often and change no image. */
export function diff({ oldInputs, news }: DiffRequest): DiffResult {
  const { detailedDiff = {} } = diffInputs(oldInputs, news, { replaceOn: [] });
  const counted = Object.entries(detailedDiff).filter(
    ([path]) => path !== "registry.username" && path !== "registry.password",
  );
  return { detailedDiff: Object.fromEntries(counted) };
}

async function outputs(builder: () => Builder, inputs: Properties, context: OperationContext): Promise<Properties> {
  const clear = reveal(inputs);
  if (context.preview && (clear.buildOnPreview !== true || containsUnknowns(clear))) {
    if (clear.buildOnPreview === true) {
      throw new Error(
        'the image can\'t be built at preview: some of its inputs are known only after the deployment; set "buildOnPreview" to false',
      );
    }
    return previewOutputs(clear);
  }
  const image = imageSpec(inputs);
  if (image.build.builderVersion === "BuilderBuildKit") {
    context.log("warning", "this stand-in of the Docker plugin builds with the classic builder, not with BuildKit");
  }
  const built = await buildImage(builder(), image, !context.preview, context.signal);
  const isPushPending = context.preview && !image.skipPush;
  return {
    ...certainOutputs(image),
    platform: built.platform,
    repoDigest: isPushPending ? UNKNOWN : built.repoDigest,
    // Where the official provider keeps the inputs that it compares with at the next run.
    __inputs: new Secret(clear),
  };
}

/** What is known before anything is built. */
function previewOutputs(inputs: Properties): Properties {
  const certain = certainOutputs(imageSpec(inputs));
  const build = isProperties(inputs.build) ? inputs.build : {};
  const registry = isProperties(inputs.registry) ? inputs.registry : {};
  const isFilesUnknown = isUnknown(inputs.build) || isUnknown(build.context) || isUnknown(build.dockerfile);
  return {
    ...certain,
    ...(isUnknown(inputs.imageName) ? { imageName: UNKNOWN, baseImageName: UNKNOWN } : {}),
    ...(isUnknown(inputs.registry) || isUnknown(registry.server) ? { registryServer: UNKNOWN } : {}),
    ...(isFilesUnknown ? { context: UNKNOWN, dockerfile: UNKNOWN } : {}),
    platform: UNKNOWN,
    repoDigest: UNKNOWN,
  };
}
