import assert from "node:assert/strict";
import {
  leafRevision,
  revocationProblems,
  withdrawals,
  type RevokedCertificate,
} from "../../../../components/identity/revocations";
import { FIRST_GENERATIONS } from "../../../../components/identity/generations";
import { parseSettings } from "../../../../components/stack/settings";
import { everyProtocol } from "../../envoy/fixture";

const REQUIRED = { apiServerCidr: "10.0.0.1/32", nodeResolverIp: "10.96.0.53", consulIp: "10.96.0.54" };
const ENTRY = { zone: "ops", service: "console", serial: "0x0F:1E:2d", reason: "keyCompromise", date: "2026-11-21" };
const parse = (list: unknown): readonly RevokedCertificate[] =>
  parseSettings({ ...REQUIRED, revokedCertificates: typeof list === "string" ? list : JSON.stringify(list) })
    .revokedCertificates ?? [];

describe("revoked certificates", () => {
  it("are read with their serial number in any spelling", () => {
    for (const serial of ["f1e2d", "0F1E2D", "0x0f1e2d", "0F:1E:2D", "00:0f:1e:2d"]) {
      assert.equal(parse([{ ...ENTRY, serial }])[0]?.serial, "f1e2d", serial);
    }
    const [entry] = parse([{ ...ENTRY, reason: undefined, date: "2026-11-21T05:30:00Z" }]);
    assert.equal(entry?.reason, "unspecified");
    assert.equal(entry.date.toISOString(), "2026-11-21T05:30:00.000Z");
  });

  const refused: readonly [title: string, list: unknown, message: RegExp][] = [
    ["no list", "{}", /revokedCertificates: .*no JSON list/],
    ["no serial number", [{ ...ENTRY, serial: undefined }], /0\.serial is missing/],
    ["a serial number that is none", [{ ...ENTRY, serial: "CN=console" }], /0\.serial is no serial number/],
    ["a fingerprint", [{ ...ENTRY, serial: "ab".repeat(32) }], /0\.serial is no serial number/],
    ["serial number zero", [{ ...ENTRY, serial: "00" }], /0\.serial is zero/],
    ["an unknown reason", [{ ...ENTRY, reason: "stolen" }], /0\.reason is none of .*keyCompromise/],
    ["an unknown zone", [{ ...ENTRY, zone: "opps" }], /0\.zone is no zone/],
    ["no date", [{ ...ENTRY, date: "yesterday" }], /0\.date is no date/],
    ["a day that doesn't exist", [{ ...ENTRY, date: "2026-13-41" }], /0\.date is no day/],
    ["the same twice", [ENTRY, { ...ENTRY, serial: "f1e2d" }], /1 revokes f1e2d of zone ops twice/],
    ["an unknown key", [{ ...ENTRY, until: "2027-01-01" }], /revokedCertificates: 0 has an unknown key: until/],
  ];
  for (const [title, list, message] of refused) {
    it(`refuse ${title}`, () => {
      assert.throws(() => parse(list), message);
    });
  }

  it("belong to a declared service of their zone", () => {
    assert.deepEqual(revocationProblems(everyProtocol, parse([ENTRY])), []);
    const [unknown = ""] = revocationProblems(everyProtocol, parse([{ ...ENTRY, service: "consle" }]));
    assert.match(unknown, /'consle', which the document doesn't declare/);
    const [elsewhere = ""] = revocationProblems(everyProtocol, parse([{ ...ENTRY, zone: "wallet" }]));
    assert.match(elsewhere, /'console' of zone wallet, but that service is in zone ops/);
  });

  it("give their service another key and certificate, and no other service", () => {
    const one = parse([ENTRY]);
    const two = parse([ENTRY, { ...ENTRY, serial: "17" }]);
    const swapped = parse([{ ...ENTRY, serial: "17" }, ENTRY]);
    assert.equal(leafRevision("blocks", one), undefined);
    assert.match(leafRevision("console", one) ?? "", /^[0-9a-f]{8}$/);
    assert.notEqual(leafRevision("console", one), leafRevision("console", two));
    assert.equal(leafRevision("console", two), leafRevision("console", swapped));
  });

  it("revoked services and lost authorities are what peers have to prove themselves anew for", () => {
    const lost = { ...FIRST_GENERATIONS, roots: { accepted: [2], issuing: 2, compromised: [1] } };
    const others = { chain: FIRST_GENERATIONS, wallet: FIRST_GENERATIONS, mesh: FIRST_GENERATIONS };
    const services = [
      { name: "console", zone: "ops" },
      { name: "router", zone: "wallet", revoked: "its key was lost" },
    ] as const;
    assert.deepEqual(withdrawals(parse([ENTRY]), { ...others, ops: lost, edge: FIRST_GENERATIONS }, services), [
      { zone: "ops", service: "console", what: "f1e2d" },
      { zone: "wallet", service: "router", what: "service" },
      { zone: "ops", what: "root 1" },
    ]);
  });
});
