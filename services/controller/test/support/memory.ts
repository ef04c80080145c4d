import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Program } from "./program.js";

/** What a program takes, in MiB. */
export interface Memory {
  readonly heap: number;
  readonly resident: number;
}

const IMAGE = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8");

/** The option by which the image bounds the controller's heap. */
export const CONTROLLER_HEAP = optionOf(/^ENTRYPOINT .*"(--max-old-space-size=\d+)"/m);
/** The option by which it bounds the heap of its other programs. */
export const OTHER_HEAP = optionOf(/^ENV NODE_OPTIONS=(--max-old-space-size=\d+)$/m);

/** What a program tells of itself. */
export async function memoryOf(program: Program): Promise<Memory> {
  const { text } = await program.get("/metrics");
  const value = (metric: string): number => {
    const [, bytes] = new RegExp(`^${metric} (\\S+)$`, "m").exec(text) ?? [];
    assert.ok(bytes !== undefined, `no ${metric}`);
    return Number(bytes) / 2 ** 20;
  };
  return { heap: value("nodejs_heap_size_used_bytes"), resident: value("process_resident_memory_bytes") };
}

export function mebibytes(value: number): string {
  return `${value.toFixed(0)} MiB`;
}

function optionOf(pattern: RegExp): string {
  return pattern.exec(IMAGE)?.[1] ?? assert.fail(`the image's Dockerfile has no ${String(pattern)}`);
}
