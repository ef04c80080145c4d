import type { ImageArgs, types } from "@pulumi/docker";
import { existsSync, statSync } from "node:fs";
import * as path from "node:path";

import { checkFields, type Fields, type FieldsOf } from "../protocol/fields";
import type { CheckFailure } from "../protocol/provider";
import { isProperties, isUnknown, type Properties, reveal } from "../protocol/values";
import { isQualified } from "./image-name";
import { buildSpec } from "./spec";

const CACHE: FieldsOf<types.input.CacheFrom> = { images: { type: "strings" } };
const REGISTRY: FieldsOf<types.input.Registry> = {
  password: { type: "string" },
  server: { type: "string" },
  username: { type: "string" },
};
const BUILD: FieldsOf<types.input.DockerBuild> = {
  addHosts: { type: "strings" },
  args: { type: "map" },
  builderVersion: { type: "string", oneOf: ["BuilderV1", "BuilderBuildKit"] },
  cacheFrom: { type: CACHE },
  context: { type: "string" },
  dockerfile: { type: "string" },
  network: { type: "string" },
  platform: { type: "string" },
  target: { type: "string" },
};
/** Not an argument, but among the stored inputs, which come back to the check where changes of `build` are ignored. */
const STORED: Fields = { contextDigest: { type: "string" } };
const IMAGE: FieldsOf<ImageArgs> = {
  build: { type: { ...BUILD, ...STORED } },
  buildOnPreview: { type: "boolean" },
  imageName: { type: "string", required: true },
  registry: { type: REGISTRY },
  skipPush: { type: "boolean" },
};

/** Everything that is wrong with the inputs; unknown parts are left for the deployment. */
export function checkInputs(news: Properties): CheckFailure[] {
  const failures = checkFields(IMAGE, news);
  const inputs = reveal(news);
  return failures.length > 0 ? failures : [...nameFailures(inputs), ...fileFailures(inputs)];
}

/** An image that is pushed must say where to: the official provider takes no short names then. */
function nameFailures(inputs: Properties): CheckFailure[] {
  const name = inputs.imageName;
  const build = isProperties(inputs.build) ? inputs.build : {};
  const cached = isProperties(build.cacheFrom) && Array.isArray(build.cacheFrom.images) ? build.cacheFrom.images : [];
  const names = [
    ...(inputs.skipPush === true && cached.length === 0 ? [] : [["imageName", name] as const]),
    ...cached.map((image) => ["build.cacheFrom.images", image] as const),
  ];
  return names.flatMap(([property, image]) =>
    typeof image !== "string" || isQualified(image)
      ? []
      : [{ property, reason: `"${image}" must name its registry, such as docker.io/library/${image}` }],
  );
}

function fileFailures(inputs: Properties): CheckFailure[] {
  const build = isProperties(inputs.build) ? inputs.build : {};
  if (isUnknown(inputs.build) || isUnknown(build.context) || isUnknown(build.dockerfile)) {
    return [];
  }
  const { context, dockerfile } = buildSpec(build);
  if (!existsSync(context) || !statSync(context).isDirectory()) {
    return [{ property: "build.context", reason: `the build context ${context} is no folder` }];
  }
  if (existsSync(dockerfile)) {
    return [];
  }
  const inContext = path.join(context, dockerfile);
  const hint =
    !path.isAbsolute(dockerfile) && existsSync(inContext) ? `; try setting "dockerfile" to ${inContext}` : "";
  return [{ property: "build.dockerfile", reason: `the Dockerfile ${dockerfile} isn't there${hint}` }];
}
