import assert from "node:assert/strict";

import { ApiClient } from "../../../dev/plugins/kubernetes/api-client";
import { isNotFound } from "../../../dev/plugins/kubernetes/api-error";
import { loadKubeconfig } from "../../../dev/plugins/kubernetes/kubeconfig";
import { type KubeObject, textAt, uidOf } from "../../../dev/plugins/kubernetes/objects";
import { readSettings } from "../../../dev/plugins/kubernetes/settings";
import { kubeconfigPath } from "../../../dev/paths";
import { ConfigValues } from "../../../dev/plugins/protocol/config";
import { type Properties, reveal, Secret } from "../../../dev/plugins/protocol/values";
import { Engine, type Stored } from "./engine";

const NAMESPACE = "plugin-test";
const NAMESPACE_PATH = `/api/v1/namespaces/${NAMESPACE}`;
const CONFIG: Properties = { kubeconfig: kubeconfigPath, enableConfigMapMutable: "true", enableSecretMutable: "true" };

const metadata = (name: string): Properties => ({ name, namespace: NAMESPACE });
const configMap = (name: string, data: Properties, annotations: Properties = {}): Properties => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { ...metadata(name), annotations },
  data,
});

function deployment(name: string, image: string, seconds: number): Properties {
  const labels = { app: name };
  const containers = [
    { name: "main", image, resources: { requests: { cpu: "0.001" }, limits: { memory: "0.0625Gi" } } },
  ];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...metadata(name), annotations: { "pulumi.com/timeoutSeconds": String(seconds) } },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}

