import assert from "node:assert/strict";
import { UNKNOWN } from "../../../../policies/judgement/plain";
import type { Plain } from "../../../../policies/judgement/plain";
import { Reachability, compare, readMesh } from "../../../../policies/reachability/envoy";
import type { Knowledge } from "../../../../policies/reachability/envoy";
import { everyProtocol } from "../../../unit/envoy/fixture";
import type { JsonObject } from "../../support/edit";
import { declarationOf, objectsOf } from "./rendered";

type Objects = readonly Readonly<Record<string, Plain>>[];

const objects: Objects = objectsOf(everyProtocol);

function texts(changed: readonly Plain[], knowledge?: Knowledge): readonly string[] {
  return readMesh(changed, knowledge).findings.map(({ object, path, problem }) => `${object}, ${path}: ${problem}`);
}

/** The objects with one of them changed. */
function withChanged(kind: string, name: string, change: (object: JsonObject) => Plain): readonly Plain[] {
  return objects.map((object) =>
    object.kind === kind && (object.metadata as JsonObject).name === name ? change(object as JsonObject) : object,
  );
}

describe("objects of sidecars", () => {
  it("are read one by one or as the list that kubectl prints", () => {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    assert.deepEqual(
      readMesh([list]).sidecars?.map(({ party }) => party),
      readMesh(objects).sidecars?.map(({ party }) => party),
    );
  });

  it("are read whatever their order", () => {
    const backwards = readMesh([...objects].reverse()).sidecars ?? assert.fail();
    assert.deepEqual(compare(new Reachability(backwards), declarationOf(everyProtocol)), []);
  });

  it("outside the zones' namespaces, and of other kinds, are passed over", () => {
    const others: Plain[] = [
      { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "kube-system", name: "x-envoy" }, data: {} },
      { apiVersion: "v1", kind: "Secret", metadata: { namespace: "lucid-ops", name: "x" } },
    ];
    assert.deepEqual(texts([...objects, ...others]), []);
  });

  it("that are there twice can't be judged", () => {
    assert.match(texts([...objects, objects[0] ?? null]).join(), /two objects are ConfigMap lucid-\w+\/[\w-]+-envoy/);
  });

  it("without a name or a namespace can't be judged", () => {
    assert.match(
      texts([{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } }]).join(),
      /namespace: is missing/,
    );
    assert.match(
      texts([{ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "lucid-ops" } }]).join(),
      /name: is missing/,
    );
    assert.match(texts([{ apiVersion: "v1" }]).join(), /kind: is missing/);
  });

  it("whose text isn't known at preview can't be judged", () => {
    const unknown = withChanged("ConfigMap", "router-envoy", (object) => ({
      ...object,
      data: { ...(object.data as JsonObject), "listeners.yaml": UNKNOWN },
    }));
    assert.deepEqual(texts(unknown), [
      'ConfigMap lucid-wallet/router-envoy, data["listeners.yaml"]: can\'t be known at preview',
    ]);
    assert.equal(readMesh(unknown).sidecars, undefined);
  });

  it("with a file that no sidecar has, or without one that each has, can't be judged", () => {
    const more = withChanged("ConfigMap", "router-envoy", (object) => ({
      ...object,
      data: { ...(object.data as JsonObject), "more.yaml": "a: 1" },
    }));
    assert.match(texts(more).join(), /data\["more\.yaml"\]: is no file of a sidecar/);
    const fewer = withChanged("ConfigMap", "router-envoy", (object) => {
      const data = Object.entries(object.data as JsonObject).filter(([file]) => file !== "credential.yaml");
      return { ...object, data: Object.fromEntries(data) };
    });
    assert.match(texts(fewer).join(), /credential\.yaml is missing/);
  });

  it("with files that are no text can't be judged", () => {
    const binary = withChanged("ConfigMap", "router-envoy", (object) => ({ ...object, binaryData: { x: "AA==" } }));
    assert.match(texts(binary).join(), /binaryData: a sidecar's files are no text/);
  });

  it("with roots that aren't known yet are judged by what these are made from", () => {
    const unknown = withChanged("ConfigMap", "blocks-trust", (object) => ({
      ...object,
      data: { ...(object.data as JsonObject), "wallet.yaml": UNKNOWN },
    }));
    assert.match(texts(unknown).join(), /blocks-trust, data\["wallet\.yaml"\]: can't be known at preview/);
    const asked: string[] = [];
    const provenance = (object: string, file: string) => {
      asked.push(`${object} ${file}`);
      return "wallet";
    };
    assert.deepEqual(texts(unknown, { provenance }), []);
    assert.deepEqual(asked, ["ConfigMap lucid-chain/blocks-trust wallet.yaml"]);
    assert.match(texts(unknown, { provenance: () => "ops" }).join(), /can't be known at preview/);
  });
});

describe("a call that nobody declares", () => {
  const declaration = declarationOf(everyProtocol);
  const undeclared = {
    ...declaration,
    edges: declaration.edges.filter(({ from, port }) => from !== "wallet/router" || port !== "stream"),
  };

  it("is told with its counterexample, from both sides", () => {
    const reachability = new Reachability(readMesh(objects).sidecars ?? assert.fail());
    const violations = compare(reachability, {
      ...undeclared,
      nameOf: (party) => party.replace(/^./, (c) => c.toUpperCase()),
    });
    assert.equal(violations.length, 3, violations.map(({ text }) => text).join());
    assert.ok(violations.every(({ kind, places }) => kind === "undeclared" && places.length > 0));
    const [admitted, routed, dialled] = violations.map(({ text }) => text);
    assert.match(
      admitted ?? "",
      /^Wallet\/router can send .* to Chain\/blocks on stream \(127\.0\.0\.1:8091 by HTTP\/2\), which nobody declared: ConfigMap lucid-chain\/blocks-envoy, data\["listeners\.yaml"\]\.resources\[0\]\.filter_chains\[\d\]\..*\.policies\.router, lets it in$/,
    );
    assert.match(
      routed ?? "",
      /^Wallet\/router can reach Chain\/blocks on stream, which nobody declared: ConfigMap lucid-wallet\/router-envoy, data\["clusters\.yaml"\]\.resources\[\d+\], goes there as stream\.blocks\.wallet; ConfigMap lucid-chain\/blocks-envoy, .*, lets it in$/,
    );
    assert.match(
      dialled ?? "",
      /^Wallet\/router's application reaches Chain\/blocks on stream as blocks\.lucid\.internal:8091/,
    );
  });
});
