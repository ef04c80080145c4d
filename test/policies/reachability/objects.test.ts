import assert from "node:assert/strict";
import { Field, Unjudgeable } from "../../../policies/judgement/field";
import { UNKNOWN } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import {
  ManifestError,
  meshObjects,
  plannedObject,
  readManifests,
  violationText,
} from "../../../policies/reachability";

const planned = (type: string, inputs: Plain) =>
  plannedObject({ type, name: "it", properties: new Field(inputs) })?.object;

describe("objects of a plan", () => {
  const TYPES: readonly (readonly [type: string, apiVersion: string, kind: string])[] = [
    ["kubernetes:core/v1:Namespace", "v1", "Namespace"],
    ["kubernetes:v1:Namespace", "v1", "Namespace"],
    ["kubernetes:apps/v1:Deployment", "apps/v1", "Deployment"],
    ["kubernetes:networking.k8s.io/v1:NetworkPolicy", "networking.k8s.io/v1", "NetworkPolicy"],
    // Nothing models these, so whoever reads them refuses them.
    ["kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", "networking.k8s.io/v1", "NetworkPolicyPatch"],
    ["kubernetes:helm.sh/v3:Release", "helm.sh/v3", "Release"],
  ];
  for (const [type, apiVersion, kind] of TYPES) {
    it(`are of the API that ${type} says`, () => {
      assert.deepEqual(planned(type, { metadata: { name: "a" } }), { apiVersion, kind, metadata: { name: "a" } });
      assert.deepEqual(planned(type, { apiVersion, kind }), { apiVersion, kind });
    });
  }

  it("are none for other resources", () => {
    assert.equal(planned("tls:index/privateKey:PrivateKey", {}), undefined);
  });

  it("keep what is not known yet as unknown", () => {
    const object = planned("kubernetes:core/v1:Secret", { data: UNKNOWN }) as { readonly data: Plain };
    assert.equal(object.data, UNKNOWN);
  });

  for (const [title, inputs] of [
    ["of another kind than their type", { kind: "Secret" }],
    ["of another API than their type", { apiVersion: "v2" }],
    ["of a kind that isn't known yet", { kind: UNKNOWN }],
    ["of which nothing is known", UNKNOWN],
  ] as const) {
    it(`can't be judged where they are ${title}`, () => {
      assert.throws(() => planned("kubernetes:core/v1:ConfigMap", inputs), Unjudgeable);
    });
  }
});

describe("objects of the mesh", () => {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "lucid-ops" } };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "lucid-ops" } };
  const other = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "kube-system" } };

  it("are those of its namespaces, out of lists too", () => {
    const list = { apiVersion: "v1", kind: "List", items: [pod, other] };
    assert.deepEqual(meshObjects([namespace, list, other]), [namespace, pod]);
  });

  it("are also those of which it can't be told where they lie", () => {
    const unknown: Plain = { kind: "Pod", metadata: { namespace: UNKNOWN } };
    const strange: Plain = { kind: "List", items: [pod] };
    const unsaid: Plain = { kind: "Pod", metadata: { namespace: "" } };
    const list = [unknown, unsaid, strange, "text", {}];
    assert.deepEqual(meshObjects(list), list);
  });
});

describe("manifests", () => {
  it("are YAML of several documents, or JSON", () => {
    assert.deepEqual(readManifests("---\nkind: A\n---\n---\nkind: B\n"), [{ kind: "A" }, { kind: "B" }]);
    assert.deepEqual(readManifests('{"kind": "A"}'), [{ kind: "A" }]);
    assert.deepEqual(readManifests(""), []);
  });

  it("are nothing else, and what is wrong with them is told without their text", () => {
    assert.throws(
      () => readManifests("password: [secret"),
      (error) => error instanceof ManifestError && !error.message.includes("secret"),
    );
  });
});

describe("a violation in a line", () => {
  const violation = { layer: "network" as const, problem: "it is wrong", mend: "mend it" };

  it("says where it is, unless its counterexample does", () => {
    const place = { object: "Pod a/b", path: "spec.x" };
    assert.equal(violationText({ ...violation, places: [place] }), "network: Pod a/b, spec.x: it is wrong; mend it");
    const named = { ...violation, problem: "Pod a/b is wrong", places: [place] };
    assert.equal(violationText(named), "network: Pod a/b is wrong; mend it");
    assert.equal(violationText({ ...violation, places: [] }), "network: it is wrong; mend it");
  });
});
