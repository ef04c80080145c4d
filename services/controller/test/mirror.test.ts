import assert from "node:assert/strict";
import { KubernetesApi } from "../src/kubernetes/api.js";
import { createLog } from "../src/log.js";
import { KeyMirror } from "../src/tokens/mirror.js";
import { eventually } from "./support/eventually.js";
import { FakeKubernetes } from "./support/fake-kubernetes.js";
import { issuerDocuments } from "./support/objects.js";

const CHAIN = "/api/v1/namespaces/lucid-chain/configmaps";
const OPS = "/api/v1/namespaces/lucid-ops/configmaps";
const JWKS = "/openid/v1/jwks";

describe("controller: the mirror of the token keys", () => {
  let kubernetes: FakeKubernetes;
  let stop: AbortController;
  let mirror: KeyMirror;
  let running: Promise<void>;
  const failures: string[] = [];

  const publish = (keyIds: readonly string[], issuer?: string): void => {
    issuerDocuments(keyIds, issuer).forEach((document, path) => kubernetes.documents.set(path, document));
  };
  const text = (path: string): string => kubernetes.get(path, "mesh-tokens")?.data?.["tokens.yaml"] ?? "";
  const becomes = (path: string, expected: RegExp): Promise<void> =>
    eventually(() => {
      assert.match(text(path), expected);
    });
  const begin = (): void => {
    running = mirror.run(stop.signal);
  };

  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start();
    stop = new AbortController();
    failures.length = 0;
    publish(["one"]);
    mirror = new KeyMirror(
      new KubernetesApi(kubernetes.kubeConfig()),
      [
        { namespace: "lucid-ops", zone: "ops" },
        { namespace: "lucid-chain", zone: "chain" },
      ],
      createLog("error", () => undefined),
      { failed: (where, error) => failures.push(`${where}: ${String(error)}`) },
      { interval: 20, backoff: { first: 5, limit: 20 } },
    );
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await kubernetes.stop();
  });

  it("writes them into every zone's namespace, once, and again as they change", async () => {
    begin();
    await becomes(OPS, /modulus-of-one/);
    await becomes(CHAIN, /modulus-of-one/);
    await eventually(() => {
      assert.deepEqual(mirror.missing, []);
    });
    const writes = () => kubernetes.requests.filter((made) => /^(POST|PATCH)/.test(made)).length;
    const reads = () => kubernetes.requests.filter((made) => made === `GET ${JWKS}`).length;
    const [before, read] = [writes(), reads()];
    await eventually(() => {
      assert.ok(reads() > read + 3);
    });
    assert.equal(writes(), before, "what is right is not written again");
    publish(["one", "two"]);
    await becomes(OPS, /modulus-of-one[^]*modulus-of-two/);
    publish(["two"], "https://other.test");
    await becomes(CHAIN, /issuer: https:\/\/other\.test/);
    assert.doesNotMatch(text(CHAIN), /modulus-of-one/);
    assert.deepEqual(failures, []);
  });

  it("writes the same text whatever the order of the keys", async () => {
    publish(["one", "two"]);
    begin();
    await becomes(OPS, /modulus-of-two/);
    const before = text(OPS);
    publish(["two", "one"]);
    const reads = kubernetes.requests.length;
    await eventually(() => {
      assert.ok(kubernetes.requests.length > reads + 10);
    });
    assert.equal(text(OPS), before);
  });

  it("puts right what others changed, and takes out what they added", async () => {
    begin();
    await becomes(OPS, /modulus-of-one/);
    const metadata = { name: "mesh-tokens" };
    kubernetes.put(OPS, { metadata, data: { "tokens.yaml": "resources: []", "listeners.yaml": "resources: []" } });
    await becomes(OPS, /modulus-of-one/);
    assert.deepEqual(Object.keys(kubernetes.get(OPS, "mesh-tokens")?.data ?? {}), ["tokens.yaml"]);
  });

  it("writes no private part of a key, and no key that sidecars can't use", async () => {
    const rsa = { kty: "RSA", kid: "k", n: "modulus", e: "AQAB", d: "private-part", p: "prime" };
    kubernetes.documents.set(JWKS, { keys: [rsa, { kty: "oct", k: "shared" }, { kty: "AKP", pub: "later" }] });
    begin();
    await becomes(OPS, /modulus/);
    assert.doesNotMatch(text(OPS), /private-part|prime|shared|later|"d"/);
  });

  it("leaves what is written where the API server names no usable key, no issuer, or nothing", async () => {
    begin();
    await becomes(OPS, /modulus-of-one/);
    for (const answer of [{ keys: [] }, { keys: [{ kty: "oct", k: "shared" }] }, "no object", undefined]) {
      failures.length = 0;
      kubernetes.documents.set(JWKS, answer);
      await eventually(() => {
        assert.ok(failures.some((failure) => failure.startsWith("token keys:")));
      });
      assert.match(text(OPS), /modulus-of-one/);
    }
    publish(["two"]);
    await becomes(OPS, /modulus-of-two/);
  });

  it("a namespace that refuses does not keep the others waiting, and is tried again", async () => {
    let refused = true;
    kubernetes.intercept = (kind, path) => (refused && kind === "POST" && path === OPS ? 403 : undefined);
    begin();
    await becomes(CHAIN, /modulus-of-one/);
    assert.deepEqual(mirror.missing, ["lucid-ops"]);
    assert.match(failures.join(), /token keys of lucid-ops/);
    refused = false;
    await becomes(OPS, /modulus-of-one/);
    await eventually(() => {
      assert.deepEqual(mirror.missing, []);
    });
  });
});
