/** Issuers at a real API server, under their planned rights and the mesh's admission policies: what they do, and what nobody may. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, namespaceOf } from "../../../mesh";
import { testAuthority } from "../../../services/controller/test/support/authority";
import { lucid } from "../../policies/support/planned";
import { edit, type Json, type JsonObject } from "../../policies/support/edit";
import { Refusal, type Manifest } from "../admission/api";
import { assertRefused, plannedObjects } from "../admission/lab";
import { eventually } from "../support/eventually";
import { IssuerLab, ROTATING, base64, type IssuerProcess } from "./issuer-lab";

const ISSUED = {
  ops: ["admin-ui", "jaeger", "prometheus"],
  chain: ["lucid-blocks"],
  wallet: ["payout-router", "tron-payment"],
};
const ZONES = ["ops", "chain", "wallet"] as const;
const account = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`;
const ISSUER = account("lucid-mesh", "issuer-ops");
const SECRETS = "/api/v1/namespaces/lucid-ops/secrets";
const KEY = /PRIVATE KEY|LS0tLS1CRUdJTiBQUklWQVRF/;

describe("the zones' issuers", function () {
  this.timeout(600_000);
  let lab: IssuerLab;

  before(async () => {
    lab = await IssuerLab.start();
  });
  after(async () => {
    assert.doesNotMatch(lab.output, KEY, "a key in a log");
    await lab.stop();
  });

  const forbidden = (request: Promise<unknown>) =>
    assert.rejects(request, (error: unknown) => {
      assert.ok(error instanceof Refusal, String(error));
      assert.equal(error.status, 403);
      assert.match(error.message, /cannot (get|list|watch|delete|create|patch|update)/);
      return true;
    });
  const read = (path: string, user: string) => lab.api.ask({ method: "GET", path, user });

  describe("make certificates", () => {
    const issuers: IssuerProcess[] = [];
    before(async () => {
      for (const zone of ZONES) issuers.push(await lab.issuer(zone));
    });

    it("for every service of their zone, and for nobody else", async () => {
      for (const zone of ZONES) for (const service of ISSUED[zone]) await lab.issued(service, zone);
      assert.equal(await lab.leaf("mesh-controller", "mesh").catch(() => "pulumi's"), "pulumi's");
      for (const issuer of issuers) await issuer.well();
    });

    it("which Pulumi has nothing to say of: its own objects are applied again, and nothing changes", async () => {
      const before = await lab.leaf("admin-ui");
      const planned = await plannedObjects(lucid, ROTATING);
      const mine = planned.filter(({ kind, metadata }) => kind !== "Secret" || metadata?.name !== "lucid-issuing-tls");
      for (const object of mine) await lab.api.apply(object);
      await sleep(3_000);
      assert.equal((await lab.leaf("admin-ui"))?.serial, before?.serial);
    });

    it("anew, with another key, where somebody took one away", async () => {
      const before = await lab.leaf("admin-ui");
      await lab.api.ask({ method: "DELETE", path: `${SECRETS}/admin-ui-tls` });
      const after = await lab.issued("admin-ui");
      assert.notEqual(after.serial, before?.serial);
      assert.notEqual(after.files["tls.key"], before?.files["tls.key"]);
    });

    it("all anew by another authority of their zone, and none by another zone's", async () => {
      await lab.sign(
        "ops",
        await testAuthority("ops.lucid.internal", { subject: "CN=ops.lucid.internal issuing 2, O=Lucid" }),
      );
      for (const service of ISSUED.ops) await lab.issued(service);
      const own = lab.authorities.get("ops");
      const before = await lab.leaf("admin-ui");
      await lab.sign("ops", await testAuthority("wallet.lucid.internal"));
      await eventually("an issuer that has seen it", async () => {
        assert.match((await issuers[0]?.health())?.reasons.join() ?? "", /is not the issuing authority of zone ops/);
      });
      await lab.api.ask({ method: "DELETE", path: `${SECRETS}/jaeger-tls` });
      await sleep(4_000);
      assert.equal(await lab.leaf("jaeger"), undefined);
      assert.equal((await lab.leaf("admin-ui"))?.serial, before?.serial);
      assert.ok(own);
      await lab.sign("ops", own);
      await lab.issued("jaeger");
    });

    it("another where one is revoked", async () => {
      const before = await lab.issued("prometheus");
      const policy = "/api/v1/namespaces/lucid-ops/configmaps/lucid-issuing";
      await lab.merge(policy, { data: { revoked: before.serial } });
      await eventually("another certificate", async () => {
        assert.notEqual((await lab.leaf("prometheus"))?.serial, before.serial);
      });
      await lab.issued("prometheus");
      await lab.merge(policy, { data: { revoked: null } });
    });
  });

  describe("and nobody else", () => {
    it("may read what a zone is signed by, whoever of the mesh asks", async () => {
      const accounts = [
        ...lucid.services.map(({ namespace, name }) => account(namespace, name)),
        ...["consul", "node-resolver"].map((name) => account("lucid-mesh", name)),
        ...["ops", "chain", "wallet"].map((zone) => account("lucid-mesh", `issuer-${zone}`)),
        account("lucid-ops", "default"),
        account("lucid-wallet", "issuer-wallet"),
      ];
      for (const zone of ZONES) {
        const place = `/api/v1/namespaces/${namespaceOf(zone)}/secrets`;
        const own = account("lucid-mesh", `issuer-${zone}`);
        assert.ok((await read(`${place}/lucid-issuing-tls`, own)).data, "its own issuer may");
        for (const other of accounts.filter((one) => one !== own))
          await forbidden(read(`${place}/lucid-issuing-tls`, other));
        for (const one of accounts) await forbidden(read(place, one));
        for (const one of accounts) await forbidden(read(`${place}?watch=true`, one));
      }
    });

    it("an issuer included: it reads and deletes no other Secret of its zone, and changes neither its key nor its list", async () => {
      await lab.api.create({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "admin-ui-settings", namespace: "lucid-ops" },
        stringData: { password: "x" },
      });
      await forbidden(read(`${SECRETS}/admin-ui-settings`, ISSUER));
      await forbidden(lab.api.ask({ method: "DELETE", path: `${SECRETS}/admin-ui-tls`, user: ISSUER }));
      await forbidden(lab.merge(`${SECRETS}/lucid-issuing-tls`, { data: {} }, ISSUER));
      const maps = "/api/v1/namespaces/lucid-ops/configmaps";
      await forbidden(lab.merge(`${maps}/lucid-issuing`, { data: { services: "stranger" } }, ISSUER));
      await forbidden(lab.merge(`${maps}/admin-ui-trust`, { data: {} }, ISSUER));
      const services = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";
      await forbidden(lab.merge(`${services}/admin-ui`, { spec: {} }, ISSUER));
      for (const path of ["/api/v1/namespaces/lucid-ops/pods", "/api/v1/namespaces/lucid-wallet/configmaps"])
        await forbidden(read(path, ISSUER));
    });
  });

  describe("are held by admission to what RBAC can't narrow", () => {
    const owner = async (name: string) => {
      const path = `/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices/${name}`;
      const { metadata } = (await lab.api.ask({ method: "GET", path })) as { metadata: { uid?: string } };
      return { apiVersion: "mesh.lucid.internal/v1alpha1", kind: "MeshService", name, uid: metadata.uid ?? "" };
    };
    const labelsOf = (name: string) => ({
      "app.kubernetes.io/name": name,
      "app.kubernetes.io/part-of": "lucid-mesh",
      "app.kubernetes.io/managed-by": "lucid-issuer",
      "lucid.internal/zone": "ops",
    });
    const secret = async (changes: readonly (readonly [string, Json | undefined])[] = []): Promise<Manifest> => {
      const good: JsonObject = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          name: "admin-ui-tls",
          namespace: "lucid-ops",
          labels: labelsOf("admin-ui"),
          ownerReferences: [await owner("admin-ui")],
        },
        type: "kubernetes.io/tls",
        data: { "tls.crt": base64("certificate"), "tls.key": base64("key") },
      };
      return changes.reduce((whole, [path, value]) => edit(whole, path, value), good);
    };
    const free = async () => {
      await lab.endIssuers();
      await lab.api.ask({ method: "DELETE", path: `${SECRETS}/admin-ui-tls` }).catch(() => undefined);
      await lab.api
        .ask({ method: "DELETE", path: "/api/v1/namespaces/lucid-ops/configmaps/admin-ui-certificate" })
        .catch(() => undefined);
    };
    before(free);

    const REFUSED: readonly (readonly [
      what: string,
      changes: readonly (readonly [string, Json | undefined])[],
      says: RegExp,
    ])[] = [
      ["a stranger's", [["metadata.name", "stranger-tls"]], /may write no Secret/],
      ["the controller's", [["metadata.name", "mesh-controller-tls"]], /may write no Secret/],
      ["one of no certificate's name", [["metadata.name", "admin-ui-settings-2"]], /may write no Secret/],
      ["another key of its zone", [["metadata.name", "lucid-issuing-tls"]], /may write no Secret/],
      ["one of another type", [["type", "Opaque"]], /type kubernetes\.io\/tls/],
      [
        "an account's token",
        [
          ["type", "kubernetes.io/service-account-token"],
          ["metadata.annotations", { "kubernetes.io/service-account.name": "admin-ui" }],
        ],
        /type kubernetes\.io\/tls/,
      ],
      [
        "a file too many",
        [["data", { "tls.crt": "eA==", "tls.key": "eA==", "ca.crt": "eA==" }]],
        /with tls\.crt and tls\.key/,
      ],
      ["no owner", [["metadata.ownerReferences", undefined]], /ends with its MeshService/],
      [
        "another's label",
        [["metadata.labels", { ...labelsOf("admin-ui"), "app.kubernetes.io/name": "jaeger" }]],
        /bears its service's labels/,
      ],
      ["a label too many", [["metadata.labels", { ...labelsOf("admin-ui"), more: "x" }]], /bears its service's labels/],
      ["one that can't be changed", [["immutable", true]], /leave the rest out/],
      ["one that can't be taken away", [["metadata.finalizers", ["example.org/x"]]], /leave the rest out/],
    ];
    for (const [what, changes, says] of REFUSED) {
      it(`an issuer creates no Secret: ${what}`, async () => {
        await assertRefused(lab.api.create(await secret(changes), ISSUER), "lucid-issued-secrets", says);
      });
    }

    it("and its own service's, in its form, it does; another zone's issuer does not, nor any other account, nor a person", async () => {
      await assertRefused(
        lab.api.create(await secret()),
        "lucid-issued-secrets",
        /made by its zone's issuer, and by nobody else/,
      );
      await assertRefused(lab.api.apply(await secret()), "lucid-issued-secrets", /made by its zone's issuer/);
      await forbidden(lab.api.create(await secret(), account("lucid-mesh", "issuer-wallet")));
      await forbidden(lab.api.create(await secret(), account("lucid-mesh", "mesh-controller")));
      await lab.api.create(await secret(), ISSUER);
      await assertRefused(
        lab.merge(`${SECRETS}/admin-ui-tls`, { data: { "tls.key": base64("mine") } }),
        "lucid-issued-secrets",
        /by nobody else/,
      );
      await assertRefused(
        lab.merge(`${SECRETS}/admin-ui-tls`, { metadata: { labels: { more: "x" } } }, ISSUER),
        "lucid-issued-secrets",
        /leave the rest out/,
      );
      await lab.api.ask({ method: "DELETE", path: `${SECRETS}/admin-ui-tls` });
    });

    it("and who deletes one waits for nobody: the garbage collector takes off what holds it, and changes nothing of it", async () => {
      await lab.api.create(await secret(), ISSUER);
      const place = `${SECRETS}/admin-ui-tls`;
      await lab.api.ask({ method: "DELETE", path: place, body: { propagationPolicy: "Foreground" } });
      assert.ok((await lab.get(place))?.metadata?.deletionTimestamp, "held by the finalizer foregroundDeletion");
      const finalizers = { metadata: { finalizers: null } };
      await assertRefused(
        lab.merge(place, { ...finalizers, data: { "tls.key": base64("mine") } }),
        "lucid-issued-secrets",
        /by nobody else/,
      );
      await lab.merge(place, finalizers);
      assert.equal(await lab.get(place), undefined);
    });

    it("holds whoever was given more rights by mistake to the same", async () => {
      const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["create"] }];
      const metadata = { name: "too-much", namespace: "lucid-ops" };
      await lab.api.create({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata, rules });
      await lab.api.create({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "too-much" },
        subjects: ["issuer-wallet", "mesh-controller"].map((name) => ({
          kind: "ServiceAccount",
          name,
          namespace: "lucid-mesh",
        })),
      });
      for (const name of ["issuer-wallet", "mesh-controller"])
        await assertRefused(
          lab.api.create(await secret(), account("lucid-mesh", name)),
          "lucid-issued-secrets",
          /may write no Secret/,
        );
    });

    it("an issuer tells of a certificate, without data, and writes no other ConfigMap", async () => {
      const record = async (changes: readonly (readonly [string, Json | undefined])[] = []) => {
        const good: JsonObject = {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: {
            name: "admin-ui-certificate",
            namespace: "lucid-ops",
            labels: labelsOf("admin-ui"),
            ownerReferences: [await owner("admin-ui")],
            annotations: { "lucid.internal/certificate-serial": "4f" },
          },
        };
        return changes.reduce((whole, [path, value]) => edit(whole, path, value), good) as Manifest;
      };
      for (const changes of [
        [["metadata.name", "mesh-tokens"]],
        [
          ["metadata.name", "mesh-tokens"],
          ["data", { "tokens.yaml": "x" }],
        ],
        [["metadata.name", "stranger-certificate"]],
        [["metadata.name", "admin-ui-envoy"]],
        [["data", { "tls.key": "x" }]],
        [["metadata.annotations", { other: "x" }]],
        [["metadata.ownerReferences", undefined]],
      ] as (readonly (readonly [string, Json | undefined])[])[])
        await assertRefused(
          lab.api.create(await record(changes), ISSUER),
          "lucid-distributed-files",
          /no ConfigMap but mesh-tokens/,
        );
      await lab.api.create(await record(), ISSUER);
    });

    it("an issuer writes its own Lease, and no other", async () => {
      const lease = (name: string, namespace = "lucid-mesh"): Manifest => ({
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { name, namespace },
        spec: { holderIdentity: "x" },
      });
      for (const name of ["mesh-controller", "issuer-wallet", "other"])
        await assertRefused(lab.api.create(lease(name), ISSUER), "lucid-leases", /no Lease/);
      const leases = "/apis/coordination.k8s.io/v1/namespaces/lucid-mesh/leases";
      await forbidden(lab.merge(`${leases}/issuer-wallet`, { spec: { holderIdentity: "x" } }, ISSUER));
    });
  });

  describe("sign for nobody whom the document does not declare", () => {
    const stranger = (name = "stranger", identity = identityOf(name, "ops")): Manifest => ({
      apiVersion: "mesh.lucid.internal/v1alpha1",
      kind: "MeshService",
      metadata: { name, namespace: "lucid-ops" },
      spec: {
        zone: "ops",
        identity,
        hostname: `${name}.lucid.internal`,
        version: "1",
        workload: { kind: "application", replicas: 1 },
        ports: [],
        calls: [],
      },
    });
    const MAPS = "/api/v1/namespaces/lucid-ops/configmaps";

    it("by hand nobody declares one, nor gives a service another's identity, nor lists him", async () => {
      await assertRefused(lab.api.create(stranger()), "lucid-declarations", /no member of this zone/);
      const path = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices/admin-ui";
      await assert.rejects(lab.merge(path, { spec: { identity: identityOf("jaeger", "ops") } }), /identity must be/);
      for (const services of ["admin-ui\nstranger", "mesh-controller", "tron-payment", "../wallet/tron-payment"])
        await assertRefused(
          lab.merge(`${MAPS}/lucid-issuing`, { data: { services } }),
          "lucid-issuing",
          /does not declare/,
        );
      for (const validityHours of ["2161", "0", "", "1e3"])
        await assertRefused(
          lab.merge(`${MAPS}/lucid-issuing`, { data: { validityHours } }),
          "lucid-issuing",
          /longer than|nobody knows/,
        );
    });

    const open = async (name: string) => {
      const path = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/${name}`;
      await lab.api.ask({ method: "DELETE", path });
    };
    const close = async () => {
      for (const object of await plannedObjects(lucid, ROTATING))
        if (object.kind?.startsWith("ValidatingAdmission") || object.metadata?.name === "lucid-issuing")
          await lab.api.apply(object);
    };

    it("where one of these layers is gone, the next holds", async () => {
      await open("lucid-declarations");
      await eventually("the open layer", () => lab.api.create(stranger()));
      const issuer = await lab.issuer();
      await lab.issued("admin-ui", "ops", 60);
      await sleep(3_000);
      assert.equal(await lab.get(`${SECRETS}/stranger-tls`), undefined, "declared, and not listed");
      await open("lucid-issuing");
      await eventually("the open layer", () =>
        lab.merge(`${MAPS}/lucid-issuing`, { data: { services: "admin-ui\njaeger\nprometheus\nstranger" } }),
      );
      await eventually("a refusal", async () => {
        await Promise.resolve();
        assert.match(issuer.output, /cannot get resource \\?"?secrets|lucid-issued-secrets/);
      });
      assert.equal(await lab.get(`${SECRETS}/stranger-tls`), undefined, "declared and listed, and no right to it");
      assert.deepEqual((await issuer.health()).reasons, ["no good certificate could be made for stranger"]);
      await close();
      await lab.api.ask({
        method: "DELETE",
        path: `/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices/stranger`,
      });
      await issuer.well();
      await issuer.end();
    });

    it("and a list of whom the document gave up ends as it is: nobody waits for it", async () => {
      const list = `${MAPS}/lucid-issuing`;
      const services = "given-up";
      await open("lucid-issuing");
      await eventually("the open layer", () => lab.merge(list, { data: { services } }));
      for (const object of await plannedObjects(lucid, ROTATING))
        if (object.metadata?.name === "lucid-issuing" && object.kind === "ValidatingAdmissionPolicyBinding")
          await lab.api.apply(object);
      let hours = 1;
      await eventually("the closed layer", () => {
        hours += 1;
        return assertRefused(
          lab.merge(list, { data: { validityHours: `${hours}` } }),
          "lucid-issuing",
          /does not declare/,
        );
      });
      await lab.api.ask({ method: "DELETE", path: list, body: { propagationPolicy: "Foreground" } });
      assert.ok((await lab.get(list))?.metadata?.deletionTimestamp, "held by the finalizer foregroundDeletion");
      await lab.merge(list, { metadata: { finalizers: null } });
      assert.equal(await lab.get(list), undefined);
      await close();
    });
  });

  describe("keep their keys from people's slips", () => {
    const metadata = (name: string, namespace = "lucid-ops") => ({ name, namespace });
    const RBAC = "rbac.authorization.k8s.io";

    it("no Role reads the key, or all Secrets, but the issuer's, which is given to it alone", async () => {
      const role = (name: string, rule: JsonObject): Manifest => ({
        apiVersion: `${RBAC}/v1`,
        kind: "Role",
        metadata: metadata(name),
        rules: [{ apiGroups: [""], resources: ["secrets"], ...rule }],
      });
      const slips: readonly JsonObject[] = [
        { verbs: ["get"] },
        { verbs: ["list", "watch"] },
        { verbs: ["create", "update"] },
        { verbs: ["get"], resourceNames: ["lucid-issuing-tls"] },
        { verbs: ["patch"], resourceNames: ["admin-ui-settings", "lucid-issuing-tls"] },
      ];
      for (const rule of slips)
        await assertRefused(lab.api.create(role("reader", rule)), "lucid-roles", /lucid-issuing-tls/);
      await lab.api.create(role("reader", { verbs: ["get"], resourceNames: ["admin-ui-settings"] }));
      const binding = (...subjects: readonly JsonObject[]): Manifest => ({
        apiVersion: `${RBAC}/v1`,
        kind: "RoleBinding",
        metadata: metadata("more"),
        roleRef: { apiGroup: RBAC, kind: "Role", name: "lucid-issuer" },
        subjects: [...subjects],
      });
      const own = { kind: "ServiceAccount", name: "issuer-ops", namespace: "lucid-mesh" };
      const others: readonly JsonObject[] = [
        { ...own, name: "issuer-wallet" },
        { ...own, namespace: "lucid-ops" },
        { kind: "User", apiGroup: RBAC, name: "issuer-ops" },
      ];
      for (const other of others)
        await assertRefused(
          lab.api.create(binding(own, other)),
          "lucid-role-bindings",
          /somebody else than the zone's issuer/,
        );
      await lab.api.create(binding(own));
    });

    it("no pod mounts the key, and an issuer's runs the issuer of its zone alone", async () => {
      const planned = await plannedObjects(lucid, ROTATING);
      const workload = (namespace: string, name: string) =>
        planned.find(
          (object) =>
            object.kind === "Deployment" && object.metadata?.name === name && object.metadata.namespace === namespace,
        ) as unknown as JsonObject;
      const volume = { name: "more", secret: { secretName: "lucid-issuing-tls" } };
      const projected = { name: "more", projected: { sources: [{ secret: { name: "lucid-issuing-tls" } }] } };
      const jaeger = workload("lucid-ops", "jaeger");
      const { volumes } = (jaeger as { spec: { template: { spec: { volumes: Json[] } } } }).spec.template.spec;
      for (const added of [volume, projected]) {
        const mounts = edit(jaeger, "spec.template.spec.volumes", [...volumes, added]);
        await assertRefused(lab.api.apply(mounts), "lucid-sidecar-files", /mounts lucid-issuing-tls/);
      }
      const issuer = workload("lucid-mesh", "issuer-ops");
      const pod = "spec.template.spec";
      const slips: readonly (readonly [string, Json, RegExp])[] = [
        [`${pod}.containers[0].command`, ["node", "-e", "x"], /and nothing else/],
        [`${pod}.containers[0].args`, ["--inspect"], /and nothing else/],
        [`${pod}.containers[0].env[0].value`, "wallet", /told its own zone/],
        [`${pod}.containers[0].env[0].value`, "", /told its own zone/],
        [`${pod}.containers[0].env[1]`, { name: "NODE_OPTIONS", value: "--inspect=0.0.0.0" }, /told its own zone/],
        [`${pod}.containers[0].env[1]`, { name: "KUBERNETES_SERVICE_HOST", value: "10.0.0.1" }, /told its own zone/],
        [`${pod}.volumes`, [{ name: "x", emptyDir: {} }], /no other volume/],
        [`${pod}.volumes`, [{ name: "x", configMap: { name: "lucid-issuing" } }], /no other volume/],
      ];
      for (const [path, value, says] of slips)
        await assertRefused(lab.api.apply(edit(issuer, path, value)), "lucid-issuers", says);
      await lab.api.apply(issuer);
    });

    it("nobody gets into an issuer, or has a token of it that is bound to no pod", async () => {
      const pods = (await lab.api.ask({ method: "GET", path: "/api/v1/namespaces/lucid-mesh/pods" })) as unknown as {
        items: { metadata: { name: string } }[];
      };
      const name = pods.items.map(({ metadata: one }) => one.name).find((one) => one.startsWith("issuer-ops-")) ?? "";
      for (const sub of ["exec", "attach"])
        await assertRefused(
          lab.api.ask({
            method: "POST",
            path: `/api/v1/namespaces/lucid-mesh/pods/${name}/${sub}?container=issuer&command=cat&stdout=true`,
          }),
          "lucid-exec",
          /can sign for its zone/,
        );
      const token = (account: string) =>
        lab.api.ask({
          method: "POST",
          path: `/api/v1/namespaces/lucid-mesh/serviceaccounts/${account}/token`,
          body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } },
        });
      await assertRefused(token("issuer-ops"), "lucid-tokens", /bound to no pod/);
      await token("mesh-controller");
    });
  });
});
