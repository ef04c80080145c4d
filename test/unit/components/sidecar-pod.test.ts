import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { attachSidecar, toTemplateSpec } from "../../../components";
import type { AttachOptions, Container, PodTemplate, SidecarPod } from "../../../components";
import { conflicts } from "../../../components/pods/sidecar-conflicts";
import { MAX_PEER_CONNECTION } from "../../../envoy/http";
import { COMPLETING_GRACE_SECONDS, DRAIN_SECONDS, GATEWAY_DRAIN_SECONDS, GRACE_SECONDS } from "../../../mesh";
import { DISCOVERY_TIMES, WAY_OUT_DRAIN_SECONDS } from "../../../mesh/drain";
import { defaultTimeoutMs } from "../../../mesh/traffic/defaults";

const SIDECAR: SidecarPod = {
  service: "shop",
  zone: "ops",
  version: "1.0.0",
  bootstrapDigest: "0123456789abcdef",
  images: { envoy: "envoyproxy/envoy:v1.40.0", startGate: "registry/start-gate:1" },
  args: ["--config-path", "/etc/envoy/config/bootstrap.yaml"],
  resources: { requests: { cpu: "25m", memory: "32Mi" }, limits: { memory: "128Mi" } },
  adminPort: 15000,
  resolverAddress: "10.96.64.53",
};

type Spec = PodTemplate["spec"];

/** A user's template: an application and its helper, with parts of their own. */
function template(spec: Partial<Spec> = {}, application: Partial<Container> = {}): PodTemplate {
  return {
    metadata: { labels: { team: "shop" }, annotations: { note: "kept" } },
    spec: {
      securityContext: { runAsUser: 65532 },
      initContainers: [{ name: "migrate", image: "shop:1" }],
      containers: [
        { name: "app", image: "shop:1", ports: [{ containerPort: 8080 }], ...application },
        { name: "helper", image: "helper:1" },
      ],
      volumes: [{ name: "data", emptyDir: {} }],
      ...spec,
    },
  };
}

const hook = (preStop: object) => ({ lifecycle: { preStop } });

