import assert from "node:assert/strict";
import { KnownRegistry } from "../src/registry/known.js";

/** What some backend holds of pods. */
const first = { address: "10.244.0.1" };
const second = { address: "10.244.0.2" };
const standing = (pod: string, entry: object = first) => new Map([[pod, entry]]);
const nothing = new Map<string, object>();
const done = (): Promise<void> => Promise.resolve();

describe("controller: what is known of the registry", () => {
  it("concludes nothing before the first snapshot", () => {
    const known = new KnownRegistry();
    assert.equal(known.loaded, false);
    known.observe(nothing, known.beginRead());
    assert.equal(known.loaded, true);
  });

  it("a snapshot replaces what was known", async () => {
    const known = new KnownRegistry();
    await known.writing("a", first, done);
    known.observe(standing("b"), known.beginRead());
    assert.equal(known.get("a"), undefined);
    assert.deepEqual([...known.pods()], ["b"]);
  });

  it("a registration during a snapshot is not forgotten", async () => {
    const known = new KnownRegistry();
    const begun = known.beginRead();
    await known.writing("a", first, done);
    known.observe(nothing, begun);
    assert.equal(known.get("a"), first);
  });

  it("a deregistration during a snapshot is not undone", async () => {
    const known = new KnownRegistry();
    known.observe(standing("a"), known.beginRead());
    const begun = known.beginRead();
    await known.writing("a", undefined, done);
    known.observe(standing("a"), begun);
    assert.equal(known.get("a"), undefined);
  });

  it("a write that began before the snapshot and ends after it counts", async () => {
    const known = new KnownRegistry();
    let finish = (): void => undefined;
    const write = known.writing("a", second, () => new Promise((resolve) => (finish = resolve)));
    const begun = known.beginRead();
    known.observe(standing("a"), begun);
    assert.equal(known.get("a"), "unknown");
    finish();
    await write;
    assert.equal(known.get("a"), second);
  });

  it("a failed write leaves the pod unknown until the next snapshot", async () => {
    const known = new KnownRegistry();
    await assert.rejects(known.writing("a", first, () => Promise.reject(new Error("time-out"))));
    assert.equal(known.get("a"), "unknown");
    known.observe(standing("a"), known.beginRead());
    assert.equal(known.get("a"), first);
  });
});
