import assert from "node:assert/strict";
import { KnownCatalogue } from "../src/known.js";
import { entryOf, type CatalogueEntry } from "../src/registration.js";

function entry(pod: string, ready = true): CatalogueEntry {
  return entryOf({ zone: "ops", pod, uid: "u", service: "s", address: "10.244.0.1", version: "", ready });
}

const node = "lucid-ops-a";
const done = (): Promise<void> => Promise.resolve();

describe("controller: what is known of the catalogue", () => {
  it("concludes nothing before the first snapshot", () => {
    const known = new KnownCatalogue();
    assert.equal(known.loaded, false);
    known.observe([], known.beginRead());
    assert.equal(known.loaded, true);
  });

  it("a snapshot replaces what was known", async () => {
    const known = new KnownCatalogue();
    await known.writing(node, entry("a"), done);
    known.observe([entry("b")], known.beginRead());
    assert.equal(known.get(node), undefined);
    assert.deepEqual([...known.all().keys()], ["lucid-ops-b"]);
  });

  it("a registration during a snapshot is not forgotten", async () => {
    const known = new KnownCatalogue();
    const begun = known.beginRead();
    await known.writing(node, entry("a"), done);
    known.observe([], begun);
    assert.deepEqual(known.get(node), entry("a"));
  });

  it("a deregistration during a snapshot is not undone", async () => {
    const known = new KnownCatalogue();
    known.observe([entry("a")], known.beginRead());
    const begun = known.beginRead();
    await known.writing(node, undefined, done);
    known.observe([entry("a")], begun);
    assert.equal(known.get(node), undefined);
  });

  it("a write that began before the snapshot and ends after it counts", async () => {
    const known = new KnownCatalogue();
    let finish = (): void => undefined;
    const write = known.writing(node, entry("a", false), () => new Promise((resolve) => (finish = resolve)));
    const begun = known.beginRead();
    known.observe([entry("a", true)], begun);
    assert.equal(known.get(node), "unknown");
    finish();
    await write;
    assert.deepEqual(known.get(node), entry("a", false));
  });

  it("a failed write leaves the node unknown until the next snapshot", async () => {
    const known = new KnownCatalogue();
    await assert.rejects(known.writing(node, entry("a"), () => Promise.reject(new Error("time-out"))));
    assert.equal(known.get(node), "unknown");
    known.observe([entry("a")], known.beginRead());
    assert.deepEqual(known.get(node), entry("a"));
  });
});
