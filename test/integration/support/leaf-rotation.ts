/** Replaces the certificate of every service under load, again and again. */
import assert from "node:assert/strict";
import type { PodRef } from "./cluster";
import { podsOf } from "./cluster";
import { replaceLeaf, servedCertificate, writeLeaf } from "./certificates";
import { mesh, service } from "./document";
import { eventually } from "./eventually";
import { credentialsOf } from "./handshake";
import type { Load } from "./load";
import { describeLoad, startLoad } from "./load";

const RATE = 200;
/** What kubelet takes at most by its defaults to bring a changed Secret to a pod, and a margin. */
const SYNC_SECONDS = 150;
/** What a connection between sidecars lives at most, and a margin. */
const CONNECTION_AGE_SECONDS = 70;

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
  const before = await everyPod();
  const loads = await startLoads();
  try {
    for (let round = 1; round <= rounds; round++) {
      const started = Date.now();
      await rotateOnce(before, lifeMinutes);
      const seconds = ((Date.now() - started) / 1000).toFixed(0);
      console.log(`      round ${round} of ${rounds}: every sidecar serves its new certificate after ${seconds} s`);
      if (round < rounds) await until(started + intervalSeconds * 1000);
    }
    // Long enough for every connection between sidecars to have been made anew, with the new certificates.
    await until(Date.now() + CONNECTION_AGE_SECONDS * 1000);
  } finally {
    await stopLoads(loads);
    for (const [each, original] of originals) await writeLeaf(each, original);
  }
  assert.deepEqual(await everyPod(), before, "no pod was replaced");
}

async function rotateOnce(pods: readonly PodRef[], lifeMinutes: number): Promise<void> {
  const serials = new Map<string, string>();
  for (const each of mesh.services) serials.set(each.name, await replaceLeaf(each, lifeMinutes));
  for (const { pod, name } of pods.map((pod) => ({ pod, name: serviceOf(pod) }))) {
    await eventually(
      `the new certificate of ${pod.name}`,
      async () => {
        assert.equal((await servedCertificate(pod)).serialNumber.toLowerCase(), serials.get(name));
      },
      SYNC_SECONDS,
    );
  }
}

function serviceOf(pod: PodRef): string {
  const found = mesh.services.find(
    ({ name, namespace }) => namespace === pod.namespace && pod.name.startsWith(`${name}-`),
  );
  if (found === undefined) throw new Error(`${pod.name} is no pod of a service`);
  return found.name;
}

interface NamedLoad {
  readonly title: string;
  readonly load: Load;
}

async function startLoads(): Promise<NamedLoad[]> {
  const url = "http://lucid-blocks.lucid.internal/";
  const loads: NamedLoad[] = [];
  for (const [from, fresh] of [
    ["admin-ui", false],
    ["payout-router", false],
    ["admin-ui", true],
  ] as const) {
    const title = `${from} -> lucid-blocks, ${fresh ? "a connection each" : "kept alive"}`;
    loads.push({ title, load: await startLoad(service(from), { url, rate: RATE, fresh }) });
  }
  return loads;
}

async function stopLoads(loads: readonly NamedLoad[]): Promise<void> {
  const results = await Promise.all(loads.map(async ({ title, load }) => ({ title, result: await load.stop() })));
  for (const { title, result } of results) console.log(`      ${describeLoad(title, result)}`);
  for (const { title, result } of results) {
    assert.equal(result.failed, 0, `${title}: failed requests`);
    assert.ok(result.requests > RATE * 0.9 * result.seconds, `${title} reached its rate`);
  }
}

async function everyPod(): Promise<PodRef[]> {
  const pods = await Promise.all(mesh.services.map((each) => podsOf(each)));
  return pods.flat().sort((a, b) => a.name.localeCompare(b.name));
}

function until(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));
}
