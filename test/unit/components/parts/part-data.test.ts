import assert from "node:assert/strict";
import { parsePartData, type PartData } from "../../../../components";
import { trustInNobody } from "../../../../components/identity/nobody";
import { tells } from "./told";

const SOURCE = "stack organization/lucid-mesh/prod-ops";

describe("what a part's stack tells the others", () => {
  let told: PartData;
  before(async () => {
    told = await tells("ops");
  });
  const parse = (value: unknown) => parsePartData(value, "ops", SOURCE);
  const trusting = (trust: Partial<PartData["trust"]>) => ({ ...told, trust: { ...told.trust, ...trust } });

  it("is read as it is told, through JSON", () => {
    assert.deepEqual(parse(JSON.parse(JSON.stringify(told))), told);
  });

  it("may hold several roots, while they are exchanged", async () => {
    const other = await tells("ops");
    const both = trusting({
      rootsPem: told.trust.rootsPem + other.trust.rootsPem,
      revocationsPem: told.trust.revocationsPem + other.trust.revocationsPem,
    });
    assert.deepEqual(parse(both), both);
  });

  it("is refused in another format, with the mend", () => {
    assert.throws(() => parse({ ...told, format: 2 }), {
      message: `${SOURCE}: part ops tells in format 2, and this package reads 1; deploy all parts by one release of the package`,
    });
  });

  it("is refused where another part's stack tells it", async () => {
    const wallet = await tells("wallet");
    assert.throws(
      () => parse(wallet),
      /is that of part wallet, not of part ops; name the right one by lucid-mesh:partStacks/,
    );
  });

  it("is refused with roots of another zone", async () => {
    const wallet = await tells("wallet");
    assert.throws(
      () => parse(trusting({ rootsPem: told.trust.rootsPem + wallet.trust.rootsPem })),
      /part\.trust\.rootsPem: has what is no root of zone ops/,
    );
    assert.throws(
      () => parse(trusting({ revocationsPem: wallet.trust.revocationsPem })),
      /part\.trust\.revocationsPem: has a list of no issuing authority of zone ops/,
    );
  });

  it("is refused with a root that nobody signed, and with none", () => {
    assert.throws(() => parse(trusting({ rootsPem: trustInNobody("ops").rootsPem })), /no root of zone ops/);
    assert.throws(() => parse(trusting({ rootsPem: "" })), /rootsPem: is something else than PEM/);
  });

  it("is refused with a key in it, which no message prints", () => {
    const key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
    assert.throws(
      () => parse(trusting({ rootsPem: told.trust.rootsPem + key })),
      (error: Error) =>
        /rootsPem: is something else than PEM/.test(error.message) && !error.message.includes("MIGHAgEA"),
    );
  });

  it("is refused with more than it is to tell", () => {
    assert.throws(
      () => parse({ ...told, token: "x" }),
      /what part ops tells can't be used; take its stack's output 'part'/,
    );
    assert.throws(() => parse("nothing"), /can't be used/);
  });
});
