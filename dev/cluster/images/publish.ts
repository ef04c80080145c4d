import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

import { run } from "../commands";
import { hasCode } from "../errors";
import { imageName, type ImageSpec } from "./catalogue";
import type { Blob, RegistryClient } from "./registry-client";
import { layOut, type ProgramPath } from "./rootfs";

const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar";
const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Raised when the same specification shall give another image. */
const format = 1;

/** What {@link publish} did. */
export interface Published {
  readonly image: string;
  readonly pushed: boolean;
}

/**
 * Brings an image into the registry, unless the one that is there was made of the same files and specification.
 *
 * @param directory where it may keep notes and temporary files; beside the registry's store
 */
export async function publish(
  image: ImageSpec,
  programPath: ProgramPath,
  registry: RegistryClient,
  directory: string,
): Promise<Published> {
  const name = imageName(image);
  const note = path.join(directory, `${name.replaceAll(/[/:]/g, "_")}.json`);
  const key = keyOf(image, programPath);
  const known = readNote(note);
  if (known?.key === key && (await registry.digest(image.repository, image.tag)) === known.digest) {
    return { image: name, pushed: false };
  }
  fs.mkdirSync(directory, { recursive: true });
  const work = fs.mkdtempSync(path.join(directory, "build-"));
  try {
    const root = path.join(work, "root");
    await layOut(image, programPath, root);
    const layer = path.join(work, "layer.tar");
    // The same files give the same bytes: sorted, without times. Not compressed: it never leaves this machine.
    await run("/usr/bin/tar", [
      "--format=gnu",
      "--sort=name",
      "--mtime=@0",
      "--numeric-owner",
      "-C",
      root,
      "-cf",
      layer,
      ".",
    ]);
    const layerBlob: Blob = {
      mediaType: layerType,
      digest: await digestOfFile(layer),
      size: fs.statSync(layer).size,
      content: { file: layer },
    };
    const config = textBlob(configType, configOf(image, layerBlob.digest));
    const manifest = textBlob(manifestType, {
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor(config),
      layers: [descriptor(layerBlob)],
    });
    await registry.push(image.repository, image.tag, [layerBlob, config], manifest);
    fs.writeFileSync(note, JSON.stringify({ key, digest: manifest.digest }));
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
  return { image: name, pushed: true };
}

/** Changes when the specification or one of the programs does. */
export function keyOf(image: ImageSpec, programPath: ProgramPath): string {
  const sources = [
    ...image.files.map((file) => programPath(file.program)),
    ...(image.shell ? [programPath("busybox")] : []),
    ...(image.copies ?? []).map(({ directory }) => directory),
  ].map((file) => {
    const { size, mtimeMs } = fs.statSync(file);
    return [fs.realpathSync(file), size, mtimeMs];
  });
  return createHash("sha256")
    .update(JSON.stringify([format, image, sources]))
    .digest("hex");
}

/** Configuration of the image as OCI defines it. */
export function configOf(image: ImageSpec, layerDigest: string): object {
  return {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      ...(image.entrypoint === undefined ? {} : { Entrypoint: image.entrypoint }),
      ...(image.command === undefined ? {} : { Cmd: image.command }),
      ...(image.user === undefined ? {} : { User: image.user }),
      WorkingDir: image.workingDirectory ?? "/",
    },
    rootfs: { type: "layers", diff_ids: [layerDigest] },
    history: [{ created_by: "lucid-mesh embedded cluster" }],
  };
}

function textBlob(mediaType: string, value: object): Blob {
  const text = JSON.stringify(value);
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  return { mediaType, digest, size: Buffer.byteLength(text), content: { text } };
}

function descriptor(blob: Blob): object {
  return { mediaType: blob.mediaType, digest: blob.digest, size: blob.size };
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
  }
  return `sha256:${hash.digest("hex")}`;
}

function readNote(file: string): { key?: unknown; digest?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch (error) {
    if (hasCode(error, "ENOENT") || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}
