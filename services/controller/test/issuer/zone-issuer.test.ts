import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { issuingPolicyData, serialsUntil, type IssuingPolicy } from "../../../../mesh/issuing/index.js";
import { fencedApi } from "../../src/election/fence.js";
import { ClockSkew } from "../../src/issuer/clock-skew.js";
import { ZoneIssuer } from "../../src/issuer/zone-issuer.js";
import { KubernetesApi } from "../../src/kubernetes/api.js";
import { createLog } from "../../src/log.js";
import { testAuthority, type TestAuthority } from "../support/authority.js";
import { eventually } from "../support/eventually.js";
import { FakeKubernetes } from "../support/fake-kubernetes.js";
import { meshServiceObject, type ApiObject } from "../support/objects.js";

const NAMESPACE = "/api/v1/namespaces/lucid-ops";
const SECRETS = `${NAMESPACE}/secrets`;
const CONFIG_MAPS = `${NAMESPACE}/configmaps`;
const SERVICES = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";
const HOUR = 3_600_000;
const base64 = (text: string) => Buffer.from(text).toString("base64");
const identityOf = (name: string) => `spiffe://ops.lucid.internal/ns/lucid-ops/sa/${name}`;

/** A key, as its Secret would hold it or a log would show it. */
const KEY = /PRIVATE KEY|LS0tLS1CRUdJTiBQUklWQVRF|MIGHAgEAMBMG/;

