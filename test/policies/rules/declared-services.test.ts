import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { meshServiceDefinition } from "../../../mesh/custom-resource";
import { digestOf } from "../../../policies/admission/seal";
import seals from "../../../policies/custom-resource/seals.json";
import type { Plain } from "../../../policies/judgement/plain";
import { declaredServices } from "../../../policies/rules/declared-services";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";
import type { JsonObject } from "../support/edit";
import { plannedResources } from "../support/planned";
import { UNKNOWN } from "../support/unknown";

const SEALS_FILE = path.resolve(__dirname, "../../../policies/custom-resource/seals.json");

const definition = (): TestResource => ({
  type: "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
  properties: structuredClone(meshServiceDefinition()) as unknown as JsonObject,
});

const payoutRouter = (): TestResource => ({
  type: "kubernetes:mesh.lucid.internal/v1alpha1:MeshService",
  properties: {
    apiVersion: "mesh.lucid.internal/v1alpha1",
    kind: "MeshService",
    metadata: { name: "payout-router", namespace: "lucid-wallet" },
    spec: {
      zone: "wallet",
      identity: "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/payout-router",
      hostname: "payout-router.lucid.internal",
      calls: [
        { service: "tron-payment", zone: "wallet", port: "http", kind: "call" },
        { service: "lucid-blocks", zone: "chain", port: "http", kind: "call", reason: "Anchors" },
      ],
    },
  },
});

describe("declared-services", function () {
  this.timeout(60_000);

  before(() => {
    if (process.env.UPDATE_SEALS !== "1") return;
    const { metadata, spec } = meshServiceDefinition();
    const renewed = { [metadata.name]: digestOf(spec as unknown as Plain) };
    writeFileSync(SEALS_FILE, `${JSON.stringify(renewed, undefined, 2)}\n`);
    Object.assign(seals, renewed);
  });

  it("passes the definition and every MeshService of Lucid", async () => {
    const planned = (await plannedResources()).filter(({ type }) => declaredServices.concerns(type));
    assert.equal(planned.length, 8);
    for (const { type, inputs } of planned) assertPasses(declaredServices, { type, properties: inputs as JsonObject });
  });

  describe("on a MeshService", () => {
    refusesEach(declaredServices, payoutRouter, [
      {
        title: "a stranger",
        path: "metadata.name",
        value: "stranger",
        finds: /`stranger` is no member of zone wallet with a sidecar/,
      },
      { title: "a member elsewhere", path: "metadata.namespace", value: "lucid-ops", finds: /no member of zone ops/ },
      { title: "an unknown name", path: "metadata.name", value: UNKNOWN, finds: /can't be known/ },
      {
        title: "another zone",
        path: "spec.zone",
        value: "ops",
        finds: /the service's zone is `ops`; set it to wallet/,
      },
      { title: "no zone", path: "spec.zone", finds: /set it to wallet/ },
      {
        title: "another's identity",
        path: "spec.identity",
        value: "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/tron-payment",
        finds: /set it to spiffe:\/\/wallet\.lucid\.internal\/ns\/lucid-wallet\/sa\/payout-router/,
      },
      { title: "an unknown identity", path: "spec.identity", value: UNKNOWN, finds: /the service's identity is/ },
      {
        title: "another's hostname",
        path: "spec.hostname",
        value: "tron-payment.lucid.internal",
        finds: /set it to payout-router\.lucid\.internal/,
      },
      {
        title: "a call that the ceiling does not list",
        path: "spec.calls[1].zone",
        value: "ops",
        finds: /from wallet\/payout-router to ops\/lucid-blocks/,
      },
      { title: "calls nobody can read", path: "spec.calls", value: UNKNOWN, finds: /can't be known/ },
      { title: "a status", path: "status", value: { conditions: [] }, finds: /take the status out/ },
    ]);

    it("refuses one without a sidecar", () => {
      const consul = payoutRouter();
      const metadata = { name: "consul", namespace: "lucid-mesh" };
      assertFinds(declaredServices, { ...consul, properties: { ...consul.properties, metadata } }, /with a sidecar/);
    });

    it("leaves other namespaces alone, and kinds of that name in other groups", () => {
      const elsewhere = payoutRouter();
      const metadata = { name: "x", namespace: "default" };
      assertPasses(declaredServices, { ...elsewhere, properties: { ...elsewhere.properties, metadata } });
      assertPasses(declaredServices, {
        type: "kubernetes:example.org/v1:MeshService",
        properties: { metadata: { name: "x", namespace: "lucid-ops" } },
      });
    });
  });

  describe("on a CustomResourceDefinition", () => {
    refusesEach(declaredServices, definition, [
      {
        title: "another",
        path: "metadata.name",
        value: "gateways.example.org",
        finds: /`gateways\.example\.org` defines objects that no rule models/,
      },
      {
        title: "a converting webhook",
        path: "spec.conversion",
        value: { strategy: "Webhook" },
        finds: /not what was reviewed/,
      },
      {
        title: "no subresource for the status",
        path: "spec.versions[0].subresources",
        finds: /not what was reviewed/,
      },
      {
        title: "a schema that keeps anything",
        path: 'spec.versions[0].schema.openAPIV3Schema["x-kubernetes-preserve-unknown-fields"]',
        value: true,
        finds: /not what was reviewed/,
      },
      { title: "an unknown schema", path: "spec.versions[0].schema", value: UNKNOWN, finds: /not what was reviewed/ },
    ]);
  });
});
