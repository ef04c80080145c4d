/** MeshServices as kubectl shows them, and the controller's replicas. */
import assert from "node:assert/strict";
import { CustomObjectsApi, CoordinationV1Api } from "@kubernetes/client-node";
import { WELL_KNOWN, isJob } from "../../../mesh";
import { MESH_SERVICE, type MeshServiceStatus } from "../../../mesh/custom-resource";
import { kubectl, tryKubectl } from "../cluster/support";
import { core, kubeConfig, podOf, podsOf } from "../support/cluster";
import { passingInstances } from "../support/discovery";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";

const custom = kubeConfig.makeApiClient(CustomObjectsApi);
const coordination = kubeConfig.makeApiClient(CoordinationV1Api);
const controller = service(WELL_KNOWN.controller);
const subject = service("tron-payment");
const running = mesh.services.filter((one) => !isJob(one) && one.revoked === undefined);
/** Seconds in which a change is told. */
const TOLD = 10;
/** Seconds in which another replica leads after one that is gone without a word: its lease, a look, and a margin. */
const TAKEOVER = 25;

async function statusOf({
  name,
  namespace,
}: {
  name: string;
  namespace: string;
}): Promise<MeshServiceStatus | undefined> {
  const { group, version, plural } = MESH_SERVICE;
  const object = (await custom.getNamespacedCustomObject({ group, version, plural, namespace, name })) as {
    status?: MeshServiceStatus;
  };
  return object.status;
}

const conditionOf = (status: MeshServiceStatus | undefined, type: string) =>
  status?.conditions?.find((condition) => condition.type === type);

async function lease(): Promise<{ readonly pod: string; readonly transitions: number }> {
  const { spec } = await coordination.readNamespacedLease({ name: controller.name, namespace: controller.namespace });
  return { pod: spec?.holderIdentity?.split("_")[0] ?? "", transitions: spec?.leaseTransitions ?? 0 };
}

/** Every instance that is resolved, with what is said of it. */
async function registered(): Promise<readonly string[]> {
  const found = await Promise.all(running.map(({ name, zone }) => passingInstances(name, zone)));
  return found
    .flat()
    .map(({ ID, Address, Port, Tags }) => `${ID} ${Address}:${Port} ${Tags.join()}`)
    .sort();
}

describe("MeshServices", () => {
  it("are shown by kubectl with plane, readiness, instances, the certificate's end, drift and age", async () => {
    await eventually("every service being ready", async () => {
      for (const one of running) {
        const status = await statusOf(one);
        for (const type of ["Ready", "Registered", "Distributed"])
          assert.equal(conditionOf(status, type)?.status, "True", `${one.name}: ${type}`);
      }
    });
    const [header = "", ...rows] = (await kubectl(["get", "meshservices", "-A"])).trim().split("\n");
    assert.deepEqual(header.split(/\s+/), [
      "NAMESPACE",
      "NAME",
      "PLANE",
      "READY",
      "INSTANCES",
      "CERTIFICATE-EXPIRY",
      "DRIFT",
      "AGE",
    ]);
    assert.equal(rows.length, mesh.services.length);
    for (const one of running) {
      const pods = (await podsOf(one)).length;
      const row = rows.find((line) => line.startsWith(one.namespace) && line.split(/\s+/)[1] === one.name) ?? "";
      const expected = new RegExp(
        `^${one.namespace}\\s+${one.name}\\s+${one.zone}\\s+True\\s+${pods}\\s+\\d{4}-\\d\\d-\\d\\dT`,
      );
      assert.match(row, expected);
    }
  });

  it("follow a pod that goes and its successor", async () => {
    const before = await statusOf(subject);
    const gone = await podOf(subject);
    await core.deleteNamespacedPod(gone);
    await eventually(
      "the missing instance",
      async () => {
        assert.equal(conditionOf(await statusOf(subject), "Ready")?.status, "False");
      },
      TOLD,
    );
    await eventually(
      "its successor",
      async () => {
        const status = await statusOf(subject);
        assert.equal(conditionOf(status, "Ready")?.status, "True");
        assert.equal(conditionOf(status, "Registered")?.status, "True");
        assert.deepEqual(status?.instances, before?.instances);
        const turned = (one: MeshServiceStatus | undefined) => conditionOf(one, "Ready")?.lastTransitionTime ?? "";
        assert.ok(turned(status) > turned(before));
      },
      120,
    );
  });

  it("give the controller the right to their status, and none to what they declare", async () => {
    const may = async (...question: readonly string[]) => {
      const as = `--as=system:serviceaccount:${controller.namespace}:${controller.name}`;
      return (await tryKubectl(["auth", "can-i", ...question, "-n", subject.namespace, as])).stdout.trim();
    };
    const plural = `${MESH_SERVICE.plural}.${MESH_SERVICE.group}`;
    assert.equal(await may("patch", plural, "--subresource=status"), "yes");
    for (const verb of ["create", "update", "patch", "delete"]) assert.equal(await may(verb, plural), "no", verb);
  });
});

describe("the controller's replicas", () => {
  it("are two, both ready, and one of them leads", async () => {
    const pods = await eventually("both replicas", async () => {
      const found = await podsOf(controller);
      assert.equal(found.length, 2);
      return found.map(({ name }) => name);
    });
    assert.ok(pods.includes((await lease()).pod), (await lease()).pod);
  });

  it("lose nothing and do nothing twice when the leader is killed: the other leads within the lease", async () => {
    const before = await lease();
    const known = await registered();
    const others = (of: readonly string[]) => of.filter((line) => !line.startsWith("mesh-controller"));
    const statuses = await Promise.all(running.filter((one) => one !== controller).map(statusOf));
    // Without a grace period kubelet kills it, and gives it no time to give the lead back.
    await core.deleteNamespacedPod({ name: before.pod, namespace: controller.namespace, gracePeriodSeconds: 0 });
    const begun = performance.now();
    let missing = 0;
    const after = await eventually(
      "another leader",
      async () => {
        if (others(await registered()).length < others(known).length) missing += 1;
        const found = await lease();
        // Even without a grace period there may be time to give the lead back: then nobody leads for a moment.
        assert.ok(found.pod !== "" && found.pod !== before.pod, found.pod);
        return found;
      },
      TAKEOVER,
    );
    console.log(`        another leads after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    assert.equal(after.transitions, before.transitions + 1);
    await eventually(
      "the successor's registration",
      async () => {
        assert.equal((await registered()).length, known.length);
      },
      120,
    );
    assert.equal(missing, 0, "nobody was missing on the way");
    assert.deepEqual(others(await registered()), others(known));
    await eventually(
      "the controller's own status",
      async () => {
        assert.equal(conditionOf(await statusOf(controller), "Ready")?.status, "True");
      },
      120,
    );
    assert.deepEqual(await Promise.all(running.filter((one) => one !== controller).map(statusOf)), statuses);
  });
});
