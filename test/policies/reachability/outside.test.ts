import assert from "node:assert/strict";
import type { Ceiling } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import type { Plain } from "../../../policies/judgement/plain";
import { beyondCeiling } from "../../../policies/rules/reachability";
import { ANOTHER_AUTHORITY, externalMesh } from "../../unit/envoy/external-fixture";
import { EXTERNAL_CEILING, listing, without } from "../fixtures/external";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";
import { plannedResources } from "../support/planned";
import type { PlannedResource } from "../support/recorded-stack";

/** What the stack rule makes of ways out of the cluster. */
describe("nobody leaves the cluster beyond the ceiling", function () {
  this.timeout(60_000);
  let plan: readonly PlannedResource[] = [];

  before(async () => {
    plan = await plannedResources(externalMesh());
  });

  const found = (resources: readonly PlannedResource[], ceiling: Ceiling = EXTERNAL_CEILING) =>
    beyondCeiling(resources, ceiling).map(({ resource, path, problem }) => `${resource.name}: ${path}: ${problem}`);

  const with_ = (name: string, change: (inputs: JsonObject) => JsonObject): readonly PlannedResource[] => {
    assert.equal(plan.filter((resource) => resource.name === name).length, 1, name);
    return plan.map((resource) => {
      if (resource.name !== name) return resource;
      const inputs: Plain = change(resource.inputs as JsonObject);
      return { ...resource, inputs, properties: new Field(inputs) };
    });
  };
  const changed = (name: string, path: string, value?: Json) => with_(name, (inputs) => edit(inputs, path, value));
  const replacing = (name: string, pattern: RegExp | string, by: string) =>
    with_(name, (inputs) => {
      const data = Object.entries(inputs.data as Record<string, string>);
      const after = Object.fromEntries(data.map(([file, text]) => [file, text.replaceAll(pattern, by)]));
      assert.notDeepEqual(after, inputs.data);
      return { ...inputs, data: after };
    });
  const refuses = (texts: readonly string[], finds: RegExp) => {
    assert.ok(
      texts.some((text) => finds.test(text)),
      JSON.stringify(texts, undefined, 2),
    );
  };

  it("in what the document declares", () => {
    assert.deepEqual(found(plan), []);
  });

  it("takes another authority: which one it is, is the document's to say", async () => {
    assert.deepEqual(found(await plannedResources(externalMesh(ANOTHER_AUTHORITY))), []);
  });

  const refused: readonly (readonly [title: string, plan: () => readonly PlannedResource[], finds: RegExp])[] = [
    [
      "a sidecar that goes to another address",
      () => replacing("ledger-db-sidecar-envoy", "10.20.0.5", "10.20.0.9"),
      /^ledger-db-sidecar-envoy: \S+: ways: Edge\/ledger-db leads out of the cluster to 10\.20\.0\.9, 10\.20\.0\.6 on 5432\/TCP .*, which may not be/,
    ],
    [
      "a sidecar that takes another name",
      () => replacing("ledger-db-sidecar-envoy", String.raw`db\.example\.org`, String.raw`any\.example\.org`),
      /ways: Edge\/ledger-db leads out of the cluster to .* as db\.example\.org \(names any\.example\.org; .*, which may not be/,
    ],
    [
      "a sidecar of another service that goes there",
      () => replacing("ledger-sidecar-envoy", /address: 127\.0\.0\.1(\s+port_value: 8080)/g, "address: 10.20.0.5$1"),
      /^ledger-sidecar-envoy: /,
    ],
    [
      "pods that are let out to another address",
      () => changed("edge-ledger-db", "spec.egress[1].to[0].ipBlock.cidr", "10.20.0.9/32"),
      /network: Edge\/ledger-db can reach 10\.20\.0\.9\/32 on 5432\/TCP, which nobody declared/,
    ],
    [
      "pods of a caller that are let out to it",
      () => changed("ops-ledger", "spec.egress[0].to[0]", { ipBlock: { cidr: "10.20.0.5/32" } }),
      /network: Ops\/ledger can reach 10\.20\.0\.5\/32 on 15001\/TCP, which nobody declared/,
    ],
    [
      "a sidecar that goes where its pods aren't let out",
      () => changed("edge-ledger-db", "spec.egress[1].to[1]"),
      /agreement: the layers don't agree on Edge\/ledger-db and 10\.20\.0\.6 on 5432\/TCP: its sidecar goes there .*, and its pods aren't let out/,
    ],
    [
      "a sidecar that doesn't go where its pods are let out",
      () => replacing("rates-sidecar-envoy", "port_value: 8443", "port_value: 443"),
      /agreement: the layers don't agree on Edge\/rates and 10\.20\.1\.7\/32 on 8443\/TCP: its pods are let out .*, and its sidecar doesn't go there/,
    ],
  ];
  for (const [title, resources, finds] of refused) {
    it(`refuses ${title}`, () => {
      refuses(found(resources()), finds);
    });
  }

  describe("by the ceiling that it is given", () => {
    it("refuses all of a service that isn't listed", () => {
      const outside = without("edge/ledger-db");
      const texts = found(plan, { ...EXTERNAL_CEILING, outside });
      refuses(texts, /network: Edge\/ledger-db can reach 10\.20\.0\.5/);
      refuses(texts, /ways: Edge\/ledger-db leads out of the cluster to .*, which may not be/);
    });

    it("refuses plain text without a leave", () => {
      refuses(
        found(plan, listing("ops/legacy", { leave: {} })),
        /ways: Ops\/legacy .* in plain text .*, which may not be/,
      );
    });

    it("refuses a call from Wallet without a leave, in the network and in sidecars", () => {
      const texts = found(plan, listing("edge/rates", { leave: {} }));
      refuses(texts, /network: Wallet\/payout-router can reach Edge\/rates on 15001\/TCP/);
      refuses(texts, /authorization: Wallet\/payout-router can send .* to Edge\/rates/);
      refuses(texts, /ways: Wallet\/payout-router has a way to Edge\/rates/);
      assert.ok(texts.every((text) => text.includes("Wallet/payout-router") || text.includes("Edge/rates")));
    });

    it("refuses it where the other zone stands in another stack, too", () => {
      const wallet = plan.filter(({ properties, type }) => {
        const key = type.endsWith(":Namespace") ? "name" : "namespace";
        return type.startsWith("kubernetes:") && properties.at("metadata", key).is("lucid-wallet");
      });
      assert.deepEqual(found(wallet), []);
      refuses(
        found(wallet, listing("edge/rates", { leave: {} })),
        /network: Wallet\/payout-router can reach pods \(app\.kubernetes\.io\/name=rates\)/,
      );
    });

    it("refuses an address of the open internet without a leave", () => {
      const away = externalMeshAt("203.0.113.9");
      const leave = { clearnet: { reason: "Nobody serves it by Tor", owner: "us", until: "2098-12-31" } };
      const given = (leaves: object) => listing("edge/ledger-db", { addresses: ["203.0.113.9"], leave: leaves });
      return away.then((resources) => {
        assert.deepEqual(found(resources, given(leave)), []);
        refuses(found(resources, given({})), /network: Edge\/ledger-db can reach 203\.0\.113\.9\/32/);
        refuses(found(resources, given({})), /ways: Edge\/ledger-db leads out of the cluster to 203\.0\.113\.9/);
      });
    });
  });

  function externalMeshAt(address: string): Promise<readonly PlannedResource[]> {
    const mesh = externalMesh();
    const services = mesh.services.map((service) =>
      service.name === "ledger-db" && service.workload.kind === "external"
        ? { ...service, workload: { ...service.workload, addresses: [address] } }
        : service,
    );
    return plannedResources({ ...mesh, services });
  }
});
