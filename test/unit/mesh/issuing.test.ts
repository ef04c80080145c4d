import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { identityOf } from "../../../mesh";
import {
  issuingPolicyData,
  parseIssuingPolicy,
  serialAt,
  serialsUntil,
  type IssuingPolicy,
} from "../../../mesh/issuing";

const HOUR = 3_600_000;
const IDENTITY = identityOf("admin-ui", "ops");
const hours = fc.integer({ min: 1, max: 90 * 24 });
const instant = fc.integer({ min: Date.parse("2026-01-01"), max: Date.parse("2040-01-01") });

describe("serial numbers of issued certificates", () => {
  it("are known to who revokes, whenever the certificate was made that has not run out", () => {
    fc.assert(
      fc.property(hours, instant, fc.double({ min: 0, max: 1, noNaN: true }), (life, revoked, share) => {
        const made = revoked - Math.floor(share * life * HOUR);
        assert.ok(serialsUntil(IDENTITY, life, revoked).includes(serialAt(IDENTITY, life, made)));
      }),
    );
  });

  it("are known as well of those that are made while an update is spread", () => {
    for (const life of [1, 24, 2160]) {
      const now = Date.parse("2026-11-22T10:00:00Z");
      assert.ok(serialsUntil(IDENTITY, life, now).includes(serialAt(IDENTITY, life, now + 59 * 60_000)));
    }
  });

  it("are an identity's own, and another each time as long as there are any", () => {
    const now = Date.parse("2026-11-22T10:00:00Z");
    const used: string[] = [];
    for (let count = 0; count < 4; count += 1) used.push(serialAt(IDENTITY, 24, now, used));
    assert.equal(new Set(used).size, 4);
    assert.ok(used.includes(serialAt(IDENTITY, 24, now, used)), "then they come again rather than none");
    for (const serial of used) assert.match(serial, /^[4-7][0-9a-f]{31}$/);
    const others = [identityOf("admin-ui", "wallet"), identityOf("jaeger", "ops")].map((other) =>
      serialAt(other, 24, now),
    );
    assert.ok(others.every((serial) => !used.includes(serial)));
    assert.notEqual(serialAt(IDENTITY, 24, now + 2 * HOUR), used[0]);
  });

  it("are never revoked ones, and none where all of their time are", () => {
    const now = Date.parse("2026-11-22T10:20:00Z");
    const revoked: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const serial = serialAt(IDENTITY, 24, now, revoked.slice(0, 1), revoked);
      assert.ok(!revoked.includes(serial));
      assert.equal(serialAt(IDENTITY, 24, now, [serial, ...serialsUntil(IDENTITY, 24, now)], revoked), serial);
      revoked.push(serial);
    }
    assert.throws(
      () => serialAt(IDENTITY, 24, now, [], revoked),
      /admin-ui may be given now is revoked; there are others in 40 min/,
    );
    assert.ok(!revoked.includes(serialAt(IDENTITY, 24, now + HOUR, [], revoked)));
  });

  it("of a revoked service stay few, however long its certificates live", () => {
    for (let life = 1; life <= 2160; life += 7) {
      const serials = serialsUntil(IDENTITY, life, Date.parse("2026-11-22T10:00:00Z"));
      assert.ok(serials.length <= 300, `${life} hours: ${serials.length}`);
      assert.equal(new Set(serials).size, serials.length);
    }
  });
});

describe("the policy of an issuer", () => {
  const policy: IssuingPolicy = {
    services: ["admin-ui", "jaeger"],
    validityHours: 24,
    algorithm: "ECDSA",
    revoked: ["4f", "5a"],
  };

  it("is read as it was written, a name a line", () => {
    const data = issuingPolicyData(policy);
    assert.equal(data.services, "admin-ui\njaeger");
    assert.deepEqual(parseIssuingPolicy(data), policy);
    const north = { ...policy, datacenter: "north" };
    assert.equal(issuingPolicyData(north).datacenter, "north");
    assert.deepEqual(parseIssuingPolicy(issuingPolicyData(north)), north);
    const none = { ...policy, services: [], revoked: [] };
    assert.deepEqual(parseIssuingPolicy(issuingPolicyData(none)), none);
  });

  it("is refused where it is malformed, or lets certificates live too long", () => {
    const data = issuingPolicyData(policy);
    const changes: readonly Readonly<Record<string, string | undefined>>[] = [
      { services: undefined },
      { services: "Admin_UI" },
      { services: "admin-ui,jaeger" },
      { datacenter: "" },
      { datacenter: "North" },
      { datacenter: "north.south" },
      { validityHours: "0" },
      { validityHours: "2161" },
      { validityHours: "24.5" },
      { validityHours: "" },
      { algorithm: "DSA" },
      { revoked: "04f" },
      { revoked: "4G" },
    ];
    for (const change of changes)
      assert.throws(() => parseIssuingPolicy({ ...data, ...change }), JSON.stringify(change));
  });
});
