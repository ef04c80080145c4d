import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { trustInNobody } from "../../../../components/identity/nobody";
import { revocationListsIn } from "../../../../cli/check/identity/bundles";
import { ZONES } from "../../../../mesh";
import { Authority } from "../../../integration/envoy/pki";

describe("trust in nobody", () => {
  it("is a root of a name of its own for each zone, the same each time", () => {
    const roots = ZONES.map((zone) => trustInNobody(zone).rootsPem);
    assert.equal(new Set(roots).size, ZONES.length);
    assert.deepEqual(
      roots,
      ZONES.map((zone) => trustInNobody(zone).rootsPem),
    );
    for (const [index, zone] of ZONES.entries()) {
      const root = new X509Certificate(roots[index] ?? "");
      assert.match(root.subject, new RegExp(`^CN=${zone}\\.lucid\\.internal nobody$`, "m"));
      assert.equal(root.ca, true);
      assert.equal(root.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
      assert.equal(root.verify(root.publicKey), false, "nobody has signed it");
    }
    const keys = roots.map((pem) => new X509Certificate(pem).publicKey.export({ type: "spki", format: "pem" }));
    assert.equal(new Set(keys).size, ZONES.length);
  });

  it("has a list that revokes nothing, of the root itself", () => {
    const [list, ...others] = revocationListsIn(trustInNobody("wallet").revocationsPem);
    assert.equal(others.length, 0);
    assert.equal(list?.issuer, "wallet.lucid.internal nobody");
    assert.deepEqual(list.serials, []);
  });

  it("believes no certificate of the zone's own authority", async () => {
    const { roots } = await (await Authority.create("wallet.lucid.internal")).bundle();
    const nobody = new X509Certificate(trustInNobody("wallet").rootsPem);
    assert.equal(new X509Certificate(roots).checkIssued(nobody), false);
  });
});
