/** Replaces the certificate of every service under load, again and again. */
import assert from "node:assert/strict";
import { podGenerations } from "./cluster";
import { connectionsMadeAnew, replaceLeaf, servedAsStored, writeLeaf } from "./certificates";
import { mesh } from "./document";
import { credentialsOf } from "./handshake";
import { underLoad } from "./load";

export interface LeafRotation {
  readonly rounds: number;
  /** From the beginning of a round to that of the next. */
  readonly intervalSeconds: number;
  /** Life of each certificate. */
  readonly lifeMinutes: number;
}

/**
 * Runs the rounds under three loads of 200 requests a second each, and puts the deployed certificates back.
 *
 * @throws AssertionError where a request failed, a sidecar does not serve its new certificate in time, or a pod was replaced or restarted
 */
export async function rotateLeavesUnderLoad({ rounds, intervalSeconds, lifeMinutes }: LeafRotation): Promise<void> {
  const originals = await Promise.all(mesh.services.map(async (each) => [each, await credentialsOf(each)] as const));
  const before = await podGenerations(mesh.services);
  try {
    await underLoad(async () => {
      for (let round = 1; round <= rounds; round++) {
        const started = Date.now();
        await rotateOnce(lifeMinutes);
        const seconds = ((Date.now() - started) / 1000).toFixed(0);
        console.log(`      round ${round} of ${rounds}: every sidecar serves its new certificate after ${seconds} s`);
        if (round < rounds) await until(started + intervalSeconds * 1000);
      }
      await connectionsMadeAnew();
    });
  } finally {
    for (const [each, original] of originals) await writeLeaf(each, original);
  }
  assert.deepEqual(await podGenerations(mesh.services), before, "no pod was replaced or restarted");
}

async function rotateOnce(lifeMinutes: number): Promise<void> {
  for (const each of mesh.services) await replaceLeaf(each, lifeMinutes);
  for (const each of mesh.services) await servedAsStored(each);
}

function until(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));
}