describe("the stand-in for the Kubernetes plugin, on the cluster", function () {
  this.timeout(120_000);

  const api = new ApiClient(loadKubeconfig(readSettings(new ConfigValues(CONFIG), {})), 10_000);
  let engine: Engine;
  let namespace: Stored;

  const live = async (path: string): Promise<KubeObject | undefined> => {
    try {
      return await api.send({ method: "GET", path: `${NAMESPACE_PATH}${path}` });
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  };
  const drift = async (path: string, manager: string, body: KubeObject): Promise<void> => {
    const contentType = "application/merge-patch+json";
    const query = { fieldManager: manager };
    await api.send({ method: "PATCH", path: `${NAMESPACE_PATH}${path}`, query, contentType, body });
  };

  before(async () => {
    engine = await Engine.with(CONFIG);
    const inputs = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
    namespace = (await engine.up("kubernetes:core/v1:Namespace", "ns", inputs)).stored;
  });
  after(async () => {
    await engine.destroy(namespace);
    assert.equal(await live(""), undefined);
    api.close();
  });

  it("creates, then changes nothing, also after a refresh", async () => {
    const inputs = configMap("quiet", { a: "1" });
    const { stored } = await engine.up("kubernetes:core/v1:ConfigMap", "quiet", inputs);
    assert.equal(stored.id, `${NAMESPACE}/quiet`);
    assert.equal((await engine.up(stored.token, stored.name, inputs, stored)).done, "unchanged");
    const refreshed = await engine.refresh(stored);
    assert.ok(refreshed);
    assert.equal((await engine.up(stored.token, stored.name, inputs, refreshed)).done, "unchanged");
  });

  it("a preview touches nothing and knows what the server would fill in", async () => {
    const outputs = await engine.preview("kubernetes:core/v1:ConfigMap", "p", configMap("previewed", { a: "1" }));
    assert.notEqual(textAt(outputs, "metadata", "creationTimestamp"), "");
    assert.equal(await live("/configmaps/previewed"), undefined);
  });

  it("changes a ConfigMap in place, and takes away what is no longer declared", async () => {
    const { stored } = await engine.up("kubernetes:core/v1:ConfigMap", "c", configMap("changed", { a: "1", b: "1" }));
    const { stored: after, done } = await engine.up(stored.token, "c", configMap("changed", { a: "2" }), stored);
    assert.equal(done, "updated");
    assert.equal(uidOf(after.outputs), uidOf(stored.outputs));
    assert.deepEqual((await live("/configmaps/changed"))?.data, { a: "2" });
  });

  it("an object that is there already is not taken over", async () => {
    await api.send({ method: "POST", path: `${NAMESPACE_PATH}/configmaps`, body: configMap("taken", { a: "theirs" }) });
    await assert.rejects(
      engine.up("kubernetes:core/v1:ConfigMap", "t", configMap("taken", { a: "ours" })),
      /already exists/,
    );
    assert.deepEqual((await live("/configmaps/taken"))?.data, { a: "theirs" });
  });

  it("puts drift by kubectl right after a refresh", async () => {
    const inputs = configMap("drifting", { a: "1" });
    const { stored } = await engine.up("kubernetes:core/v1:ConfigMap", "d", inputs);
    await drift("/configmaps/drifting", "kubectl-edit", { data: { a: "2" } });
    const refreshed = await engine.refresh(stored);
    assert.ok(refreshed);
    assert.equal((await engine.up(stored.token, "d", inputs, refreshed)).done, "updated");
    assert.deepEqual((await live("/configmaps/drifting"))?.data, { a: "1" });
  });

  it("drift by another manager is a conflict that names it, unless the object says to force", async () => {
    const inputs = configMap("contested", { a: "1" });
    const { stored } = await engine.up("kubernetes:core/v1:ConfigMap", "x", inputs);
    await drift("/configmaps/contested", "somebody-else", { data: { a: "2" } });
    const refreshed = await engine.refresh(stored);
    assert.ok(refreshed);
    await assert.rejects(engine.up(stored.token, "x", inputs, refreshed), /somebody-else.*patchForce/s);
    const forced = configMap("contested", { a: "1" }, { "pulumi.com/patchForce": "true" });
    assert.equal((await engine.up(stored.token, "x", forced, refreshed)).done, "updated");
    assert.deepEqual((await live("/configmaps/contested"))?.data, { a: "1" });
  });

  it("a Secret's stringData is stored as data, secret, and is no change the next time", async () => {
    const inputs = { apiVersion: "v1", kind: "Secret", metadata: metadata("s"), stringData: { key: "value" } };
    const { stored } = await engine.up("kubernetes:core/v1:Secret", "s", inputs);
    assert.ok(stored.inputs.data instanceof Secret && stored.outputs.data instanceof Secret);
    assert.deepEqual(reveal(stored.outputs.data), { key: Buffer.from("value").toString("base64") });
    assert.equal((await engine.up(stored.token, "s", inputs, stored)).done, "unchanged");
  });

  it("a custom resource follows its definition at once", async () => {
    const definition: Properties = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "things.plugintest.lucid.internal" },
      spec: {
        group: "plugintest.lucid.internal",
        scope: "Namespaced",
        names: { kind: "Thing", plural: "things", singular: "thing" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: { spec: { type: "object", x_kubernetes_preserve_unknown_fields: true } },
              },
            },
          },
        ],
      },
    };
    const token = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition";
    const { stored } = await engine.up(token, "crd", definition);
    try {
      const thing = {
        apiVersion: "plugintest.lucid.internal/v1",
        kind: "Thing",
        metadata: metadata("t"),
        spec: { size: 1 },
      };
      const made = await engine.up("kubernetes:plugintest.lucid.internal/v1:Thing", "t", thing);
      assert.equal((await engine.up(token, "crd", definition, stored)).done, "unchanged");
      await engine.destroy(made.stored);
    } finally {
      await engine.destroy(stored);
    }
  });

  it("waits for a Deployment's pods, and plans no change for quantities written otherwise", async () => {
    const inputs = deployment("ready", "registry.k8s.io/pause:3.10", 60);
    const { stored } = await engine.up("kubernetes:apps/v1:Deployment", "ready", inputs);
    const ready = textAt(reveal(stored.outputs), "metadata", "name");
    assert.equal(ready, "ready");
    assert.equal((await live("/pods"))?.kind, "PodList");
    const refreshed = await engine.refresh(stored);
    assert.ok(refreshed);
    assert.equal((await engine.up(stored.token, "ready", inputs, refreshed)).done, "unchanged");
    await engine.destroy(stored);
    assert.equal(await engine.refresh(stored), undefined);
  });

  it("an image that isn't there: says so, and keeps the object in the state", async () => {
    const image = "registry.lucid.internal/nothing:none";
    const inputs = deployment("failing", image, 15);
    const { stored, reasons } = await engine.failing("kubernetes:apps/v1:Deployment", "failing", inputs);
    assert.match(reasons.join("\n"), /timed out waiting to be Ready/);
    assert.match(reasons.join("\n"), new RegExp(`(ErrImagePull|ImagePullBackOff).*${image}`));
    assert.equal(stored.id, `${NAMESPACE}/failing`);
    await engine.destroy(stored);
    assert.equal(await live("/deployments/failing"), undefined);
  });

  it("an unknown field is refused", async () => {
    const inputs = { ...configMap("typo", {}), datas: { a: "1" } };
    await assert.rejects(engine.up("kubernetes:core/v1:ConfigMap", "typo", inputs), /unknown field "datas"/);
  });

  it("with no cluster in reach a preview shows the inputs, and a deployment says what is wrong", async () => {
    for (const kubeconfig of ["/nowhere/kubeconfig", unreachable()]) {
      const offline = await Engine.with({ ...CONFIG, kubeconfig });
      const inputs = configMap("offline", { a: "1" });
      assert.deepEqual(await offline.preview("kubernetes:core/v1:ConfigMap", "o", inputs), inputs);
      assert.match(offline.log.join("\n"), /no Kubernetes cluster is in reach/);
      await assert.rejects(offline.up("kubernetes:core/v1:ConfigMap", "o", inputs), /cluster is unreachable/);
    }
  });
});

/** A kubeconfig for a port at which nothing listens. */
function unreachable(): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
    clusters: [{ name: "k", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "u", user: {} }],
  });
}
