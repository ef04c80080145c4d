import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { JOIN_FORMAT, JoinedService, parseJoinData, readJoin } from "../../../components";
import type { JoinData, JoinedServiceArgs, PodTemplate } from "../../../components";
import { joinedDocument, joinsOf } from "./joins";
import { installMocks, recorded, settled } from "./mocks";
import type { Recorded } from "./mocks";

/** What was told in this format when it was new. It never changes: a stack that joined then is to be understood now. */
const KEPT = path.join(__dirname, "fixtures", "join-format-1.json");

/** What a mesh says of the service that may join it. */
let join: JoinData;

const template: PodTemplate = { spec: { containers: [{ name: "app", image: "shop:1.4.2" }] } };

function named(name: string): Recorded {
  const found = recorded.find((resource) => resource.name === name);
  assert.ok(found, `no resource ${name}`);
  return found;
}

/** Paths of all leaves, elements of a list alike. */
function keysOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  const children = Array.isArray(value)
    ? value.map((item: unknown) => [`${path}[]`, item] as const)
    : Object.entries(value).map(([key, item]) => [`${path}.${key}`, item as unknown] as const);
  return [...new Set(children.flatMap(([at, item]) => keysOf(item, at)))].sort();
}

/** The message of the RunError that is thrown. */
function told(action: () => unknown): string {
  let message: string | undefined;
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof pulumi.RunError, String(error));
    message = error.message;
    return true;
  });
  return message ?? "";
}

