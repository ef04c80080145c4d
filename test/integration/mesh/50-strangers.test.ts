import assert from "node:assert/strict";
import { SIDECAR_PORTS, namespaceOf } from "../../../mesh";
import { withoutAdmission } from "../support/admission";
import { core, podOf } from "../support/cluster";
import { INFRASTRUCTURE } from "../support/discovery";
import { mesh } from "../support/document";
import { eventually } from "../support/eventually";
import { connects, shell } from "../support/tester";
import type { Tester } from "../support/tester";

const CONTAINER = "stranger";

/** A pod without a sidecar. In a zone it may even bear a service's name only if nobody checks; here it bears none. */
async function stranger(namespace: string): Promise<Tester> {
  const name = "stranger";
  await noStranger(namespace, name);
  const body = {
    metadata: { name },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [shell(CONTAINER)],
    },
  };
  await withoutAdmission(() => core.createNamespacedPod({ namespace, body }));
  return eventually(`the stranger in ${namespace}`, async () => {
    const { status } = await core.readNamespacedPod({ name, namespace });
    assert.equal(status?.phase, "Running");
    assert.ok(status.podIP);
    return { name, namespace, ip: status.podIP, container: CONTAINER };
  });
}

/** Takes away what an interrupted run may have left. */
async function noStranger(namespace: string, name: string): Promise<void> {
  await eventually(`no stranger in ${namespace}`, async () => {
    const { items } = await core.listNamespacedPod({ namespace, fieldSelector: `metadata.name=${name}` });
    if (items.length === 0) return;
    await core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 });
    throw new Error("it is still there");
  });
}

for (const namespace of ["lucid-ops", "lucid-wallet", "default"]) {
  describe(`a pod without a sidecar, in ${namespace}`, () => {
    let pod: Tester;

    before(async () => {
      pod = await stranger(namespace);
      // An enforcer may leave a new pod open for a moment; what counts is what holds.
      await new Promise((resolve) => setTimeout(resolve, 3000));
    });
    after(() => core.deleteNamespacedPod({ name: pod.name, namespace }));

    const open = async (ip: string, ports: readonly number[]): Promise<number[]> => {
      const connected = await Promise.all(ports.map((port) => connects(pod, ip, port)));
      return ports.filter((_, index) => connected[index]);
    };

    for (const service of mesh.services) {
      it(`reaches no port of ${service.name}`, async () => {
        const { ip } = await podOf(service);
        const ports = [
          SIDECAR_PORTS.inbound,
          SIDECAR_PORTS.inspection,
          SIDECAR_PORTS.health,
          ...service.ports.map(({ port }) => port),
        ];
        assert.deepEqual(await open(ip, ports), []);
      });
    }

    for (const { name, ports } of INFRASTRUCTURE) {
      it(`reaches no port of ${name}`, async () => {
        const { ip } = await podOf({ name, namespace: namespaceOf("mesh") });
        assert.deepEqual(await open(ip, ports), []);
      });
    }
  });
}
