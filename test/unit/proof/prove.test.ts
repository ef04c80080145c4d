import type * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { resolveMesh, validateDocument } from "../../../mesh";
import type { Mesh } from "../../../mesh";
import { planViolations } from "../../../proof";
import { joinedDocument } from "../components/joins";
import { authenticatedMesh } from "../envoy/authenticated";
import { ANOTHER_AUTHORITY, AUTHORITY, externalMesh } from "../envoy/external-fixture";
import { jobsMesh } from "../envoy/jobs-fixture";
import { revokedMesh } from "../envoy/revoked";
import { versionsMesh } from "../envoy/versions-fixture";
import { lucid, rehearsed, settings, withIssuers as rotating } from "./lucid";

const MESHES: readonly (readonly [title: string, mesh: () => Mesh])[] = [
  ["Lucid", () => lucid],
  ["Lucid with services revoked", () => revokedMesh("payout-router", "jaeger")],
  ["Lucid without eyes or controller", () => revokedMesh("prometheus", "mesh-controller")],
  [
    "a mesh whose pods another stack brings in part",
    () => resolveMesh(validateDocument(joinedDocument()), { tracing: true }),
  ],
  ["a mesh with jobs", jobsMesh],
  ["a mesh with services outside the cluster", () => externalMesh()],
  ["a service of several versions", versionsMesh],
  ["a mesh that asks an authenticator", () => authenticatedMesh()],
  ["Lucid with the only service of a zone revoked", () => revokedMesh("lucid-blocks")],
];

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
type Change = (spec: PolicySpec) => void;
interface PolicySpec {
  podSelector: object;
  policyTypes: string[];
  ingress: { from: object[]; ports: object[] }[];
  egress: { to: object[]; ports: object[] }[];
}

type Refile = (data: Record<string, string>) => unknown;

/** Replaces text in the files of a sidecar. */
function replacing(pattern: RegExp, by: string): Refile {
  return (data) => {
    const before = JSON.stringify(data);
    for (const [file, text] of Object.entries(data)) data[file] = text.replace(pattern, by);
    assert.notEqual(JSON.stringify(data), before);
  };
}

/** A line of a certificate that is in no other. */
function lineOf(pem: string): string {
  return pem.split("\n")[5] ?? "";
}

/** Changes one policy while it is registered. */
function changing(name: string, change: Change): pulumi.ComponentResourceOptions {
  return {
    transforms: [
      (args) => {
        if (args.type === POLICY && args.name === name) change(args.props.spec as PolicySpec);
        return { props: args.props, opts: args.opts };
      },
    ],
  };
}

const peer = (zone: string, service: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `lucid-${zone}` } },
  podSelector: { matchLabels: { "app.kubernetes.io/name": service } },
});

