import assert from "node:assert/strict";

import { diffObjects } from "../../../dev/plugins/kubernetes/diff";
import type { KubeObject } from "../../../dev/plugins/kubernetes/objects";
import { prune, withDropped } from "../../../dev/plugins/kubernetes/prune";
import type { Mutability } from "../../../dev/plugins/kubernetes/replacement";
import type { DiffResult } from "../../../dev/plugins/protocol/provider";
import { UNKNOWN } from "../../../dev/plugins/protocol/values";

const MUTABLE: Mutability = { configMaps: true, secrets: true };
const IMMUTABLE: Mutability = { configMaps: false, secrets: false };

const meta = { name: "a", namespace: "n" };

function object(apiVersion: string, kind: string, rest: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: meta, ...rest };
}

const configMap = (data: KubeObject, rest: KubeObject = {}): KubeObject => object("v1", "ConfigMap", { data, ...rest });

interface Options {
  readonly live?: KubeObject;
  readonly mutable?: Mutability;
  readonly ignoreChanges?: readonly string[];
  readonly namespaced?: boolean;
}

function diff(before: KubeObject, after: KubeObject, options: Options = {}): DiffResult {
  return diffObjects({
    oldInputs: before,
    oldLive: options.live ?? before,
    newInputs: after,
    namespaced: options.namespaced ?? true,
    mutable: options.mutable ?? MUTABLE,
    ignoreChanges: options.ignoreChanges ?? [],
  });
}

/** Differences as `kind path`, sorted. */
function summary(result: DiffResult): string[] {
  return Object.entries(result.detailedDiff ?? {})
    .map(([path, { kind }]) => `${kind} ${path}`)
    .sort();
}

describe("kubernetes plugin: differences", () => {
  const deployment = (spec: KubeObject): KubeObject => object("apps/v1", "Deployment", { spec });
  const container = (rest: KubeObject): KubeObject =>
    deployment({ template: { spec: { containers: [{ name: "c", image: "i:1", ...rest }] } } });

  const cases: readonly {
    readonly name: string;
    readonly before: KubeObject;
    readonly after: KubeObject;
    readonly options?: Options;
    readonly expected: readonly string[];
  }[] = [
    { name: "nothing changed", before: configMap({ a: "1" }), after: configMap({ a: "1" }), expected: [] },
    {
      name: "a value changed, one added, one taken away",
      before: configMap({ a: "1", b: "1" }),
      after: configMap({ a: "2", c: "1" }),
      expected: ["add data.c", "delete data.b", "update data.a"],
    },
    {
      name: "a key with dots is quoted",
      before: configMap({ "a.yaml": "1" }),
      after: configMap({ "a.yaml": "2" }),
      expected: ['update data["a.yaml"]'],
    },
    {
      name: "what the cluster filled in is no difference",
      before: configMap({ a: "1" }),
      after: configMap({ a: "1" }),
      options: { live: configMap({ a: "1" }, { metadata: { ...meta, uid: "u", resourceVersion: "1" }, status: {} }) },
      expected: [],
    },
    {
      name: "drift that a refresh brought into the state",
      before: configMap({ a: "drifted" }),
      after: configMap({ a: "1" }),
      expected: ["update data.a"],
    },
    {
      name: "a value the API server dropped, said again",
      before: object("v1", "Pod", { spec: { hostNetwork: false, nodeName: "x" } }),
      after: object("v1", "Pod", { spec: { hostNetwork: false, nodeName: "x" } }),
      options: { live: object("v1", "Pod", { spec: { nodeName: "x" } }) },
      expected: [],
    },
    {
      name: "a custom resource's field that its schema drops remains a difference",
      before: object("t.example.com/v1", "Thing", { spec: { typo: 1 } }),
      after: object("t.example.com/v1", "Thing", { spec: { typo: 1 } }),
      options: { live: object("t.example.com/v1", "Thing", { spec: {} }) },
      expected: ["add spec.typo"],
    },
    {
      name: "quantities of one size",
      before: container({ resources: { requests: { cpu: "1000m", memory: "1024Mi" } } }),
      after: container({ resources: { requests: { cpu: 1, memory: "1024Mi" } } }),
      options: { live: container({ resources: { requests: { cpu: "1", memory: "1Gi" } } }) },
      expected: [],
    },
    {
      name: "quantities of different size",
      before: container({ resources: { requests: { cpu: "1" } } }),
      after: container({ resources: { requests: { cpu: "1500m" } } }),
      expected: ["update spec.template.spec.containers[0].resources.requests.cpu"],
    },
    {
      name: "texts that merely look like quantities",
      before: configMap({ a: "1000m" }),
      after: configMap({ a: "1" }),
      expected: ["update data.a"],
    },
    {
      name: "list elements added and taken away at the end",
      before: object("v1", "Endpoints", { subsets: [{ a: 1 }, { b: 1 }] }),
      after: object("v1", "Endpoints", { subsets: [{ a: 1 }] }),
      expected: ["delete subsets[1]"],
    },
    {
      name: "a value that isn't known yet",
      before: configMap({ a: "1" }),
      after: configMap({ a: UNKNOWN, b: UNKNOWN }),
      expected: ["add data.b", "update data.a"],
    },
    {
      name: "ignored changes",
      before: configMap({ a: "1", b: "1" }),
      after: configMap({ a: "2", b: "2" }),
      options: { ignoreChanges: ["data.a"] },
      expected: ["update data.b"],
    },
    {
      name: "an ignored parent",
      before: configMap({ a: "1", b: "1" }),
      after: configMap({ a: "2", b: "2" }),
      options: { ignoreChanges: ["data"] },
      expected: [],
    },
    {
      name: "null is nothing",
      before: configMap({ a: "1" }),
      after: { ...configMap({ a: "1" }), immutable: null },
      expected: [],
    },
    {
      name: "the default namespace, said and unsaid",
      before: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default" } },
      after: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
      expected: [],
    },
    {
      name: "a namespace put on a cluster's object by mistake",
      before: { apiVersion: "v1", kind: "Namespace", metadata: { name: "a", namespace: "default" } },
      after: { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } },
      options: { namespaced: false },
      expected: [],
    },
  ];
  for (const { name, before, after, options, expected } of cases) {
    it(name, () => {
      const result = diff(before, after, options);
      assert.deepEqual(summary(result), expected);
      assert.equal(result.changes, expected.length > 0);
      assert.deepEqual(result.replaces, []);
      assert.equal(result.deleteBeforeReplace, false);
    });
  }
});

