import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";
import { MESH_VERSION } from "./versions";

/** An image that pods name, and what they wait for. */
export interface PushedImage {
  /** The image as pods name it. Plain, so that it is known at preview. */
  readonly reference: string;
  /** Known once the image is in its registry. */
  readonly pushed: pulumi.Output<string>;
  /** What is there once the image is in its registry; nothing where another stack has pushed it. */
  readonly resources: readonly pulumi.Resource[];
}

export interface ServiceImageArgs {
  /** Folder below `services/`; also the last part of the image's name where `imageName` isn't given. */
  readonly service: string;
  readonly imageName?: string;
  /** Registry and path, without a final slash. */
  readonly registry: string;
}

/**
 * An image of one of the mesh's own services, built from `services/<service>` and pushed.
 *
 * Its tag carries a digest of what the image is made of, so that a changed service rolls its pods, and an unchanged one does not.
 */
export class ServiceImage extends pulumi.ComponentResource implements PushedImage {
  readonly reference: string;
  readonly pushed: pulumi.Output<string>;
  readonly resources: readonly pulumi.Resource[] = [this];

  /** @throws RunError when the service's bundle was not built. */
  constructor(name: string, args: ServiceImageArgs, opts?: pulumi.ComponentResourceOptions) {
    const context = contextOf(args);
    const reference = imageReference(args);
    super("lucid:mesh:ServiceImage", name, { reference }, opts);
    const image = new docker.Image(
      `${name}-image`,
      {
        imageName: reference,
        build: {
          context: relativeToProject(context),
          dockerfile: relativeToProject(path.join(context, "Dockerfile")),
          platform: "linux/amd64",
        },
      },
      { parent: this },
    );
    this.reference = reference;
    this.pushed = image.id;
    this.registerOutputs({ reference });
  }
}

/** An image's name and tag, wherever it is built. @throws RunError when the service's bundle was not built. */
export function imageReference(args: ServiceImageArgs): string {
  const tag = `${MESH_VERSION}-${contextDigest(contextOf(args))}`;
  return `${args.registry}/lucid/${args.imageName ?? args.service}:${tag}`;
}

/** An image that another stack builds and pushes. */
export function imageOfOthers(args: ServiceImageArgs): PushedImage {
  const reference = imageReference(args);
  return { reference, pushed: pulumi.output(reference), resources: [] };
}

function contextOf({ service }: ServiceImageArgs): string {
  return path.join(projectDirectory(), "services", service);
}

/** The project's folder: above `components/`. */
function projectDirectory(): string {
  return path.dirname(__dirname);
}

function relativeToProject(absolute: string): string {
  return `./${path.relative(process.cwd(), absolute)}`;
}

/** Digest of what goes into the image: its Dockerfile and its bundle. */
function contextDigest(context: string): string {
  const bundle = path.join(context, "dist");
  if (!existsSync(bundle)) {
    throw new pulumi.RunError(
      `services/${path.basename(context)}/dist is missing: the service's bundle has not been built. Run \`npm run build\` (or \`npm install\`, which does it).`,
    );
  }
  const hash = createHash("sha256");
  for (const file of [path.join(context, "Dockerfile"), ...filesBelow(bundle)]) {
    hash.update(path.relative(context, file)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex").slice(0, 12);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