describe("a mesh that lets a service join", function () {
  this.timeout(60_000);

  before(async () => {
    const joins = await joinsOf(joinedDocument());
    assert.deepEqual(Object.keys(joins), ["billing"], "nobody else is told of");
    assert.ok(joins.billing);
    join = joins.billing;
  });

  it("makes everything of it but its pods", () => {
    const own = recorded.filter(({ name }) => name.startsWith("billing") || name === "ops-billing");
    assert.deepEqual(own.map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`).sort(), [
      "CertRequest billing-sidecar-request",
      "ConfigMap billing-sidecar-envoy",
      "ConfigMap billing-sidecar-trust",
      "LocallySignedCert billing-sidecar-certificate",
      "MeshService billing",
      "MeshService billing-declaration",
      "NetworkPolicy ops-billing",
      "PrivateKey billing-sidecar-key",
      "Secret billing-sidecar-tls",
      "ServiceAccount billing-account",
      "Sidecar billing-sidecar",
    ]);
    assert.match(String(named("consul-registrar-ops-policy").inputs.rules), /service "billing"/);
  });

  it("tells of it without a key", () => {
    assert.doesNotMatch(JSON.stringify(join), /PRIVATE|CERTIFICATE|BEGIN|SECRET-|UUID-|BYTES-/);
  });

  it("tells in the form that this format has from its first release on: another form needs another JOIN_FORMAT", () => {
    const kept: unknown = JSON.parse(readFileSync(KEPT, "utf8"));
    assert.deepEqual(keysOf(parseJoinData(kept, "billing")), keysOf(kept));
    assert.deepEqual(keysOf(join), keysOf(kept));
    assert.equal(KEPT.includes(`join-format-${String(JOIN_FORMAT)}.json`), true);
  });

  it("tells what it can read itself", () => {
    assert.deepEqual(parseJoinData(JSON.parse(JSON.stringify(join)), "billing"), join);
  });
});

describe("what a mesh tells of a service", () => {
  const changes: [title: string, change: (data: Record<string, unknown>) => void, message: RegExp][] = [
    ["an older format", (data) => (data.format = 0), /format 0, and this package reads 1; have the mesh deployed/],
    ["a newer format", (data) => (data.format = 2), /format 2, and this package reads 1; update @lucid\/mesh/],
    ["no format", (data) => delete data.format, /billing\.format: .*output 'joins'|output 'joins'[^]*billing\.format/],
    ["an unknown key", (data) => (data.key = "x"), /Unrecognized key: "key"/],
    ["a missing key", (data) => delete data.owner, /billing\.owner: /],
    ["no port", (data) => (data.ports = []), /billing\.ports/],
    [
      "another zone's namespace",
      (data) => (data.namespace = "lucid-wallet"),
      /billing\.namespace: is not the namespace/,
    ],
    ["no zone", (data) => ((data.sidecar as Record<string, unknown>).zone = "moon"), /billing\.sidecar\.zone: /],
    ["a strange digest", (data) => ((data.sidecar as Record<string, unknown>).bootstrapDigest = "x"), /is no digest/],
    [
      "another service",
      (data) => ((data.sidecar as Record<string, unknown>).service = "shop"),
      /'billing' is told of as 'shop'/,
    ],
  ];
  for (const [title, change, message] of changes) {
    it(`is refused with ${title}`, () => {
      const data = structuredClone(join) as unknown as Record<string, unknown>;
      change(data);
      assert.match(
        told(() => parseJoinData(data, "billing", "stack x")),
        message,
      );
      assert.match(
        told(() => parseJoinData(data, "billing", "stack x")),
        /^stack x: /,
      );
    });
  }

  for (const value of [undefined, null, "x", []]) {
    it(`is refused where it is ${JSON.stringify(value)}`, () => {
      assert.match(
        told(() => parseJoinData(value, "billing")),
        /can't be used; take the mesh stack's output 'joins'/,
      );
    });
  }

  const unread: [title: string, joins: unknown, message: RegExp][] = [
    ["nobody", {}, /the given joins does not let 'billing' join \(it lets nobody join\); declare it .*'joinedBy'/],
    ["others", { shop: {}, cart: {} }, /it lets shop or cart join\); declare it/],
    ["another of nearly this name", { biling: {} }, /did you mean 'biling'\?/],
    ["no map", [], /has no map 'joins'; deploy the mesh/],
  ];
  for (const [title, joins, message] of unread) {
    it(`is refused where it lets ${title} join`, async () => {
      await assert.rejects(readJoin(joins as never, "billing"), (error: unknown) => {
        assert.ok(error instanceof pulumi.RunError);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

describe("a service that joins", function () {
  this.timeout(60_000);

  interface Deployment {
    readonly metadata: { readonly name: string; readonly namespace: string };
    readonly spec: {
      readonly replicas: number;
      readonly template: {
        readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
        readonly spec: {
          readonly serviceAccountName: string;
          readonly automountServiceAccountToken: boolean;
          readonly securityContext: { readonly runAsNonRoot: boolean; readonly sysctls: readonly { name: string }[] };
          readonly initContainers: readonly { readonly name: string }[];
          readonly containers: readonly { readonly securityContext: Readonly<Record<string, unknown>> }[];
        };
      };
    };
  }

  const declare = async (args: Partial<JoinedServiceArgs> = {}): Promise<Deployment> => {
    await installMocks();
    new JoinedService("billing", { join, template, version: "1.4.2", ...args });
    await settled();
    return named("billing-deployment").inputs as unknown as Deployment;
  };

  it("is a Deployment and its budget, behind the mesh's sidecar", async () => {
    const { metadata, spec } = await declare();
    assert.deepEqual(recorded.map(({ type }) => type.split(":").at(-1)).sort(), [
      "Deployment",
      "JoinedService",
      "PodDisruptionBudget",
    ]);
    assert.deepEqual([metadata.name, metadata.namespace, spec.replicas], ["billing", "lucid-ops", 1]);
    const { metadata: pod, spec: template } = spec.template;
    assert.deepEqual(
      template.initContainers.map(({ name }) => name),
      ["sidecar", "start-gate"],
    );
    assert.deepEqual([template.serviceAccountName, template.automountServiceAccountToken], ["billing", false]);
    assert.equal(pod.labels["app.kubernetes.io/version"], "1.4.2");
    assert.equal(pod.annotations["lucid.internal/bootstrap-digest"], join.sidecar.bootstrapDigest);
    assert.deepEqual(named("billing").inputs, { service: "billing", zone: "ops" });
  });

  it("is restricted where it says nothing, and what it says where it does", async () => {
    const { spec } = (await declare()).spec.template;
    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.deepEqual(spec.containers[0]?.securityContext.runAsUser, 65532);
    const own: PodTemplate = {
      spec: {
        securityContext: { sysctls: [{ name: "net.ipv4.tcp_syncookies", value: "1" }] },
        containers: [{ name: "app", image: "shop:1.4.2", securityContext: { runAsUser: 1000 } }],
      },
    };
    const said = (await declare({ template: own })).spec.template.spec;
    assert.deepEqual(
      said.securityContext.sysctls.map(({ name }) => name),
      ["net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies"],
    );
    const [app] = said.containers;
    assert.deepEqual(
      [app?.securityContext.runAsUser, app?.securityContext.runAsGroup, app?.securityContext.readOnlyRootFilesystem],
      [1000, undefined, true],
    );
    const asPod: PodTemplate = { spec: { ...template.spec, securityContext: { runAsUser: 2000 } } };
    const [user] = (await declare({ template: asPod })).spec.template.spec.containers;
    assert.equal(user?.securityContext.runAsUser, undefined, "the pod's holds");
  });

  it("is rolled by a changed bootstrap, and by nothing else that the mesh changes live", async () => {
    const before = JSON.stringify((await declare()).spec.template);
    assert.equal(JSON.stringify((await declare({ join: { ...join, owner: "others" } })).spec.template), before);
    const changed = { ...join, sidecar: { ...join.sidecar, bootstrapDigest: "0123456789abcdef" } };
    assert.notEqual(JSON.stringify((await declare({ join: changed })).spec.template), before);
  });

  const spec = (change: Partial<PodTemplate["spec"]>): Partial<JoinedServiceArgs> => ({
    template: { spec: { ...template.spec, ...change } },
  });
  const refused: [title: string, args: Partial<JoinedServiceArgs>, message: RegExp][] = [
    ["the node's network", spec({ hostNetwork: true }), /spec\.hostNetwork: .*past its NetworkPolicy; leave it out/],
    ["another account", spec({ serviceAccountName: "admin-ui" }), /spec\.serviceAccountName: .*'admin-ui'/],
    ["a Kubernetes token", spec({ automountServiceAccountToken: true }), /no right and no way; leave it out/],
    ["more pods", { replicas: 2 }, /replicas: 2 pods are more than the 1 of Cluster 04, billing; write less, or have/],
    ["half a pod", { replicas: 0.5 }, /replicas: 0\.5 is no number of pods/],
    ["no version", { version: "" }, /'' is no version/],
    [
      "another port of the same name",
      spec({ containers: [{ name: "app", image: "shop:1", ports: [{ name: "http", containerPort: 9000 }] }] }),
      /spec\.containers\[0\]\.ports\[0\]\.containerPort: port 'http' is 9000 here and 8080 in the mesh's document/,
    ],
    [
      "a sidecar of its own",
      spec({ initContainers: [{ name: "sidecar", image: "envoy:1" }] }),
      /spec\.initContainers\[0\]\.name: 'sidecar' is a container of the sidecar/,
    ],
  ];
  for (const [title, args, message] of refused) {
    it(`is refused with ${title}, before anything is declared`, async () => {
      await installMocks();
      const problem = told(() => new JoinedService("billing", { join, template, version: "1.4.2", ...args }));
      assert.match(problem, message);
      await settled();
      assert.deepEqual(recorded, []);
    });
  }

  it("is told of everything at once", () => {
    const args = { ...spec({ hostNetwork: true, automountServiceAccountToken: true }), replicas: 9 };
    const problem = told(() => new JoinedService("billing", { join, template, version: "1.4.2", ...args }));
    assert.match(problem, /^billing can't join as it is declared here: 3 problems\n/);
  });

  it("is refused under another name than the mesh's", () => {
    assert.match(
      told(() => new JoinedService("shop", { join, template, version: "1" })),
      /'shop' is told of as 'billing'/,
    );
  });
});