/** Generator and proof share no code; here they meet. */
describe("the proof of a plan", function () {
  this.timeout(60_000);

  for (const [title, mesh] of MESHES) {
    it(`finds nothing in ${title}`, async () => {
      assert.deepEqual(planViolations(mesh(), settings, await rehearsed(mesh())), []);
    });
  }

  for (const [title, mesh] of MESHES) {
    it(`finds nothing in ${title}, with issuers`, async () => {
      assert.deepEqual(planViolations(mesh(), rotating, await rehearsed(mesh(), {}, rotating)), []);
    });
  }

  it("finds an issuer that reaches more than the Kubernetes API, or not that", async () => {
    const wider = changing("mesh-issuer-ops", ({ egress }) =>
      egress[0]?.to.push({ ipBlock: { cidr: "10.20.1.0/24" } }),
    );
    assert.match(
      planViolations(lucid, rotating, await rehearsed(lucid, wider, rotating)).join("\n"),
      /network: Mesh\/issuer-ops can reach 10\.20\.1\.0\/24 on 6443\/TCP, which nobody declared/,
    );
    const less = changing("mesh-issuer-ops", ({ egress }) => egress.pop());
    assert.match(
      planViolations(lucid, rotating, await rehearsed(lucid, less, rotating)).join("\n"),
      /network: Mesh\/issuer-ops can't reach .*6443\/TCP, which is declared/,
    );
  });

  it("finds an issuer that lets an inspector in, and a live canary that is let out to one", async () => {
    const rule = { from: [peer("mesh", "mesh-controller")], ports: [{ protocol: "TCP", port: 15090 }] };
    const way = { to: [peer("mesh", "issuer-ops")], ports: [{ protocol: "TCP", port: 15021 }] };
    const { transforms: opened = [] } = changing("mesh-issuer-ops", (spec) => Object.assign(spec, { ingress: [rule] }));
    const { transforms: led = [] } = changing("mesh-mesh-controller", ({ egress }) => egress.push(way));
    const plan = await rehearsed(lucid, { transforms: [...opened, ...led] }, rotating);
    const found = planViolations(lucid, rotating, plan).join("\n");
    assert.match(found, /network: Mesh\/issuer-ops lets Mesh\/mesh-controller in on 15090\/TCP, which nobody declared/);
    assert.match(found, /network: Mesh\/mesh-controller is let out to Mesh\/issuer-ops on 15021\/TCP, which nobody/);
  });

  it("finds an issuer that nobody asked for", async () => {
    assert.match(
      planViolations(lucid, settings, await rehearsed(lucid, {}, rotating)).join("\n"),
      /network: Mesh\/issuer-ops can reach .*, which nobody declared/,
    );
  });

  const CHANGES: readonly (readonly [title: string, name: string, change: Change, finds: RegExp])[] = [
    [
      "a caller too many",
      "wallet-payout-router",
      ({ ingress }) => ingress[0]?.from.push(peer("chain", "lucid-blocks")),
      /^network: Wallet\/payout-router lets Chain\/lucid-blocks in on 15001\/TCP, which nobody declared, .*NetworkPolicy lucid-wallet\/payout-router, spec\.ingress\[0\]\.from\[\d\]/,
    ],
    [
      "a caller too few",
      "chain-lucid-blocks",
      ({ ingress }) => ingress[0]?.from.pop(),
      /^network: Wallet\/payout-router can't reach Chain\/lucid-blocks on 15001\/TCP, which is declared/,
    ],
    [
      "a way out of the cluster",
      "wallet-tron-payment",
      ({ egress }) =>
        egress.push({ to: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [{ protocol: "TCP", port: 443 }] }),
      /^network: Wallet\/tron-payment can reach 203\.0\.113\.0\/24 on 443\/TCP, which nobody declared/,
    ],
    [
      "a pod that lets the live canary in",
      "wallet-payout-router",
      ({ ingress }) => ingress[1]?.ports.push({ protocol: "TCP", port: 15021 }),
      /^network: Mesh\/mesh-controller can reach Wallet\/payout-router on 15021\/TCP, which nobody declared/,
    ],
    [
      "a live canary that is let out nowhere, and so is refused whatever is enforced",
      "mesh-mesh-controller",
      ({ egress }) => {
        for (const rule of egress) rule.ports = rule.ports.filter((port) => (port as { port: number }).port !== 15021);
      },
      /^network: Mesh\/mesh-controller can't reach .* on 15021\/TCP, which is declared/,
    ],
    [
      "another who is let out to it",
      "ops-prometheus",
      ({ egress }) =>
        egress
          .find(({ ports }) => ports.some((port) => (port as { port: number }).port === 15090))
          ?.ports.push({ protocol: "TCP", port: 15021 }),
      /^network: Ops\/prometheus is let out to .* on 15021\/TCP, which nobody declared, and only the other side refuses it/,
    ],
    [
      "a rule for everyone",
      "wallet-payout-router",
      ({ ingress }) => ingress.splice(0, 9, { from: [], ports: [] }),
      /every address can reach Wallet\/payout-router on every port, which nobody declared/,
    ],
  ];
  for (const [title, name, change, finds] of CHANGES) {
    it(`finds ${title}`, async () => {
      const found = planViolations(lucid, settings, await rehearsed(lucid, changing(name, change)));
      assert.ok(
        found.some((text) => finds.test(text)),
        JSON.stringify(found, undefined, 2),
      );
    });
  }

  const FILES: readonly (readonly [title: string, name: string, change: Refile, finds: RegExp])[] = [
    [
      "a caller that only a sidecar lets in",
      "payout-router-sidecar-envoy",
      replacing(/(lucid-ops\/sa\/|lucid-ops:)admin-ui/g, "$1jaeger"),
      /^authorization: Wallet\/payout-router lets Ops\/jaeger send .*, which nobody declared, and only the other side has no way there: ConfigMap lucid-wallet\/payout-router-envoy, data\["listeners\.yaml"\]/,
    ],
    [
      "a caller that a sidecar refuses",
      "lucid-blocks-sidecar-envoy",
      replacing(/(lucid-wallet\/sa\/|lucid-wallet:)payout-router/g, "$1tron-payment"),
      /^authorization: Wallet\/payout-router can't send .* to Chain\/lucid-blocks on http .*, which is declared: no filter chain takes its certificate/,
    ],
    [
      "a way that nobody declared",
      "admin-ui-sidecar-envoy",
      replacing(/payout-router/g, "tron-payment"),
      /^ways: Ops\/admin-ui has a way to Wallet\/tron-payment on http, which nobody declared, and only the other side refuses it/,
    ],
    [
      "another resolver",
      "admin-ui-sidecar-envoy",
      replacing(/10\.96\.64\.53/g, "10.96.64.99"),
      /^ways: Ops\/admin-ui can't reach .* asks 10\.96\.64\.99:53 for its address/,
    ],
    [
      "a name that nobody declared",
      "admin-ui-sidecar-envoy",
      replacing(/name: payout-router\.lucid\.internal/, "name: login.lucid.internal"),
      /^names: Ops\/admin-ui's resolver answers login\.lucid\.internal, which nobody declared/,
    ],
    [
      "roots of which no file is left",
      "payout-router-sidecar-trust",
      (data) => Reflect.deleteProperty(data, "ops.yaml"),
      /^sidecars: ConfigMap lucid-wallet\/payout-router-trust, data\["chain\.yaml"\]: can't be known at preview/,
    ],
    [
      "roots of a zone that are made of no root of that zone",
      "payout-router-sidecar-trust",
      (data) => (data["edge.yaml"] = data["ops.yaml"] ?? ""),
      /^sidecars: ConfigMap lucid-wallet\/payout-router-trust, data\["\w+\.yaml"\]: can't be known at preview/,
    ],
  ];
  for (const [title, name, change, finds] of FILES) {
    it(`finds ${title}`, async () => {
      const transforms = [
        ({ type, name: resource, props, opts }: pulumi.ResourceTransformArgs) => {
          if (type.endsWith(":ConfigMap") && resource === name) change(props.data as Record<string, string>);
          return { props, opts };
        },
      ];
      const found = planViolations(lucid, settings, await rehearsed(lucid, { transforms }));
      assert.ok(
        found.some((text) => finds.test(text)),
        JSON.stringify(found, undefined, 2),
      );
    });
  }

  const WAYS_OUT: readonly (readonly [title: string, name: string, change: Refile, finds: RegExp])[] = [
    [
      "another address outside",
      "ledger-db-sidecar-envoy",
      replacing(/10\.20\.0\.5/g, "10.20.0.9"),
      /^ways: Edge\/ledger-db leads out of the cluster to 10\.20\.0\.9, 10\.20\.0\.6 on 5432\/TCP .*, which nobody declared/,
    ],
    [
      "another authority outside",
      "ledger-db-sidecar-envoy",
      replacing(new RegExp(lineOf(AUTHORITY).replaceAll("+", "\\+")), lineOf(ANOTHER_AUTHORITY)),
      /^ways: Edge\/ledger-db leads out of the cluster .*authorities [0-9a-f]{16}.*, which nobody declared/,
    ],
    [
      "another name outside",
      "ledger-db-sidecar-envoy",
      replacing(/db\\\.example\\\.org/, "any\\.example\\.org"),
      /^ways: Edge\/ledger-db leads out of the cluster .*names any\.example\.org.*, which nobody declared/,
    ],
    [
      "requests for another host",
      "rates-sidecar-envoy",
      replacing(/host_rewrite_literal: api\.example\.org/g, "host_rewrite_literal: rates.example.org"),
      /^authorization: Ops\/ledger can send .* to Edge\/rates on (http|grpc) \(10\.20\.1\.7 .*, for rates\.example\.org\), which nobody declared/,
    ],
    [
      "an application in its place",
      "legacy-sidecar-envoy",
      replacing(/10\.20\.2\.9/g, "127.0.0.1"),
      /^(ways: Ops\/legacy doesn't lead to 10\.20\.2\.9 on 8000\/TCP in plain text|sidecars: )/,
    ],
  ];
  for (const [title, name, change, finds] of WAYS_OUT) {
    it(`finds ${title}`, async () => {
      const transforms = [
        ({ type, name: resource, props, opts }: pulumi.ResourceTransformArgs) => {
          if (type.endsWith(":ConfigMap") && resource === name) change(props.data as Record<string, string>);
          return { props, opts };
        },
      ];
      const mesh = externalMesh();
      const found = planViolations(mesh, settings, await rehearsed(mesh, { transforms }));
      assert.ok(
        found.some((text) => finds.test(text)),
        JSON.stringify(found, undefined, 2),
      );
    });
  }

  it("finds a way out that is closed, or wider than declared", async () => {
    const mesh = externalMesh();
    const less = changing("edge-ledger-db", ({ egress }) => egress[1]?.to.pop());
    assert.match(
      planViolations(mesh, settings, await rehearsed(mesh, less)).join("\n"),
      /network: Edge\/ledger-db can't reach what Edge\/ledger-db stands for \(10\.20\.0\.6\/32\) on 5432\/TCP, which is declared/,
    );
    const wider = changing("edge-ledger-db", ({ egress }) => egress[1]?.to.push({ ipBlock: { cidr: "10.20.1.0/24" } }));
    assert.match(
      planViolations(mesh, settings, await rehearsed(mesh, wider)).join("\n"),
      /network: Edge\/ledger-db can reach 10\.20\.1\.0\/24 on 5432\/TCP, which nobody declared/,
    );
  });

  it("finds a pod that runs as another service's account", async () => {
    const borrow = {
      transforms: [
        (args: pulumi.ResourceTransformArgs) => {
          const { type, name, props, opts } = args;
          if (type.endsWith(":Deployment") && name === "jaeger-deployment") {
            (props.spec as { template: { spec: { serviceAccountName: string } } }).template.spec.serviceAccountName =
              "admin-ui";
          }
          return { props, opts };
        },
      ],
    };
    const found = planViolations(lucid, settings, await rehearsed(lucid, borrow)).join("\n");
    assert.match(found, /Ops\/admin-ui can't reach|no workload is Ops\/jaeger/);
  });

  it("concludes nothing where a policy can't be known", async () => {
    const unknown = {
      transforms: [
        (args: pulumi.ResourceTransformArgs) => {
          const { type, name, props, opts } = args;
          if (type === POLICY && name === "wallet-payout-router") props.spec = pulumiUnknown;
          return { props, opts };
        },
      ],
    };
    assert.deepEqual(planViolations(lucid, settings, await rehearsed(lucid, unknown)), [
      "network: NetworkPolicy lucid-wallet/payout-router, spec: can't be known at preview; give it as a plain value, so that it can be judged before it is deployed",
    ]);
  });
});

/** What stands on the wire for what is not known yet. */
const pulumiUnknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
