/** Sidecars of the deployed mesh that are made to run by what nobody declared: the controller asks them, and tells. */
import assert from "node:assert/strict";
import { CustomObjectsApi } from "@kubernetes/client-node";
import { INSPECTED_PATHS, SIDECAR_PORTS, WELL_KNOWN, firstPort } from "../../../mesh";
import { MESH_SERVICE, type MeshServiceStatus } from "../../../mesh/custom-resource";
import { parseState, type SidecarState } from "../../../services/controller/src/inspection/answers";
import { core, kubeConfig, mergePatch, podOf, podsOf } from "../support/cluster";
import type { PodRef } from "../support/cluster";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { podGet } from "../support/http-get";

const custom = kubeConfig.makeApiClient(CustomObjectsApi);
const subject = service("tron-payment");
const { name, namespace } = subject;
const files = { name: `${name}-envoy`, namespace };
const fieldManager = "somebodys-hand";
/** Seconds in which a sidecar has what its ConfigMap says: the controller has kubelet look at once. */
const BROUGHT = 120;
/** Seconds in which it is told of, from then on. */
const TOLD = 10;

const ABSENT = { status: "absent", message: "" };

/** What the application's own side of the sidecar shows: nothing of this passes the controller. */
async function stateOf(pod: PodRef): Promise<SidecarState> {
  return parseState(await podGet(pod, SIDECAR_PORTS.admin, INSPECTED_PATHS.state));
}

/** A metric of the replica that leads: the others tell none of it. */
async function told(metric: string, ...labels: readonly string[]): Promise<number[]> {
  const controller = service(WELL_KNOWN.controller);
  const pods = await podsOf(controller);
  const texts = await Promise.all(pods.map((pod) => podGet(pod, firstPort(controller).port, "/metrics")));
  return texts
    .flatMap((text) => text.split("\n"))
    .filter((line) => line.startsWith(`${metric}{`) && labels.every((label) => line.includes(label)))
    .map((line) => Number(line.split(" ").at(-1)));
}

const event = (reason: string, message: RegExp, pod: PodRef) =>
  eventually(
    `${reason} of ${String(message)}`,
    async () => {
      const { items } = await core.listNamespacedEvent({ namespace, fieldSelector: `reason=${reason}` });
      const found = items.filter(({ involvedObject }) => involvedObject.name === pod.name);
      assert.ok(
        found.some((item) => message.test(item.message ?? "")),
        items.map((item) => item.message).join("\n"),
      );
    },
    TOLD,
  );

const drifted = (status: string, seconds: number, message = /./) =>
  eventually(
    `Drifted ${status}`,
    async () => {
      const { group, version, plural } = MESH_SERVICE;
      const object = (await custom.getNamespacedCustomObject({ group, version, plural, namespace, name })) as {
        status?: MeshServiceStatus;
      };
      const found = object.status?.conditions?.find(({ type }) => type === "Drifted") ?? ABSENT;
      assert.equal(found.status, status, found.message);
      assert.match(found.message, message);
    },
    seconds,
  );

async function mount(listeners: string): Promise<void> {
  const body = { data: { "listeners.yaml": listeners } };
  await core.patchNamespacedConfigMap({ ...files, body, fieldManager }, mergePatch);
}

describe("sidecars that don't run as declared", function () {
  this.timeout(900_000);
  let declared = "";
  let pod: PodRef;

  before(async () => {
    const { data } = await core.readNamespacedConfigMap(files);
    declared = data?.["listeners.yaml"] ?? "";
    assert.match(declared, /^version_info: /m);
    pod = await podOf(subject);
    await drifted("False", TOLD);
  });
  after(async () => {
    await mount(declared);
    // A sidecar counts what it ever rejected, and an alert fires while it does.
    await core.deleteNamespacedPod({ name: pod.name, namespace });
    await eventually("another pod", async () => {
      assert.notEqual((await podOf(subject)).name, pod.name);
    });
    await drifted("False", BROUGHT);
  });

  it("are none of those that were deployed, each of which is asked", async () => {
    await eventually("an answer of each zone", async () => {
      for (const zone of new Set(mesh.services.map((one) => one.zone))) {
        const answered = await told("lucid_controller_inspections_total", `zone="${zone}"`, 'outcome="answered"');
        assert.ok(
          answered.some((count) => count > 0),
          zone,
        );
      }
    });
    assert.deepEqual(
      (await told("lucid_controller_drift", 'class="enforcement"')).filter((count) => count > 0),
      [],
    );
  });

  it("have their node's clock compared with the controller's", async () => {
    const skews = await told("lucid_controller_clock_skew_seconds");
    assert.ok(skews.length > 0);
    for (const seconds of skews) assert.ok(Math.abs(seconds) < 4, String(seconds));
  });

  it("are told of where they run by what nobody declared, and no longer once they do not", async () => {
    const before = await stateOf(pod);
    await mount(declared.replace(/^version_info: .*$/m, "version_info: of-somebodys-hand"));
    await eventually(
      "the sidecar runs by it",
      async () => {
        assert.equal((await stateOf(pod)).running["listeners.yaml"], "of-somebodys-hand");
      },
      BROUGHT,
    );
    await event("EnforcementLost", /runs by listeners\.yaml of version of-somebodys-hand, which nobody declared$/, pod);
    await drifted("True", TOLD, /the sidecar of Pod .* runs by listeners\.yaml of version of-somebodys-hand/);
    assert.ok((await told("lucid_controller_drift", `zone="${subject.zone}"`, 'class="enforcement"')).includes(1));
    await mount(declared);
    await eventually(
      "the sidecar runs as declared",
      async () => {
        assert.deepEqual((await stateOf(pod)).running, before.running);
      },
      BROUGHT,
    );
    await drifted("False", TOLD);
  });

  it("are told of where they reject what they should run by, of which a part is in force", async () => {
    const before = await stateOf(pod);
    const broken = '  - "@type": type.googleapis.com/envoy.config.listener.v3.Listener\n    name: broken\n';
    await mount(`${declared.replace(/^version_info: .*$/m, "version_info: broken-by-hand").trimEnd()}\n${broken}`);
    await eventually(
      "the sidecar rejects it",
      async () => {
        const { running, rejected } = await stateOf(pod);
        assert.ok(rejected["listeners.yaml"] > before.rejected["listeners.yaml"]);
        assert.deepEqual(running, before.running);
      },
      BROUGHT,
    );
    await event("EnforcementLost", /has rejected a change of listeners\.yaml, of which a part may be in force; /, pod);
    await drifted("True", TOLD, /has rejected a change/);
    await mount(declared);
    await drifted("False", BROUGHT);
    const { running, accepted } = await stateOf(pod);
    assert.deepEqual(running, before.running);
    assert.ok(accepted["listeners.yaml"] > before.accepted["listeners.yaml"]);
  });
});