describe("kubernetes plugin: replacements", () => {
  const at = (path: string, value: string | number): KubeObject => {
    const [first = "", ...rest] = path.split(".");
    return { [first]: rest.length === 0 ? value : at(rest.join("."), value) };
  };
  const cases: readonly (readonly [kind: string, path: string, mutable: Mutability, replaces: boolean])[] = [
    ["v1 ConfigMap", "data.a", MUTABLE, false],
    ["v1 ConfigMap", "data.a", IMMUTABLE, true],
    ["v1 ConfigMap", "binaryData.a", IMMUTABLE, true],
    ["v1 Secret", "data.a", MUTABLE, false],
    ["v1 Secret", "data.a", IMMUTABLE, true],
    ["v1 Secret", "type", MUTABLE, true],
    ["v1 Service", "spec.clusterIP", MUTABLE, true],
    ["v1 Service", "spec.type", MUTABLE, false],
    ["v1 PersistentVolumeClaim", "spec.storageClassName", MUTABLE, true],
    ["v1 PersistentVolumeClaim", "spec.resources.requests.storage", MUTABLE, false],
    ["v1 Pod", "spec.nodeName", MUTABLE, true],
    ["v1 Pod", "spec.activeDeadlineSeconds", MUTABLE, false],
    ["apps/v1 Deployment", "spec.selector.matchLabels.app", MUTABLE, true],
    ["apps/v1 Deployment", "spec.replicas", MUTABLE, false],
    ["apps/v1 Deployment", "spec.template.spec.nodeName", MUTABLE, false],
    ["apps/v1 DaemonSet", "spec.selector.matchLabels.app", MUTABLE, true],
    ["apps/v1 StatefulSet", "spec.serviceName", MUTABLE, true],
    ["apps/v1 StatefulSet", "spec.podManagementPolicy", MUTABLE, true],
    ["apps/v1 StatefulSet", "spec.volumeClaimTemplates", MUTABLE, true],
    ["apps/v1 StatefulSet", "spec.replicas", MUTABLE, false],
    ["batch/v1 Job", "spec.template.spec.nodeName", MUTABLE, true],
    ["batch/v1 Job", "spec.parallelism", MUTABLE, true],
    ["batch/v1 Job", "spec.suspend", MUTABLE, false],
    ["rbac.authorization.k8s.io/v1 RoleBinding", "roleRef.name", MUTABLE, true],
    ["rbac.authorization.k8s.io/v1 ClusterRoleBinding", "roleRef.name", MUTABLE, true],
    ["rbac.authorization.k8s.io/v1 RoleBinding", "subjects", MUTABLE, false],
    ["storage.k8s.io/v1 StorageClass", "provisioner", MUTABLE, true],
    ["networking.k8s.io/v1 NetworkPolicy", "spec.podSelector.matchLabels.app", MUTABLE, false],
    ["t.example.com/v1 Thing", "spec.size", MUTABLE, false],
  ];
  for (const [type, path, mutable, replaces] of cases) {
    it(`${type} ${path} ${replaces ? "replaces" : "is changed in place"}${mutable.secrets ? "" : ", not mutable"}`, () => {
      const [apiVersion = "", kind = ""] = type.split(" ");
      const before = object(apiVersion, kind, at(path, "1"));
      const result = diff(before, object(apiVersion, kind, at(path, "2")), { mutable });
      assert.deepEqual(summary(result), [`${replaces ? "update-replace" : "update"} ${path}`]);
      assert.deepEqual(result.replaces, replaces ? [path] : []);
      assert.equal(result.deleteBeforeReplace, replaces);
    });
  }

  it("a ConfigMap that is immutable is replaced where ConfigMaps are mutable", () => {
    const result = diff(configMap({ a: "1" }, { immutable: true }), configMap({ a: "2" }, { immutable: true }));
    assert.deepEqual(result.replaces, ["data.a"]);
  });

  it("a container's image replaces a Pod", () => {
    const pod = (image: string): KubeObject => object("v1", "Pod", { spec: { containers: [{ name: "c", image }] } });
    assert.deepEqual(summary(diff(pod("a"), pod("b"))), ["update-replace spec.containers[0].image"]);
  });

  it("a field within an added part replaces", () => {
    const before = object("apps/v1", "Deployment", {});
    const after = object("apps/v1", "Deployment", { spec: { selector: { matchLabels: { app: "a" } } } });
    assert.deepEqual(summary(diff(before, after)), ["add-replace spec"]);
  });

  it("another name is another object, made before the old one goes", () => {
    const after = { ...configMap({ a: "1" }), metadata: { ...meta, name: "b" } };
    const result = diff(configMap({ a: "1" }), after);
    assert.deepEqual(result.replaces, ["metadata.name"]);
    assert.equal(result.deleteBeforeReplace, false);
  });

  it("another namespace is another object, made before the old one goes", () => {
    const after = { ...configMap({ a: "1" }), metadata: { ...meta, namespace: "m" } };
    const result = diff(configMap({ a: "1" }), after);
    assert.deepEqual(result.replaces, ["metadata.namespace"]);
    assert.equal(result.deleteBeforeReplace, false);
  });

  it("an object with a generated name is replaced before it goes", () => {
    const metadata = { ...meta, annotations: { "pulumi.com/autonamed": "true" } };
    const before = configMap({ a: "1" }, { metadata });
    const result = diff(before, configMap({ a: "2" }, { metadata }), { mutable: IMMUTABLE });
    assert.deepEqual(result.replaces, ["data.a"]);
    assert.equal(result.deleteBeforeReplace, false);
  });
});

describe("kubernetes plugin: live objects in the shape of inputs", () => {
  it("keeps what the inputs name, in lists by position", () => {
    const live: KubeObject = { a: 1, b: { c: 1, d: 2 }, list: [{ x: 1, y: 2 }, { x: 3 }], extra: true };
    assert.deepEqual(prune(live, { b: { c: 9 }, list: [{ y: 9 }], gone: 1 }), { b: { c: 1 }, list: [{ y: 2 }] });
  });

  it("puts back what was dropped when it was applied, not what was taken away since", () => {
    const inputs = { dropped: false, removed: false, inner: { dropped: [], kept: 1 }, list: [{ dropped: "" }] };
    const applied = { removed: false, inner: { kept: 1 }, list: [{ name: "c" }] };
    const live = { inner: { kept: 2 }, list: [{ name: "c" }] };
    assert.deepEqual(withDropped(prune(live, inputs), inputs, applied), {
      dropped: false,
      inner: { dropped: [], kept: 2 },
      list: [{ dropped: "" }],
    });
  });
});