const refused: [title: string, template: PodTemplate, path: string, problem: RegExp][] = [
  ["the node's network", template({ hostNetwork: true }), "spec.hostNetwork", /node's network/],
  ["the node's processes", template({ hostPID: true }), "spec.hostPID", /node's processes/],
  ["the node's memory", template({ hostIPC: true }), "spec.hostIPC", /node's memory/],
  ["shared processes", template({ shareProcessNamespace: true }), "spec.shareProcessNamespace", /sidecar's memory/],
  ["a resolver of its own", template({ dnsPolicy: "ClusterFirst" }), "spec.dnsPolicy", /past its sidecar/],
  ["name servers of its own", template({ dnsConfig: { nameservers: ["10.0.0.1"] } }), "spec.dnsConfig", /past its/],
  ["names of its own", template({ hostAliases: [{ ip: "10.0.0.1" }] }), "spec.hostAliases", /call itself/],
  ["another account", template({ serviceAccountName: "admin" }), "spec.serviceAccountName", /'admin'.*not shop's/],
  [
    "the sidecar's user, for the pod",
    template({ securityContext: { runAsUser: 65101 } }),
    "spec.securityContext.runAsUser",
    /reserved/,
  ],
  [
    "the sidecar's group, by its volumes",
    template({ securityContext: { fsGroup: 65101 } }),
    "spec.securityContext.fsGroup",
    /reserved/,
  ],
  [
    "the sidecar's group, beside others",
    template({ securityContext: { supplementalGroups: [1, 65101] } }),
    "spec.securityContext.supplementalGroups",
    /reserved/,
  ],
  [
    "the sidecar's user",
    template({}, { securityContext: { runAsUser: 65101 } }),
    "spec.containers[0].securityContext.runAsUser",
    /reserved/,
  ],
  [
    "the sidecar's group",
    template({}, { securityContext: { runAsGroup: 65101 } }),
    "spec.containers[0].securityContext.runAsGroup",
    /reserved/,
  ],
  ["the sidecar's name", template({}, { name: "sidecar" }), "spec.containers[0].name", /container of the sidecar/],
  [
    "the gate's name",
    template({ initContainers: [{ name: "start-gate", image: "a:1" }] }),
    "spec.initContainers[0].name",
    /container of/,
  ],
  [
    "the sidecar's volume",
    template({ volumes: [{ name: "sidecar-run", emptyDir: {} }] }),
    "spec.volumes[0].name",
    /volume of the sidecar/,
  ],
  [
    "the private key",
    template({ volumes: [{ name: "key", secret: { secretName: "shop-tls" } }] }),
    "spec.volumes[0].secret",
    /private key/,
  ],
  ...[15000, 15001, 15021, 15090, 15301].map((port): [string, PodTemplate, string, RegExp] => [
    `port ${String(port)}`,
    template({}, { ports: [{ containerPort: port }] }),
    "spec.containers[0].ports[0].containerPort",
    /kept by the sidecar/,
  ]),
  [
    "the node's port",
    template({}, { ports: [{ containerPort: 80, hostPort: 80 }] }),
    "spec.containers[0].ports[0].hostPort",
    /past the sidecar/,
  ],
  [
    "readiness of its own",
    template({}, { readinessProbe: { tcpSocket: { port: 80 } } }),
    "spec.containers[0].readinessProbe",
    /through its sidecar/,
  ],
  [
    "start-up of its own",
    template({}, { startupProbe: { tcpSocket: { port: 80 } } }),
    "spec.containers[0].startupProbe",
    /through its sidecar/,
  ],
  [
    "another hook",
    template({}, hook({ exec: { command: ["stop"] } })),
    "spec.containers[0].lifecycle.preStop",
    /for 15 s/,
  ],
  [
    "another name",
    { ...template(), metadata: { labels: { "app.kubernetes.io/name": "shop2" } } },
    'metadata.labels["app.kubernetes.io/name"]',
    /'shop2'/,
  ],
  [
    "no mesh",
    { ...template(), metadata: { labels: { "lucid.internal/meshed": "false" } } },
    'metadata.labels["lucid.internal/meshed"]',
    /'false'/,
  ],
];

describe("a pod template that can't be given a sidecar", () => {
  for (const [title, made, path, problem] of refused) {
    it(`has ${title}`, () => {
      const found = conflicts(made, SIDECAR);
      assert.deepEqual(
        found.map((conflict) => conflict.path),
        [path],
      );
      assert.match(found[0]?.problem ?? "", problem);
      assert.throws(
        () => attachSidecar(made, SIDECAR),
        (error: unknown) => error instanceof pulumi.RunError && error.message.includes(`${path}: `),
      );
    });
  }

  it("is told of everything at once", () => {
    const made = template({ hostNetwork: true, dnsPolicy: "Default" }, { name: "sidecar" });
    assert.throws(() => attachSidecar(made, SIDECAR), /shop can't be given a sidecar: 3 problems\n.*\n.*\n.*/);
  });

  it("is none for a value that says the harmless thing, or that is known only later", () => {
    const later = pulumi.output(65101);
    const made = template(
      { hostNetwork: false, dnsPolicy: "None", serviceAccountName: "shop", securityContext: { runAsUser: later } },
      { securityContext: { runAsUser: later } },
    );
    assert.deepEqual(conflicts(made, SIDECAR), []);
  });
});

describe("a pod template that is given a sidecar", () => {
  const attach = (made: PodTemplate, options?: AttachOptions) => attachSidecar(made, SIDECAR, options);

  it("keeps what it has, behind the sidecar and the start gate", () => {
    const { metadata, spec } = attach(template());
    assert.deepEqual(
      spec.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy]),
      [
        ["sidecar", "Always"],
        ["start-gate", undefined],
        ["migrate", undefined],
      ],
    );
    assert.deepEqual(
      spec.containers.map(({ name }) => name),
      ["app", "helper"],
    );
    assert.deepEqual(
      spec.volumes?.map(({ name }) => name),
      ["data", "sidecar-config", "sidecar-certificate", "sidecar-token", "sidecar-run"],
    );
    assert.deepEqual([spec.dnsPolicy, spec.dnsConfig], ["None", { nameservers: ["127.0.0.1"] }]);
    assert.equal(metadata?.labels?.["team"], "shop");
    assert.equal(metadata.labels["app.kubernetes.io/version"], "1.0.0");
    assert.equal(metadata.annotations?.["note"], "kept");
    assert.equal(metadata.annotations["lucid.internal/bootstrap-digest"], SIDECAR.bootstrapDigest);
    assert.ok(toTemplateSpec(attach(template())).spec !== undefined);
  });

  it("bears the version that it is", () => {
    assert.equal(attach(template(), { version: "canary" }).metadata?.labels?.["app.kubernetes.io/version"], "canary");
  });

  const drains: [title: string, application: Partial<Container>, options: AttachOptions, expected: unknown][] = [
    ["no hook: the drain", {}, {}, { preStop: { sleep: { seconds: DRAIN_SECONDS } } }],
    [
      "a shorter sleep: lengthened",
      hook({ sleep: { seconds: 1 } }),
      {},
      { preStop: { sleep: { seconds: DRAIN_SECONDS } } },
    ],
    ["a longer sleep: kept", hook({ sleep: { seconds: 60 } }), {}, { preStop: { sleep: { seconds: 60 } } }],
    [
      "a hook at its start: kept beside the drain",
      { lifecycle: { postStart: { exec: { command: ["warm"] } } } },
      {},
      { postStart: { exec: { command: ["warm"] } }, preStop: { sleep: { seconds: DRAIN_SECONDS } } },
    ],
    [
      "a hook that drains: kept where it is said to",
      hook({ exec: { command: ["drain"] } }),
      { drainThemselves: ["app"] },
      { preStop: { exec: { command: ["drain"] } } },
    ],
    ["a pod that completes: none", {}, { completes: true }, undefined],
  ];
  for (const [title, application, options, expected] of drains) {
    it(`drains by ${title}`, () => {
      assert.deepEqual(attach(template({}, application), options).spec.containers[0].lifecycle, expected);
    });
  }

  for (const [own, expected] of [
    [undefined, GRACE_SECONDS],
    [1, GRACE_SECONDS],
    [600, 600],
  ] as const) {
    it(`has ${String(expected)} s to end where it says ${String(own)}`, () => {
      const made = template(own === undefined ? {} : { terminationGracePeriodSeconds: own });
      assert.equal(attach(made).spec.terminationGracePeriodSeconds, expected);
    });
  }

  it("has no time to be forgotten in where it completes: it ends when its application has", () => {
    const grace = (own?: number) =>
      attach(template(own === undefined ? {} : { terminationGracePeriodSeconds: own }), { completes: true }).spec
        .terminationGracePeriodSeconds;
    assert.equal(COMPLETING_GRACE_SECONDS, GRACE_SECONDS - DRAIN_SECONDS);
    assert.deepEqual([grace(), grace(1), grace(600)], [COMPLETING_GRACE_SECONDS, COMPLETING_GRACE_SECONDS, 600]);
  });

  it("is told apart for the controller where it completes, so that nobody calls it", () => {
    const label = (options: AttachOptions) =>
      attach(template(), options).metadata?.labels?.["lucid.internal/completes"];
    assert.deepEqual([label({}), label({ completes: true })], [undefined, "true"]);
  });

  it("is asked whether it is ready through its sidecar; one that completes is not asked", () => {
    const probe = (options: AttachOptions) => attach(template(), options).spec.containers[0].readinessProbe;
    assert.deepEqual((probe({}) as { httpGet: unknown }).httpGet, { path: "/health", port: 15021 });
    assert.equal(probe({ completes: true }), undefined);
  });
});

describe("the drain", () => {
  it("lasts until every caller has looked the name up anew, and the pod's grace lasts longer", () => {
    const forgotten = Object.values(DISCOVERY_TIMES).reduce((sum, seconds) => sum + seconds, 0);
    assert.ok(DRAIN_SECONDS > forgotten);
    assert.ok(GRACE_SECONDS >= DRAIN_SECONDS + 15);
  });

  it("of a pod whose sidecar is alone lasts until what was begun by then is finished, at a gateway on each connection that it still gets", () => {
    const call = defaultTimeoutMs("http") / 1000;
    const age = Number(MAX_PEER_CONNECTION.slice(0, -1));
    assert.ok(WAY_OUT_DRAIN_SECONDS >= DRAIN_SECONDS + call);
    assert.ok(GATEWAY_DRAIN_SECONDS >= WAY_OUT_DRAIN_SECONDS);
    assert.ok(GATEWAY_DRAIN_SECONDS >= age + age + call);
  });
});
