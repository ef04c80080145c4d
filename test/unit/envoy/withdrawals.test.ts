import * as assert from "node:assert/strict";
import type { EnvoyOptions, Withdrawal } from "../../../envoy";
import { renderSidecar } from "../../../envoy";
import type { Message } from "../../../envoy/message";
import { fromYaml } from "../../../envoy/yaml";
import type { Mesh, Service } from "../../../mesh/model";
import { serviceNamed } from "../../../mesh";
import { datacenterMesh } from "./datacenters-fixture";
import { everyProtocol, OPTIONS, services } from "./fixture";

/** Chains (`<listener>/<chain>`) and clusters with their marks. */
function marks(
  service: Service,
  withdrawals: readonly Withdrawal[],
  mesh: Mesh = everyProtocol,
): Record<string, string> {
  const options: EnvoyOptions = { ...OPTIONS, withdrawals };
  const files = renderSidecar(mesh, service, options);
  const found: Record<string, string> = {};
  const keep = (name: string, resource: Message) => {
    const mark = resource.metadata as { filter_metadata: Record<string, { withdrawn: string }> } | undefined;
    if (mark !== undefined) found[name] = mark.filter_metadata["lucid.internal"]?.withdrawn ?? "";
  };
  for (const listener of fromYaml(files["listeners.yaml"]).resources as Message[]) {
    for (const chain of (listener.filter_chains ?? []) as Message[]) {
      keep(`${nameOf(listener)}/${nameOf(chain)}`, chain);
    }
  }
  for (const cluster of fromYaml(files["clusters.yaml"]).resources as Message[]) keep(nameOf(cluster), cluster);
  return found;
}

function nameOf({ name }: Message): string {
  return typeof name === "string" ? name : "";
}

describe("marks of what was withdrawn", () => {
  it("change nothing where nothing was", () => {
    for (const service of everyProtocol.services) {
      assert.deepEqual(
        renderSidecar(everyProtocol, service, { ...OPTIONS, withdrawals: [] }),
        renderSidecar(everyProtocol, service, OPTIONS),
      );
    }
  });

  it("stand where a revoked caller comes in, and nowhere else", () => {
    const found = marks(services.blocks, [{ zone: "wallet", service: "router", what: "17" }]);
    const chains = ["grpc", "http", "peer", "stream"].map((port) => `inbound/inbound|${port}|wallet`);
    assert.deepEqual(Object.keys(found).sort(), chains);
  });

  it("stand where a revoked callee is called: at its cluster, and at the listener whose streams go there", () => {
    const found = marks(services.router, [{ zone: "chain", service: "blocks", what: "17" }]);
    const clusters = ["grpc", "http", "peer", "stream"].map((port) => `outbound|blocks|${port}`);
    assert.deepEqual(Object.keys(found).sort(), clusters.flatMap((name) => [name, `${name}/`]).sort());
  });

  it("don't stand for another service of the same zone, nor for the same name in another zone", () => {
    assert.deepEqual(marks(services.blocks, [{ zone: "wallet", service: "payment", what: "17" }]), {});
    assert.deepEqual(marks(services.blocks, [{ zone: "mesh", service: "router", what: "17" }]), {});
    assert.deepEqual(marks(services.blocks, [{ zone: "wallet", service: "outer", what: "17" }]), {});
  });

  it("stand at everything of the zone where an authority was lost", () => {
    const found = Object.keys(marks(services.console, [{ zone: "ops", what: "root 1" }])).sort();
    assert.deepEqual(found, [
      "inspection/inspection|prometheus",
      "outbound|jaeger|otlp",
      "outbound|jaeger|otlp/",
      "outbound|prometheus|http",
      "outbound|prometheus|http/",
    ]);
  });

  it("stand at the way of scrapes, which takes every identity of a zone", () => {
    const found = marks(services.prometheus, [{ zone: "wallet", service: "payment", what: "17" }]);
    assert.deepEqual(Object.keys(found).sort(), ["scrape|wallet", "scrape|wallet/"]);
  });

  describe("of another datacenter", () => {
    const north = datacenterMesh("north");
    const found = (name: string, withdrawal: Withdrawal) =>
      Object.keys(marks(serviceNamed(north, name), [withdrawal], north)).sort();
    const gateway = "datacenter-gateway";

    it("stand at both directions of a link whose other gateway is concerned", () => {
      assert.deepEqual(found(gateway, { zone: "edge.south", service: gateway, what: "17" }), [
        "departure/link|south",
        "inbound/inbound|link|edge|south",
        "link|south",
      ]);
      assert.deepEqual(found(gateway, { zone: "edge.east", what: "root 1" }), ["departure/link|east", "link|east"]);
    });

    it("stand at who calls whom it concerns and at who is called by him, and not at those of the same name here", () => {
      const ledger = { zone: "ops.south", service: "ledger", what: "17" } as const;
      assert.deepEqual(found("billing", ledger), ["outbound|ledger|http/", "outbound|ledger|http|south"]);
      assert.deepEqual(found("rates", ledger), ["inbound/inbound|http|ops|south"]);
      assert.deepEqual(found("payout-router", ledger), []);
      assert.deepEqual(found(gateway, ledger), []);
    });
  });

  it("are others for other withdrawals, and the same in any order", () => {
    const [one, two] = ["17", "18"].map((what): Withdrawal => ({ zone: "wallet", service: "router", what }));
    assert.ok(one !== undefined && two !== undefined);
    const mark = (list: readonly Withdrawal[]) => marks(services.blocks, list)["inbound/inbound|http|wallet"];
    assert.notEqual(mark([one]), mark([two]));
    assert.notEqual(mark([one]), mark([one, two]));
    assert.equal(mark([one, two]), mark([two, one]));
  });
});
