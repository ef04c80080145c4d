import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { markSecrets, readCheckpoint, writeCheckpoint } from "../../../dev/plugins/kubernetes/checkpoint";
import { diffConfig } from "../../../dev/plugins/kubernetes/config-diff";
import { builtInScope, parseToken, refusal } from "../../../dev/plugins/kubernetes/kinds";
import { loadKubeconfig } from "../../../dev/plugins/kubernetes/kubeconfig";
import { mergePatch } from "../../../dev/plugins/kubernetes/lifecycle/merge-patch";
import { fieldManagerFor, mayForce, takeOver, withIgnoredFields } from "../../../dev/plugins/kubernetes/managed-fields";
import { withFormerName, withGeneratedName } from "../../../dev/plugins/kubernetes/naming";
import { normalize } from "../../../dev/plugins/kubernetes/normalize";
import { idOf, type KubeObject, nameOf, parseId } from "../../../dev/plugins/kubernetes/objects";
import { contains, formatPath, parsePath } from "../../../dev/plugins/kubernetes/paths";
import { parseQuantity } from "../../../dev/plugins/kubernetes/quantity";
import { readSettings, type Settings } from "../../../dev/plugins/kubernetes/settings";
import { ConfigValues } from "../../../dev/plugins/protocol/config";
import { type Properties, reveal, Secret, UNKNOWN } from "../../../dev/plugins/protocol/values";

describe("kubernetes plugin: types", () => {
  const tokens: readonly (readonly [token: string, group: string, version: string, kind: string])[] = [
    ["kubernetes:core/v1:Pod", "", "v1", "Pod"],
    ["kubernetes:apps/v1:Deployment", "apps", "v1", "Deployment"],
    ["kubernetes:t.example.com/v1alpha1:Thing", "t.example.com", "v1alpha1", "Thing"],
  ];
  for (const [token, group, version, kind] of tokens) {
    it(token, () => {
      assert.deepEqual(parseToken(token), { group, version, kind });
      assert.equal(refusal(token), undefined);
    });
  }

  for (const token of [
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:yaml/v2:ConfigFile",
    "kubernetes:kustomize/v2:Directory",
    "kubernetes:core/v1:ConfigMapPatch",
    "kubernetes:core/v1:ConfigMapList",
  ]) {
    it(`${token} is refused`, () => {
      assert.match(refusal(token) ?? "", /list resources|not implemented/);
    });
  }

  it("a custom resource may be called Patch or List", () => {
    assert.equal(refusal("kubernetes:t.example.com/v1:DispatchPatch"), undefined);
    assert.equal(refusal("kubernetes:t.example.com/v1:AllowList"), undefined);
  });

  it("knows the scope of built-in kinds alone", () => {
    assert.equal(builtInScope({ group: "", version: "v1", kind: "Namespace" }), "cluster");
    assert.equal(builtInScope({ group: "", version: "v1", kind: "Secret" }), "namespaced");
    assert.equal(builtInScope({ group: "t.example.com", version: "v1", kind: "Thing" }), undefined);
  });
});

describe("kubernetes plugin: paths and quantities", () => {
  for (const path of ["spec.ports[0].name", 'data["a.yaml"]', 'metadata.annotations["pulumi.com/skipAwait"]']) {
    it(`${path} is read as it is written`, () => {
      assert.equal(formatPath(parsePath(path)), path);
    });
  }

  it("a path that can't be read is refused", () => {
    assert.throws(() => parsePath("a[x"), /cannot read/);
  });

  it("a path contains what lies below it", () => {
    assert.ok(contains(parsePath("spec.containers[*].image"), parsePath("spec.containers[2].image")));
    assert.ok(!contains(parsePath("spec.template"), parsePath("spec")));
  });

  const quantities: readonly (readonly [text: string, size: number | undefined])[] = [
    ["500m", 0.5],
    ["1Gi", 2 ** 30],
    ["2e3", 2000],
    ["1k", 1000],
    ["0.5", 0.5],
    ["-1", -1],
    ["", undefined],
    ["1 Gi", undefined],
    ["Gi", undefined],
  ];
  for (const [text, size] of quantities) {
    it(`${JSON.stringify(text)} is ${size === undefined ? "no quantity" : size}`, () => {
      assert.equal(parseQuantity(text), size);
    });
  }

  it("an id is namespace and name", () => {
    assert.equal(idOf({ metadata: { name: "a", namespace: "n" } }), "n/a");
    assert.deepEqual(parseId("n/a"), { namespace: "n", name: "a" });
    assert.deepEqual(parseId("a"), { namespace: "", name: "a" });
  });
});

