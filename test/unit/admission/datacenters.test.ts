import assert from "node:assert/strict";
import { admissionData, type AdmissionData } from "../../../admission/data";
import { services } from "../../../admission/policies/services";
import type { Mesh } from "../../../mesh";
import { datacenterMesh } from "../envoy/datacenters-fixture";
import { externalMesh } from "../envoy/external-fixture";

function dataOf(mesh: Mesh): AdmissionData {
  const image = (name: string) => `docker.io/${name}:1`;
  return admissionData(mesh, {
    discoveryBackend: "consul",
    apiServerCidr: "10.77.0.10/32",
    apiServerPort: 6443,
    images: {
      envoy: image("envoyproxy/envoy"),
      startGate: image("lucid/start-gate"),
      controller: image("lucid/mesh-controller"),
      prometheus: image("prom/prometheus"),
      jaeger: image("jaegertracing/jaeger"),
      consul: image("hashicorp/consul"),
      snapshots: image("lucid/snapshots"),
      etcd: image("coreos/etcd"),
      coredns: image("coredns/coredns"),
      joined: [],
    },
  });
}

const GATEWAY = "edge/datacenter-gateway";
const north = dataOf(datacenterMesh("north"));
const south = dataOf(datacenterMesh("south"));
const about = (openings: readonly string[]) => openings.filter((opening) => opening.includes(GATEWAY)).sort();

describe("what admission lets datacenters open", () => {
  it("is the way of those to the gateway whose calls leave, on both sides", () => {
    const way = `ops/billing>${GATEWAY}:15443/TCP`;
    assert.ok(north.network.letIn.includes(way) && north.network.letOut.includes(way));
    assert.ok(!about(north.network.letOut).some((opening) => opening.startsWith("wallet/")));
    assert.deepEqual(
      about(south.network.letOut).filter((opening) => opening.endsWith(`>${GATEWAY}:15443/TCP`)),
      [`ops/ledger>${GATEWAY}:15443/TCP`],
    );
  });

  it("is the gateway's way to those who are called, and to nobody of Wallet", () => {
    assert.deepEqual([...(south.network.calls.get(GATEWAY) ?? [])].sort(), ["ops/archive", "ops/ledger"]);
    assert.deepEqual(north.network.calls.get(GATEWAY), ["edge/rates"]);
  });

  it("is the links, to the address and port, in the direction that is declared", () => {
    assert.deepEqual(
      about(north.network.letOut).filter((opening) => opening.startsWith(`${GATEWAY}>`)),
      [`${GATEWAY}>192.0.2.5/32:30443/TCP`, `${GATEWAY}>198.51.100.7/32:30443/TCP`],
    );
    assert.deepEqual(
      about(north.network.letIn).filter((opening) => /^\d/.test(opening)),
      [`198.51.100.0/28>${GATEWAY}:15001/TCP`],
    );
  });

  it("is one port on the nodes, the gateway's own, where calls arrive", () => {
    assert.deepEqual(north.nodePorts, [`${GATEWAY}:30444/TCP`]);
    assert.match(JSON.stringify(services(north)), /externalTrafficPolicy/);
  });

  it("runs the sidecar's image as the gateway's own, and no other", () => {
    assert.deepEqual(north.services.get(GATEWAY), north.sidecarImages);
  });
});

describe("what admission lets a mesh of one datacenter open", () => {
  it("is no port on a node", () => {
    const data = dataOf(externalMesh());
    assert.deepEqual(data.nodePorts, []);
    assert.deepEqual(dataOf(datacenterMesh("east")).nodePorts.length, 1);
  });
});
