/** Drift made by hand, at a real API server: what the controller says of it, and what it puts right, under its planned rights and the mesh's admission policies. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { takeOver } from "../../../dev/plugins/kubernetes/managed-fields";
import type { KubeObject } from "../../../dev/plugins/kubernetes/objects";
import { pathOf, Refusal, type Manifest } from "../admission/api";
import { planned } from "../admission/lab";
import { eventually } from "../support/eventually";
import { BACKENDS, type Backend } from "./backends";
import { ControllerLab } from "./lab";
import type { Replica } from "./replica";

const MERGE = "application/merge-patch+json";
/** Within which a drift is told of. */
const TOLD_SECONDS = 10;
const BY_HAND = "somebodys-hand";

interface Told {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

describe("drift", function () {
  this.timeout(400_000);
  let backend: Backend;
  let lab: ControllerLab;
  let leader: Replica;

  before(async () => {
    backend = await (BACKENDS.etcd as () => Promise<Backend>)();
    lab = await ControllerLab.start(backend, {
      LUCID_NAMESPACES: "lucid-ops=ops,lucid-chain=chain,lucid-mesh=mesh",
      DRIFT_REPAIRS: "isolation,admission",
    });
    leader = await lab.replica();
    await eventually("a leader", async () => {
      assert.ok((await leader.status()).leading);
    });
  });
  after(async () => {
    await lab.stop();
    await backend.stop();
  });

  const get = (object: Manifest) => lab.api.ask({ method: "GET", path: pathOf(object) });
  const byHand = (object: Manifest, body: unknown, contentType = MERGE) =>
    lab.api.ask({ method: "PATCH", path: `${pathOf(object)}?fieldManager=${BY_HAND}`, body, contentType });
  const told = async (namespace: string): Promise<readonly Told[]> =>
    (
      (await lab.api.ask({ method: "GET", path: `/api/v1/namespaces/${namespace}/events` })) as unknown as {
        items: Told[];
      }
    ).items;
  const event = (namespace: string, reason: string, message: RegExp) =>
    eventually(
      `${reason} of ${String(message)}`,
      async () => {
        const all = await told(namespace);
        const found = all.find((one) => one.reason === reason && message.test(one.message));
        assert.ok(found, `${JSON.stringify(all.map((one) => one.message))}\n${leader.output.slice(-3000)}`);
        return found;
      },
      TOLD_SECONDS,
    );
  const drifted = (namespace: string, service: string, expected: string, message = /./) =>
    eventually(
      `Drifted of ${service}`,
      async () => {
        const { status } = await lab.meshService(namespace, service);
        const found = status?.conditions?.find(({ type }) => type === "Drifted");
        assert.equal(`${found?.status ?? "absent"} ${found?.reason ?? ""}`, expected, found?.message);
        assert.match(found?.message ?? "", message);
      },
      TOLD_SECONDS,
    );
  /** What Pulumi's next update would do: it turns the fields of creation over to its own manager, and applies what the program says without force. */
  const assertNothingToChange = async (declared: Manifest) => {
    const before = await get(declared);
    const { managedFields: managers = [] } = (before.metadata ?? {}) as {
      managedFields?: readonly { readonly manager: string; readonly operation: string }[];
    };
    // Of what was applied before, its own manager; of what was only made, one that is made up at the first update.
    const manager = managers.find(({ operation }) => operation === "Apply")?.manager ?? "pulumi-kubernetes-0a1b2c3d";
    const managedFields = takeOver(before as unknown as KubeObject, manager);
    assert.ok(managedFields, "it is Pulumi's to take over");
    const body = [{ op: "replace", path: "/metadata/managedFields", value: managedFields }];
    await lab.api.ask({ method: "PATCH", path: pathOf(declared), body, contentType: "application/json-patch+json" });
    const path = `${pathOf(declared)}?fieldManager=${manager}&force=false`;
    const after = await lab.api.ask({
      method: "PATCH",
      path,
      body: declared,
      contentType: "application/apply-patch+yaml",
    });
    assert.deepEqual(after.spec, before.spec);
    assert.equal(after.metadata?.generation, before.metadata?.generation);
  };

  it("is none of what was declared and made", async () => {
    await drifted("lucid-ops", "admin-ui", "False AsDeclared");
    await drifted("lucid-ops", "prometheus", "False AsDeclared");
    await drifted("lucid-chain", "lucid-blocks", "False AsDeclared");
    await sleep(3_000);
    assert.deepEqual(
      [...(await told("lucid-ops")), ...(await told("lucid-chain")), ...(await told("lucid-mesh"))].map(
        ({ message }) => message,
      ),
      [],
    );
  });

  it("of a NetworkPolicy is put right, and Pulumi finds nothing to change", async () => {
    const policy = await planned("NetworkPolicy", "lucid-ops", "admin-ui");
    const { spec } = await get(policy);
    await byHand(policy, { spec: { policyTypes: ["Ingress"] } });
    const found = await event(
      "lucid-ops",
      "Drifted",
      /NetworkPolicy lucid-ops\/admin-ui was changed \(spec\.policyTypes/,
    );
    assert.match(found.message, /last written by somebodys-hand at /);
    await event("lucid-ops", "DriftRepaired", /put right: NetworkPolicy lucid-ops\/admin-ui/);
    assert.deepEqual((await get(policy)).spec, spec);
    await drifted("lucid-ops", "admin-ui", "False AsDeclared");
    await assertNothingToChange(policy);
  });

  it("of a NetworkPolicy that was taken away is put right", async () => {
    const policy = await planned("NetworkPolicy", "lucid-ops", "jaeger");
    const { spec } = await get(policy);
    await lab.api.remove(policy);
    await event("lucid-ops", "Drifted", /NetworkPolicy lucid-ops\/jaeger was removed/);
    await eventually(
      "the policy",
      async () => {
        assert.deepEqual((await get(policy)).spec, spec);
      },
      TOLD_SECONDS,
    );
    await assertNothingToChange(policy);
  });

  it("of an admission policy is put right, and so is what it would have refused", async () => {
    const admission = await planned("ValidatingAdmissionPolicy", "", "lucid-network");
    const binding = await planned("ValidatingAdmissionPolicyBinding", "", "lucid-network");
    await lab.api.remove(binding);
    await event("lucid-mesh", "Drifted", /ValidatingAdmissionPolicyBinding lucid-network was removed/);
    await eventually("the binding", () => get(binding), TOLD_SECONDS);
    await assertNothingToChange(binding);

    const { spec } = await get(admission);
    await byHand(admission, { spec: { failurePolicy: "Ignore" } });
    await event(
      "lucid-mesh",
      "Drifted",
      /ValidatingAdmissionPolicy lucid-network was changed \(spec\.failurePolicy\), last written by somebodys-hand/,
    );
    await eventually(
      "the policy",
      async () => {
        assert.deepEqual((await get(admission)).spec, spec);
      },
      TOLD_SECONDS,
    );
    await assertNothingToChange(admission);
  });

  it("of a second NetworkPolicy, which opens what is closed, is taken away", async () => {
    const metadata = { name: "second", namespace: "lucid-ops" };
    const opened: Manifest = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata,
      // Without peers, so that the admission policies have nothing against it.
      spec: { podSelector: { matchLabels: { "app.kubernetes.io/name": "admin-ui" } }, policyTypes: ["Ingress"] },
    };
    await lab.api.create(opened, { manager: BY_HAND });
    await event(
      "lucid-ops",
      "Drifted",
      /NetworkPolicy lucid-ops\/second was added \(nobody declares it\), last written by somebodys-hand/,
    );
    await event("lucid-ops", "DriftRepaired", /taken away: NetworkPolicy lucid-ops\/second/);
    await eventually("its end", () =>
      assert.rejects(get(opened), (error: unknown) => error instanceof Refusal && error.status === 404),
    );
  });

  it("of a key in an Envoy ConfigMap is told of, and left", async () => {
    const files = await planned("ConfigMap", "lucid-ops", "admin-ui-envoy");
    await byHand(files, { data: { "more.yaml": "resources: []" } });
    await drifted(
      "lucid-ops",
      "admin-ui",
      "True NotAsDeclared",
      /admin-ui-envoy was changed \(data\["more\.yaml"\] added\), last written by somebodys-hand/,
    );
    await event("lucid-ops", "Drifted", /more\.yaml/);
    assert.equal(await leader.counted("lucid_controller_drift", 'zone="ops"', 'class="configuration"'), 1);
    await sleep(3_000);
    const { data } = await get(files);
    assert.ok((data as Record<string, string>)["more.yaml"], "nobody said that it is to be put right");
    await byHand(files, { data: { "more.yaml": null } });
    await drifted("lucid-ops", "admin-ui", "False AsDeclared");
    assert.equal(await leader.counted("lucid_controller_drift", 'zone="ops"'), 0);
  });

  it("of roots, a pod template and a role is told of", async () => {
    const trust = await planned("ConfigMap", "lucid-ops", "admin-ui-trust");
    const [file = ""] = Object.keys((await get(trust)).data as object);
    const before = (await get(trust)).data as Record<string, string>;
    await byHand(trust, { data: { [file]: "resources: []" } });
    await event("lucid-ops", "Drifted", /admin-ui-trust was changed \(data\["\w+\.yaml"\]\)/);
    await byHand(trust, { data: before });
    await drifted("lucid-ops", "admin-ui", "False AsDeclared");

    const deployment = await planned("Deployment", "lucid-ops", "admin-ui");
    const env = [
      { op: "add", path: "/spec/template/spec/containers/0/env/-", value: { name: "LD_PRELOAD", value: "/tmp/x.so" } },
    ];
    const none = [
      { op: "add", path: "/spec/template/spec/containers/0/env", value: [{ name: "LD_PRELOAD", value: "/tmp/x.so" }] },
    ];
    await byHand(deployment, env, "application/json-patch+json").catch(() =>
      byHand(deployment, none, "application/json-patch+json"),
    );
    await event(
      "lucid-ops",
      "Drifted",
      /Deployment lucid-ops\/admin-ui was changed \(spec\.template\.spec\.containers\[0\]\.env\)/,
    );

    const role = await planned("Role", "lucid-ops", "lucid-pod-reader");
    await byHand(role, { rules: [{ apiGroups: [""], resources: ["pods", "services"], verbs: ["get"] }] });
    await event("lucid-ops", "Drifted", /Role lucid-ops\/lucid-pod-reader was changed/);
    // It is of the whole zone.
    await drifted("lucid-ops", "jaeger", "True NotAsDeclared", /lucid-pod-reader/);
  });

  it("of a binding that gives a zone's account rights in the whole cluster is told of", async () => {
    const binding: Manifest = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "a-favour" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "ServiceAccount", namespace: "lucid-chain", name: "lucid-blocks" }],
    };
    await lab.api.create(binding, { manager: BY_HAND });
    await event(
      "lucid-mesh",
      "Drifted",
      /ClusterRoleBinding a-favour was added .*lucid-chain\/lucid-blocks.*by somebodys-hand/,
    );
    assert.ok(await get(binding), "it is told of, and left");
    await lab.api.remove(binding);
    const stranger = {
      ...binding,
      metadata: { name: "of-others" },
      subjects: [{ kind: "ServiceAccount", namespace: "default", name: "x" }],
    };
    await lab.api.create(stranger, { manager: BY_HAND });
    await sleep(2_000);
    assert.ok(
      !(await told("lucid-mesh")).some(({ message }) => message.includes("of-others")),
      "of nobody of the mesh",
    );
  });

  it("of a pod that no workload made, or without a sidecar, is a loss of enforcement", async () => {
    await lab.pod("admin-ui-stray", "10.244.0.9", true, []);
    await event("lucid-ops", "EnforcementLost", /Pod lucid-ops\/admin-ui-stray was added \(no workload made it\)/);
    assert.equal(await leader.counted("lucid_controller_drift", 'class="enforcement"'), 1);
    await lab.removePod("admin-ui-stray");
    await eventually("its end", async () => {
      assert.equal(await leader.counted("lucid_controller_drift", 'class="enforcement"'), 0);
    });
  });

  it("is left alone while an update changes the object, and is no longer once it has", async () => {
    const policy = await planned("NetworkPolicy", "lucid-ops", "prometheus");
    const key = "NetworkPolicy.lucid-ops.prometheus";
    const done = await planned("ConfigMap", "lucid-ops", "lucid-declared-done");
    const digest = (done.data as Record<string, string>)[key];
    assert.ok(digest);
    // As after an update that wrote another declaration, and has not come to the object yet.
    await byHand(done, { data: { [key]: "0".repeat(32) } });
    await sleep(1_000);
    await byHand(policy, { spec: { egress: null } });
    await sleep(5_000);
    assert.equal(((await get(policy)).spec as { egress?: unknown }).egress, undefined, "it is the update's to change");
    assert.ok(!(await told("lucid-ops")).some(({ message }) => message.includes("lucid-ops/prometheus was")));
    await byHand(done, { data: { [key]: digest } });
    await event("lucid-ops", "DriftRepaired", /NetworkPolicy lucid-ops\/prometheus/);
  });

  it("is left once somebody has changed it again after six repairs, and that is counted", async () => {
    const policy = await planned("NetworkPolicy", "lucid-ops", "jaeger");
    const isOpen = async () => ((await get(policy)).spec as { egress?: unknown }).egress === undefined;
    const left = () => leader.counted("lucid_controller_drift_left", 'zone="ops"', 'class="isolation"');
    assert.equal(await left(), 0);
    const stop = Date.now() + 120_000;
    while (!(await told("lucid-ops")).some(({ reason }) => reason === "DriftNotRepaired")) {
      assert.ok(Date.now() < stop, "it is put right again and again");
      if (!(await isOpen())) await byHand(policy, { spec: { egress: null } });
      await sleep(200);
    }
    await eventually("the last repair", async () => {
      assert.equal(await isOpen(), false);
    });
    // The watch tells of it a moment later.
    await eventually("the object as declared", async () => {
      assert.equal(await left(), 0);
    });
    await byHand(policy, { spec: { egress: null } });
    await eventually("the count", async () => {
      assert.equal(await left(), 1);
    });
    await sleep(5_000);
    assert.ok(await isOpen(), "it is left");
    await byHand(policy, { spec: policy.spec });
    await eventually("its end", async () => {
      assert.equal(await left(), 0);
    });
  });

  it("is put right by nobody once a program is about to take everything away", async () => {
    const done = await planned("ConfigMap", "lucid-chain", "lucid-declared-done");
    const policy = await planned("NetworkPolicy", "lucid-chain", "lucid-blocks");
    await lab.api.remove(done);
    await sleep(1_000);
    await lab.api.remove(policy);
    await sleep(5_000);
    await assert.rejects(get(policy), (error: unknown) => error instanceof Refusal && error.status === 404);
  });

  it("is told of without a failure of the controller's own", async () => {
    const failed = leader.output.split("\n").filter((line) => /"where":"(drift|watch|event) of /.test(line));
    assert.deepEqual(failed, []);
    assert.equal(await leader.counted("lucid_controller_failures_total", 'operation="drift"'), 0);
  });
});