describe("kubernetes plugin: normal form", () => {
  const secret = (rest: KubeObject): KubeObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s" },
    ...rest,
  });

  it("a Secret's stringData goes into data, over what is there", () => {
    assert.deepEqual(normalize(secret({ data: { a: "eA==", b: "eQ==" }, stringData: { a: "new" } })), {
      ...secret({ data: { a: "bmV3", b: "eQ==" } }),
    });
  });

  it("base64 loses its line breaks, other text stays for the server to refuse", () => {
    assert.deepEqual(
      normalize(secret({ data: { a: "eA\n==\n", b: "no base64!" } })),
      secret({ data: { a: "eA==", b: "no base64!" } }),
    );
  });

  it("an object with unknowns stays as it is", () => {
    const object = secret({ stringData: { a: UNKNOWN } });
    assert.deepEqual(normalize(object), object);
  });

  it("a custom resource called Secret stays as it is", () => {
    const object = { apiVersion: "t.example.com/v1", kind: "Secret", stringData: { a: "b" } };
    assert.deepEqual(normalize(object), object);
  });

  it("metadata that only the server writes is taken off", () => {
    const metadata = { name: "a", uid: "u", resourceVersion: "1", managedFields: [], creationTimestamp: null };
    assert.deepEqual(normalize({ apiVersion: "v1", kind: "ConfigMap", metadata }).metadata, { name: "a" });
  });
});

describe("kubernetes plugin: what is stored", () => {
  const inputs: Properties = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a" },
    data: { open: "1", hidden: new Secret("2") },
  };

  it("marks secret what was secret in the inputs, and no more", () => {
    assert.deepEqual(markSecrets(reveal(inputs), inputs), inputs);
  });

  it("marks a list secret as a whole", () => {
    assert.deepEqual(markSecrets({ list: ["1", "2"] }, { list: ["1", new Secret("2")] }), {
      list: new Secret(["1", "2"]),
    });
  });

  it("marks a Secret's data whatever the inputs say", () => {
    const outputs = markSecrets({ kind: "Secret", data: { a: "b" } }, {});
    assert.ok(outputs.data instanceof Secret);
  });

  it("reads what it writes, with schema names as the SDK has them in between", () => {
    const schema = { "x-kubernetes-preserve-unknown-fields": true };
    const object = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", spec: { schema } };
    const checkpoint = { inputs: object, live: { ...object, status: {} }, initialApiVersion: "v1", fieldManager: "m" };
    const stored = writeCheckpoint(checkpoint, object);
    assert.deepEqual(stored.spec, { schema: { x_kubernetes_preserve_unknown_fields: true } });
    assert.deepEqual(readCheckpoint(stored), checkpoint);
  });
});

describe("kubernetes plugin: names", () => {
  const seed = new Uint8Array([1, 2, 3]);

  it("an unnamed object gets one, the same for one seed", () => {
    const named = withGeneratedName({ kind: "ConfigMap" }, "settings", seed);
    assert.match(nameOf(named), /^settings-[0-9a-f]{8}$/);
    assert.deepEqual(withGeneratedName({ kind: "ConfigMap" }, "settings", seed), named);
    assert.deepEqual(withFormerName({ kind: "ConfigMap" }, named), named);
  });

  it("a name that is given stays, known or not", () => {
    for (const name of ["given", UNKNOWN]) {
      const object = { metadata: { name } };
      assert.deepEqual(withGeneratedName(object, "settings", seed), object);
    }
  });
});

