import assert from "node:assert/strict";
import { SIDECAR_PORTS, WELL_KNOWN, edgesFrom, edgesTo } from "../../../mesh";
import type { Service } from "../../../mesh";
import { networking, podOf } from "../support/cluster";
import { mesh } from "../support/document";
import { eventually } from "../support/eventually";
import { connects, testerIn } from "../support/tester";
import type { Tester } from "../support/tester";

const OPEN = "opened-by-test";

const pairs = mesh.services.flatMap((from) => mesh.services.filter((to) => to !== from).map((to) => ({ from, to })));
type Pair = (typeof pairs)[number];

/** Ports of a sidecar that listen on the pod's address: a service that nobody may call has no inbound listener. */
function listening(to: Service): number[] {
  const { inbound, inspection, health } = SIDECAR_PORTS;
  return edgesTo(mesh, to).length > 0 ? [inbound, inspection, health] : [inspection, health];
}

/** What the document lets through: the edges, and the two services that look into every sidecar. */
function allowed({ from, to }: Pair): number[] {
  const inspects = from.name === WELL_KNOWN.prometheus || from.name === WELL_KNOWN.controller;
  return [
    ...(edgesFrom(mesh, from).some((edge) => edge.to === to.name) ? [SIDECAR_PORTS.inbound] : []),
    ...(inspects ? [SIDECAR_PORTS.inspection] : []),
  ];
}

describe("NetworkPolicy, on its own (a TCP connection, before any other layer)", () => {
  const testers = new Map<Service, Tester>();
  const addresses = new Map<Service, string>();

  before(async function () {
    this.timeout(300_000);
    for (const service of mesh.services) {
      testers.set(service, await testerIn(service));
      addresses.set(service, (await podOf(service)).ip);
    }
  });

  const reached = async ({ from, to }: Pair, ports: readonly number[]): Promise<number[]> => {
    const tester = testers.get(from);
    const address = addresses.get(to);
    assert.ok(tester && address);
    const results = await Promise.all(ports.map((port) => connects(tester, address, port)));
    return ports.filter((_, index) => results[index]);
  };

  for (const pair of pairs) {
    const expected = allowed(pair);
    it(`${pair.from.name} reaches ${expected.length === 0 ? "no port" : expected.join(" and ")} of ${pair.to.name}`, async () => {
      assert.deepEqual(await reached(pair, listening(pair.to)), expected);
    });
  }

  describe("taken out", () => {
    before(openNetwork);
    after(closeNetwork);

    it("every port of every pair connects: it was this layer that refused it", async () => {
      for (const pair of pairs) {
        const ports = listening(pair.to);
        await eventually(`${pair.from.name} -> ${pair.to.name} without NetworkPolicies`, async () => {
          assert.deepEqual(await reached(pair, ports), ports);
        });
      }
    });
  });

  describe("put back", () => {
    it("refuses again", async () => {
      for (const pair of pairs) {
        await eventually(`the refusal of ${pair.from.name} -> ${pair.to.name}`, async () => {
          assert.deepEqual(await reached(pair, listening(pair.to)), allowed(pair));
        });
      }
    });
  });
});

/** Policies are additive: one that allows everything takes the layer out, whatever the others say. */
async function openNetwork(): Promise<void> {
  for (const { namespace } of mesh.zones) {
    await networking.createNamespacedNetworkPolicy({
      namespace,
      body: {
        metadata: { name: OPEN },
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] },
      },
    });
  }
}

async function closeNetwork(): Promise<void> {
  for (const { namespace } of mesh.zones) await networking.deleteNamespacedNetworkPolicy({ name: OPEN, namespace });
}
