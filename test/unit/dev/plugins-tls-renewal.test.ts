import assert from "node:assert/strict";

import type { Properties } from "../../../dev/plugins/protocol/values";
import { tlsProvider } from "../../../dev/plugins/tls/provider";
import { isDue } from "../../../dev/plugins/tls/validity";
import { kinds, TestedResource } from "./plugins-resource";

const HOUR_MS = 3_600_000;
const BARE: Properties = {
  privateKeyPem: "k",
  subject: { commonName: "root" },
  isCaCertificate: true,
  allowedUses: ["cert_signing"],
  validityPeriodHours: 24,
};

describe("plugins: tls, renewal", () => {
  const end = Date.now() + 3 * HOUR_MS;
  const inputs: Properties = { ...BARE, earlyRenewalHours: 2 };
  const olds: Properties = { ...inputs, validityEndTime: new Date(end).toISOString(), readyForRenewal: false };
  const certificate = new TestedResource(tlsProvider(), "tls:index/selfSignedCert:SelfSignedCert");

  it("comes in its window, to the millisecond", () => {
    const state = { validityEndTime: new Date(end).toISOString(), earlyRenewalHours: 2 };
    assert.equal(isDue(state, end - 2 * HOUR_MS - 1), false);
    assert.equal(isDue(state, end - 2 * HOUR_MS), true);
    assert.equal(isDue({ ...state, earlyRenewalHours: 0 }, end - 1), false);
    assert.equal(isDue({ ...state, earlyRenewalHours: 0 }, end), true);
  });

  it("is no change before, a replacement after, with nothing else changed", async () => {
    assert.deepEqual(kinds(await certificate.diff(olds, inputs, inputs)), {});
    const due = { ...olds, validityEndTime: new Date(end - HOUR_MS).toISOString() };
    assert.deepEqual(kinds(await certificate.diff(due, inputs, inputs)), { readyForRenewal: "update-replace" });
  });

  it("goes by the new window where that is changed, which by itself makes no new certificate", async () => {
    const later = { ...inputs, earlyRenewalHours: 1 };
    assert.deepEqual(kinds(await certificate.diff(olds, inputs, later)), { earlyRenewalHours: "update" });
    assert.equal((await certificate.update("1", olds, inputs, later)).earlyRenewalHours, 1);
    assert.deepEqual(kinds(await certificate.diff(olds, inputs, { ...inputs, earlyRenewalHours: 4 })), {
      earlyRenewalHours: "update",
      readyForRenewal: "update-replace",
    });
  });

  it("is shown by a refresh", async () => {
    assert.equal((await certificate.read("1", olds, inputs))?.outputs.readyForRenewal, false);
    const due = { ...olds, validityEndTime: new Date().toISOString() };
    assert.equal((await certificate.read("1", due, inputs))?.outputs.readyForRenewal, true);
  });

  it("is due from the start where the window is as long as the life, which a preview knows", async () => {
    assert.equal((await certificate.preview({ ...inputs, earlyRenewalHours: 24 })).readyForRenewal, true);
    assert.equal((await certificate.preview(inputs)).readyForRenewal, false);
  });

  it("aside, defaults that are written out or left out are no change", async () => {
    const bare = BARE;
    const spelled = { ...bare, earlyRenewalHours: 0, setSubjectKeyId: false };
    assert.deepEqual(kinds(await certificate.diff(olds, bare, spelled)), {});
    const official = { ...bare, __defaults: [], subject: { ...(bare.subject as Properties), __defaults: [] } };
    assert.deepEqual(kinds(await certificate.diff(olds, official, bare)), {});
  });
});