describe("kubernetes plugin: field managers", () => {
  const entry = (manager: string, operation: string, fieldsV1: KubeObject, rest: KubeObject = {}): KubeObject => ({
    manager,
    operation,
    fieldsV1,
    ...rest,
  });
  const live = (...managedFields: KubeObject[]): KubeObject => ({ metadata: { name: "a", managedFields } });

  it("each object has its own, kept in the state; an annotation goes before", () => {
    assert.match(fieldManagerFor({}, "", true), /^pulumi-kubernetes-[0-9a-f]{8}$/);
    assert.equal(fieldManagerFor({}, "stored", true), "stored");
    const annotations = { "pulumi.com/patchFieldManager": "mine" };
    assert.equal(fieldManagerFor({ metadata: { annotations } }, "stored", true), "mine");
    assert.equal(fieldManagerFor({}, "stored", false), "pulumi-kubernetes");
  });

  it("turns over what kubectl and creation own, and leaves the rest", () => {
    const other = entry("controller", "Update", { "f:status": {} });
    const status = entry("kubectl-edit", "Update", { "f:status": {} }, { subresource: "status" });
    const taken = takeOver(
      live(
        entry("pulumi-kubernetes", "Update", { "f:data": { "f:a": {} } }),
        other,
        status,
        entry("kubectl-edit", "Update", { "f:data": { "f:b": {} } }),
      ),
      "own",
    );
    assert.deepEqual(taken, [other, status, entry("own", "Apply", { "f:data": { "f:a": {}, "f:b": {} } })]);
  });

  it("turns nothing over where there is nothing", () => {
    assert.equal(takeOver(live(entry("own", "Apply", {}), entry("controller", "Update", {})), "own"), undefined);
  });

  const force = { metadata: { annotations: { "pulumi.com/patchForce": "true" } } };
  const own = live(entry("own", "Apply", {}));
  const created = live(entry("pulumi-kubernetes", "Update", {}));
  const cases: readonly (readonly [string, Parameters<typeof mayForce>, boolean])[] = [
    ["an update respects other managers", [{}, own, false, false], false],
    ["the annotation overrules them", [force, own, false, false], true],
    ["the provider's argument does too", [{}, own, true, false], true],
    ["a preview of a replacement does", [{}, undefined, false, true], true],
    ["a preview of an object that creation still owns does", [{}, created, false, true], true],
    ["an update of it does not: its fields are turned over before", [{}, created, false, false], false],
    ["an object without managed fields has no owners", [{}, live(), false, false], true],
  ];
  for (const [name, args, expected] of cases) {
    it(name, () => {
      assert.equal(mayForce(...args), expected);
    });
  }

  it("ignored fields are left to their other owner, or applied as they are", () => {
    const object = {
      ...live(
        entry("own", "Apply", { "f:spec": { "f:image": {} } }),
        entry("autoscaler", "Update", { "f:spec": { "f:replicas": {} } }),
      ),
      spec: { replicas: 5, image: "live" },
    };
    const inputs = { spec: { replicas: 1, image: "new", other: 1 } };
    assert.deepEqual(withIgnoredFields(inputs, object, "own", ["spec.replicas", "spec.image"]), {
      spec: { image: "live", other: 1 },
    });
  });
});

describe("kubernetes plugin: merge patches", () => {
  it("says what to set and what to take away", () => {
    assert.deepEqual(mergePatch({ a: 1, b: { c: 1, d: 1 }, l: [1] }, { b: { c: 2, d: 1 }, l: [1, 2], n: true }), {
      a: null,
      b: { c: 2 },
      l: [1, 2],
      n: true,
    });
  });
});