describe("issuer: of a zone", () => {
  let kubernetes: FakeKubernetes;
  let authority: TestAuthority;
  let stop: AbortController;
  let running: Promise<void> = Promise.resolve();
  let held: boolean;
  let now: number;
  let issuer: ZoneIssuer;
  const skew = { milliseconds: 0 as number | undefined };
  const lines: string[] = [];
  const failures: string[] = [];
  const issued: string[] = [];

  const give = (changed: Partial<IssuingPolicy> = {}, by = authority): void => {
    const policy: IssuingPolicy = {
      services: ["admin-ui", "jaeger"],
      validityHours: 24,
      algorithm: "ECDSA",
      revoked: [],
      ...changed,
    };
    kubernetes.put(CONFIG_MAPS, { metadata: { name: "lucid-issuing" }, data: issuingPolicyData(policy) });
    const data = { "tls.crt": base64(by.secret["tls.crt"]), "tls.key": base64(by.secret["tls.key"]) };
    kubernetes.put(SECRETS, { metadata: { name: "lucid-issuing-tls" }, data });
  };
  const declare = (name: string, spec: Readonly<Record<string, unknown>> = {}): void => {
    const object = meshServiceObject(name);
    kubernetes.put(SERVICES, {
      metadata: { ...object.metadata, uid: `uid-of-${name}` },
      spec: { ...(object.spec as object), ...spec },
    });
  };
  const secret = (name: string) => kubernetes.get(SECRETS, `${name}-tls`);
  const record = (name: string) => kubernetes.get(CONFIG_MAPS, `${name}-certificate`);
  const annotation = (name: string, key: string) =>
    (record(name)?.metadata.annotations as Record<string, string> | undefined)?.[`lucid.internal/certificate-${key}`];
  const decoded = (object: ApiObject | undefined, file: string) =>
    Buffer.from(object?.data?.[file] ?? "", "base64").toString();
  const certificate = (name: string) => new X509Certificate(decoded(secret(name), "tls.crt"));
  const serialOf = (name: string) => certificate(name).serialNumber.toLowerCase();
  const writes = () => kubernetes.requests.filter((request) => /^(POST|PATCH)/.test(request));
  const has = (name: string): Promise<void> =>
    eventually(() => {
      assert.equal(annotation(name, "serial"), serialOf(name));
    });
  /** Until nobody has written for a while. */
  const quiet = (): Promise<void> =>
    eventually(async () => {
      const before = writes().length;
      await sleep(300);
      assert.equal(writes().length, before);
    });
  const begin = (interval = 50): void => {
    const api = new KubernetesApi(kubernetes.kubeConfig());
    const term = {
      assertHeld: () => {
        if (!held) throw new Error("this replica does not lead any more");
      },
    };
    issuer = new ZoneIssuer(
      api,
      fencedApi(api, term),
      "ops",
      skew as ClockSkew,
      createLog("debug", (line) => lines.push(line)),
      {
        issued: (service, fault) => issued.push(`${service} ${fault}`),
        failed: (operation, where, error) => failures.push(`${operation} ${where}: ${String(error)}`),
      },
      { interval, backoff: { first: 5, limit: 20 }, now: () => now },
    );
    running = issuer.run(stop.signal);
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    stop = new AbortController();
  };

  before(async () => {
    authority = await testAuthority();
  });
  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start(50);
    stop = new AbortController();
    held = true;
    now = Date.now();
    skew.milliseconds = 0;
    [lines, failures, issued].forEach((list) => (list.length = 0));
  });
  afterEach(async () => {
    await end();
    await kubernetes.stop();
    const keyInLog = [...lines, ...failures].filter((line) => KEY.test(line));
    assert.deepEqual(keyInLog, [], "a key in a log");
  });

  it("gives each service that is listed and declared a certificate, whole in one write, and tells of it", async () => {
    give();
    declare("admin-ui");
    declare("jaeger");
    begin();
    await has("admin-ui");
    await has("jaeger");
    const written = secret("admin-ui") as ApiObject & { readonly type: string };
    assert.equal(written.type, "kubernetes.io/tls");
    assert.deepEqual(Object.keys(written.data ?? {}).sort(), ["tls.crt", "tls.key"]);
    assert.deepEqual(written.metadata.labels, {
      "app.kubernetes.io/name": "admin-ui",
      "app.kubernetes.io/part-of": "lucid-mesh",
      "app.kubernetes.io/managed-by": "lucid-issuer",
      "lucid.internal/zone": "ops",
    });
    assert.deepEqual(written.metadata.ownerReferences, [
      { apiVersion: "mesh.lucid.internal/v1alpha1", kind: "MeshService", name: "admin-ui", uid: "uid-of-admin-ui" },
    ]);
    assert.equal(certificate("admin-ui").subjectAltName, `URI:${identityOf("admin-ui")}`);
    assert.equal(certificate("admin-ui").verify(new X509Certificate(authority.certificatePem).publicKey), true);
    assert.equal(
      annotation("admin-ui", "not-after"),
      new Date(certificate("admin-ui").validTo).toISOString().replace(".000", ""),
    );
    assert.equal(record("admin-ui")?.data, undefined, "and nothing of it but what everybody may know");
    const secretWrites = writes().filter((request) => request.includes("/secrets"));
    assert.equal(secretWrites.length, 2);
    await eventually(() => {
      assert.deepEqual(issued.sort(), ["admin-ui missing", "jaeger missing"]);
    });
    assert.deepEqual(failures, []);
  });

  it("writes nothing while all is well", async () => {
    give();
    declare("admin-ui");
    begin(20);
    await has("admin-ui");
    const before = writes().length;
    await sleep(300);
    assert.equal(writes().length, before);
    await end();
    begin(20);
    await sleep(300);
    assert.equal(writes().length, before, "nor after another took over");
  });

  it("makes one anew when two thirds of its life are over, with another key and number", async () => {
    give();
    declare("admin-ui");
    begin();
    await has("admin-ui");
    const [first, key] = [serialOf("admin-ui"), decoded(secret("admin-ui"), "tls.key")];
    now += 14.5 * HOUR;
    await sleep(200);
    assert.equal(serialOf("admin-ui"), first);
    now += 1.6 * HOUR;
    await eventually(() => {
      assert.notEqual(serialOf("admin-ui"), first);
      assert.notEqual(decoded(secret("admin-ui"), "tls.key"), key);
      assert.equal(annotation("admin-ui", "serial"), serialOf("admin-ui"));
    });
    await eventually(() => {
      assert.deepEqual(issued, ["admin-ui missing", "admin-ui due"]);
    });
  });

  it("gives nobody one who is not listed, not declared, revoked, or declared as another", async () => {
    give({ services: ["admin-ui", "jaeger", "prometheus", "ghost"] });
    declare("admin-ui");
    declare("stranger");
    declare("jaeger", { identity: identityOf("admin-ui") });
    declare("prometheus", { zone: "wallet", identity: "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/prometheus" });
    begin(20);
    await has("admin-ui");
    await sleep(200);
    for (const name of ["stranger", "jaeger", "prometheus", "ghost"]) {
      assert.equal(secret(name), undefined, name);
    }
    assert.deepEqual([...issuer.refused].sort(), [
      ["jaeger", "forged"],
      ["prometheus", "forged"],
      ["stranger", "unlisted"],
    ]);
    const forged = lines.filter((line) => line.includes("not its own"));
    assert.equal(forged.length, 2, "each is told of once");
    declare("jaeger", { revoked: "its key was lost" });
    await eventually(() => {
      assert.equal(issuer.refused.get("jaeger"), "revoked");
    });
    declare("jaeger");
    await has("jaeger");
    assert.deepEqual(failures, []);
  });

  it("takes what a certificate says from nowhere but the service's name and zone", async () => {
    give();
    declare("admin-ui", { hostname: "payout-router.lucid.internal", version: "CN=evil" });
    begin();
    await has("admin-ui");
    assert.equal(certificate("admin-ui").subject, "O=Lucid\nCN=admin-ui.lucid.internal");
  });

  it("names the datacenter that its policy and its authority both name, and gives nobody a name of another", async () => {
    const identity = (name: string, datacenter: string) =>
      `spiffe://ops.${datacenter}.lucid.internal/ns/lucid-ops/sa/${name}`;
    const north = await testAuthority("ops.north.lucid.internal");
    give({ datacenter: "north", services: ["admin-ui", "jaeger", "prometheus"] }, north);
    declare("admin-ui", { identity: identity("admin-ui", "north") });
    declare("jaeger", { identity: identity("jaeger", "south") });
    declare("prometheus");
    begin();
    await has("admin-ui");
    assert.equal(certificate("admin-ui").subjectAltName, `URI:${identity("admin-ui", "north")}`);
    assert.ok(serialsUntil(identity("admin-ui", "north"), 24, now).includes(serialOf("admin-ui")));
    await eventually(() => {
      assert.deepEqual([...issuer.refused].sort(), [
        ["jaeger", "forged"],
        ["prometheus", "forged"],
      ]);
    });
    const before = serialOf("admin-ui");
    for (const datacenter of ["south", undefined]) {
      give({ datacenter, services: ["admin-ui", "jaeger", "prometheus"] }, north);
      await eventually(() => {
        assert.equal(issuer.state.kind, "broken");
      });
      assert.deepEqual(
        [...issuer.refused.values()].sort(),
        ["unlisted", "unlisted", "unlisted"],
        "without means nobody is called a forger",
      );
      give({ datacenter: "north" }, north);
      await eventually(() => {
        assert.equal(issuer.state.kind, "issuing");
      });
    }
    assert.equal(serialOf("admin-ui"), before);
    assert.deepEqual(
      ["jaeger", "prometheus"].map((name) => secret(name)),
      [undefined, undefined],
    );
  });

  it("makes whatever others spoilt anew", async () => {
    give();
    declare("admin-ui");
    begin(20);
    await has("admin-ui");
    const spoil = async (what: string, change: (object: ApiObject) => ApiObject): Promise<void> => {
      const before = serialOf("admin-ui");
      kubernetes.put(SECRETS, change(secret("admin-ui") as ApiObject));
      await eventually(() => {
        assert.notEqual(serialOf("admin-ui"), before, what);
        assert.deepEqual(Object.keys(secret("admin-ui")?.data ?? {}).sort(), ["tls.crt", "tls.key"]);
        assert.equal(annotation("admin-ui", "serial"), serialOf("admin-ui"));
      });
    };
    const other = await testAuthority();
    await spoil("another's key", (object) => ({
      ...object,
      data: { ...object.data, "tls.key": base64(other.keyPem) },
    }));
    await spoil("a file too many", (object) => ({ ...object, data: { ...object.data, "ca.crt": "eA==" } }));
    await spoil("another owner", (object) => ({ ...object, metadata: { ...object.metadata, ownerReferences: [] } }));
    await spoil("another's label", (object) => ({ ...object, metadata: { ...object.metadata, labels: {} } }));
    kubernetes.delete(SECRETS, "admin-ui-tls");
    await has("admin-ui");
    const told = annotation("admin-ui", "serial");
    kubernetes.put(CONFIG_MAPS, { metadata: { name: "admin-ui-certificate" }, data: { x: "y" } });
    await eventually(() => {
      assert.equal(annotation("admin-ui", "serial"), told);
      assert.deepEqual(record("admin-ui")?.data ?? {}, {});
    });
  });

  it("signs all anew by another authority, and by none where there is none", async () => {
    give();
    declare("admin-ui");
    declare("jaeger");
    begin(20);
    await has("admin-ui");
    await has("jaeger");
    const next = await testAuthority("ops.lucid.internal", { subject: "CN=ops.lucid.internal issuing 2, O=Lucid" });
    give({}, next);
    await eventually(() => {
      for (const name of ["admin-ui", "jaeger"]) {
        assert.equal(certificate(name).verify(new X509Certificate(next.certificatePem).publicKey), true, name);
      }
    });
    const before = serialOf("admin-ui");
    give({}, await testAuthority("wallet.lucid.internal"));
    await eventually(() => {
      assert.deepEqual(issuer.state, {
        kind: "broken",
        reason: "is not the issuing authority of zone ops (ops.lucid.internal)",
      });
    });
    kubernetes.delete(SECRETS, "admin-ui-tls");
    await sleep(150);
    assert.equal(secret("admin-ui"), undefined);
    kubernetes.delete(SECRETS, "lucid-issuing-tls");
    await eventually(() => {
      assert.equal(issuer.state.kind, "waiting");
    });
    give();
    await has("admin-ui");
    assert.notEqual(serialOf("admin-ui"), before);
  });

  it("gives another where one is revoked, under a number that is not revoked, and stops for who is not listed any more", async () => {
    give();
    declare("admin-ui");
    begin(20);
    await has("admin-ui");
    const revoked = serialOf("admin-ui");
    give({ revoked: [revoked] });
    await eventually(() => {
      assert.notEqual(serialOf("admin-ui"), revoked);
    });
    await eventually(() => {
      assert.deepEqual(issued, ["admin-ui missing", "admin-ui revoked"]);
    });
    give({ services: ["jaeger"] });
    await eventually(() => {
      assert.equal(issuer.refused.get("admin-ui"), "unlisted");
    });
    // What was under way may end.
    await quiet();
    now += 30 * HOUR;
    await sleep(150);
    assert.equal(issued.length, 2);
  });

  it("gives none under a revoked number, and says so until there are others", async () => {
    give();
    declare("admin-ui");
    // The middle of a twenty-fourth part of a life: none of what follows falls into the next.
    now = Math.floor(now / HOUR) * HOUR + HOUR / 2;
    const revoked: string[] = [];
    begin(20);
    for (let count = 0; count < 4; count += 1) {
      await has("admin-ui");
      revoked.push(serialOf("admin-ui"));
      give({ revoked });
      if (count < 3)
        await eventually(() => {
          assert.equal(revoked.includes(serialOf("admin-ui")), false);
        });
    }
    assert.equal(new Set(revoked).size, 4);
    await eventually(() => {
      assert.match(failures.at(-1) ?? "", /every serial number that .*admin-ui may be given now is revoked/);
      assert.deepEqual(issuer.failing, ["admin-ui"]);
    });
    const made = issued.length;
    await sleep(150);
    assert.equal(issued.length, made);
    now += HOUR;
    await eventually(() => {
      assert.equal(revoked.includes(serialOf("admin-ui")), false);
      assert.deepEqual(issuer.failing, []);
    });
  });

  it("numbers certificates so that who revokes a service knows every number it may have", async () => {
    give();
    declare("admin-ui");
    begin(10);
    const seen = new Set<string>();
    for (let count = 0; count < 4; count += 1) {
      await has("admin-ui");
      seen.add(serialOf("admin-ui"));
      kubernetes.delete(SECRETS, "admin-ui-tls");
      await eventually(() => {
        assert.equal(issued.length, count + 2);
      });
    }
    const known = serialsUntil(identityOf("admin-ui"), 24, now + 23 * HOUR);
    for (const serial of seen) {
      assert.ok(known.includes(serial), serial);
    }
    assert.ok(seen.size >= 2);
  });

  it("issues nothing by a clock that peers would not follow, and says so", async () => {
    give();
    declare("admin-ui");
    skew.milliseconds = 301_000;
    begin(20);
    await eventually(() => {
      assert.match(failures.join(), /clock is 301 s ahead of the API server's/);
    });
    assert.deepEqual(issuer.failing, ["admin-ui"]);
    assert.equal(secret("admin-ui"), undefined);
    skew.milliseconds = -301_000;
    await eventually(() => {
      assert.match(failures.join(), /301 s behind/);
    });
    skew.milliseconds = 200_000;
    await has("admin-ui");
    await eventually(() => {
      assert.deepEqual(issuer.failing, []);
    });
  });

  it("of two that both take themselves for the one, one's certificate stands, and neither writes on", async () => {
    give();
    declare("admin-ui");
    begin(10);
    const stopOther = new AbortController();
    const api = new KubernetesApi(kubernetes.kubeConfig());
    const other = new ZoneIssuer(
      api,
      api,
      "ops",
      skew as ClockSkew,
      createLog("error", () => undefined),
      { issued: (service, fault) => issued.push(`${service} ${fault}`), failed: () => undefined },
      { interval: 10, backoff: { first: 5, limit: 20 }, now: () => now },
    );
    const both = other.run(stopOther.signal);
    try {
      await has("admin-ui");
      await quiet();
      const before = serialOf("admin-ui");
      now += 17 * HOUR;
      await eventually(() => {
        assert.notEqual(serialOf("admin-ui"), before);
      });
      await quiet();
      const after = [serialOf("admin-ui"), writes().length];
      await sleep(300);
      assert.deepEqual([serialOf("admin-ui"), writes().length], after);
    } finally {
      stopOther.abort();
      await both;
    }
  });

  it("writes nothing once another may issue", async () => {
    give();
    held = false;
    declare("admin-ui");
    begin(20);
    await eventually(() => {
      assert.match(failures.join(), /does not lead/);
    });
    assert.deepEqual(writes(), []);
  });

  it("goes on where it was cut off between the certificate and what is told of it", async () => {
    give();
    declare("admin-ui");
    kubernetes.intercept = (kind, path) =>
      (kind === "POST" || kind === "PATCH") && path.startsWith(CONFIG_MAPS) ? 500 : undefined;
    begin(20);
    await eventually(() => {
      assert.ok(secret("admin-ui") !== undefined && failures.length > 0);
    });
    const serial = serialOf("admin-ui");
    await end();
    kubernetes.intercept = () => undefined;
    begin(20);
    await has("admin-ui");
    assert.equal(serialOf("admin-ui"), serial, "what is good stays");
  });

  it("survives an API server that refuses, breaks off and answers nonsense", async () => {
    give();
    declare("admin-ui");
    let state = 7;
    kubernetes.intercept = () => {
      state = (state * 75 + 74) % 65_537;
      return [403, 500, 503, undefined, undefined, undefined][state % 6];
    };
    begin(20);
    await has("admin-ui");
    kubernetes.intercept = () => undefined;
    kubernetes.endWatches("break");
    declare("jaeger");
    await has("jaeger");
    kubernetes.put(CONFIG_MAPS, { metadata: { name: "lucid-issuing" }, data: { services: "admin-ui" } });
    await eventually(() => {
      assert.equal(issuer.state.kind, "broken");
    });
    give();
    await eventually(() => {
      assert.equal(issuer.state.kind, "issuing");
    }, 5_000);
  });

  it("refuses a Secret whose type can't be changed, and says what to do", async () => {
    give();
    declare("admin-ui");
    kubernetes.put(SECRETS, { metadata: { name: "admin-ui-tls" }, type: "Opaque", data: {} } as unknown as ApiObject);
    begin(20);
    await eventually(() => {
      assert.match(failures.join(), /of type Opaque, which can't be changed; delete it/);
    });
    kubernetes.delete(SECRETS, "admin-ui-tls");
    await has("admin-ui");
  });
});