describe("kubernetes plugin: provider arguments", () => {
  const settings = (properties: Properties, env: NodeJS.ProcessEnv = {}): Settings =>
    readSettings(new ConfigValues(properties), env);

  it("server-side apply is on, everything else off", () => {
    const found = settings({});
    assert.equal(found.serverSideApply, true);
    assert.deepEqual(found.mutable, { configMaps: false, secrets: false });
    assert.deepEqual([found.patchForce, found.upsert, found.deleteUnreachable], [false, false, false]);
  });

  it("arguments go before environment variables", () => {
    const env = { PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE: "true", PULUMI_K8S_ENABLE_SECRET_MUTABLE: "true" };
    assert.deepEqual(settings({ enableSecretMutable: "false" }, env).mutable, { configMaps: true, secrets: false });
  });

  it("a kubeconfig may be an object", () => {
    assert.equal(settings({ kubeconfig: { a: 1 } }).kubeconfig, '{"a":1}');
  });

  it("rendering is refused", () => {
    assert.throws(() => settings({ renderYamlToDirectory: "out" }), /renderYamlToDirectory/);
  });
});

describe("kubernetes plugin: kubeconfig", () => {
  const kubeconfig = (server: string, token = "t"): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      contexts: [
        { name: "c", context: { cluster: "k", user: "u", namespace: "n" } },
        { name: "other", context: { cluster: "missing", user: "u" } },
      ],
      clusters: [{ name: "k", cluster: { server } }],
      users: [{ name: "u", user: { token } }],
    });
  const base = readSettings(new ConfigValues({}), {});
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is taken as text and as a path", () => {
    const path = join(directory, "kubeconfig");
    writeFileSync(path, kubeconfig("https://a"));
    for (const given of [path, kubeconfig("https://a")]) {
      assert.equal(loadKubeconfig({ ...base, kubeconfig: given }).getCurrentCluster()?.server, "https://a");
    }
  });

  it("a file that isn't there, a context or a cluster that isn't in it, is said", () => {
    const load = (rest: Partial<Settings>) => () =>
      loadKubeconfig({ ...base, kubeconfig: kubeconfig("https://a"), ...rest });
    assert.throws(load({ kubeconfig: join(directory, "none") }), /no file is at/);
    assert.throws(load({ context: "none" }), /context "none" does not exist/);
    assert.throws(load({ context: "other" }), /cluster "missing" does not exist/);
    assert.throws(load({ cluster: "none" }), /cluster "none" does not exist/);
  });

  const changes: readonly (readonly [string, Properties, Properties, readonly string[] | undefined])[] = [
    ["nothing", { kubeconfig: "/none" }, { kubeconfig: "/none" }, undefined],
    [
      "another setting",
      { kubeconfig: kubeconfig("https://a") },
      { kubeconfig: kubeconfig("https://a"), namespace: "n" },
      [],
    ],
    ["other credentials", { kubeconfig: kubeconfig("https://a") }, { kubeconfig: kubeconfig("https://a", "u") }, []],
    [
      "another cluster",
      { kubeconfig: kubeconfig("https://a") },
      { kubeconfig: kubeconfig("https://b") },
      ["kubeconfig"],
    ],
    ["one not known yet", { kubeconfig: kubeconfig("https://a") }, { kubeconfig: UNKNOWN }, ["kubeconfig"]],
    ["a kubeconfig where there was none", {}, { kubeconfig: kubeconfig("https://a") }, []],
    [
      "another cluster under one identifier",
      { kubeconfig: kubeconfig("https://a"), clusterIdentifier: "x" },
      { kubeconfig: kubeconfig("https://b"), clusterIdentifier: "x" },
      [],
    ],
    ["another identifier", { clusterIdentifier: "x" }, { clusterIdentifier: "y" }, ["clusterIdentifier"]],
  ];
  for (const [name, olds, news, replaces] of changes) {
    it(`${name} ${replaces === undefined ? "changes nothing" : replaces.length > 0 ? "replaces" : "replaces nothing"}`, () => {
      const result = diffConfig(olds, news);
      assert.equal(result.changes ?? false, replaces !== undefined);
      assert.deepEqual(result.replaces, replaces);
    });
  }

  it("a changed path at which nothing is can't be compared", () => {
    assert.throws(
      () => diffConfig({ kubeconfig: "/none" }, { kubeconfig: kubeconfig("https://a") }),
      /no file is at "\/none"/,
    );
  });
});
