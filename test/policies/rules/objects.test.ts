import { LUCID_CEILING } from "../../../policies/ceiling";
import { membersOnly } from "../../../policies/rules/members-only";
import { networkPolicyZoneIsolation } from "../../../policies/rules/network-policy-zone-isolation";
import { resourceTypesKnown } from "../../../policies/rules/resource-types-known";
import { servicesInternalOnly } from "../../../policies/rules/services-internal-only";
import {
  defaultDeny,
  meshedPeer,
  namespace,
  networkPolicy,
  payoutRouterPolicy,
  peer,
  service,
  serviceAccount,
} from "../fixtures/objects";
import { consul, cronJob, deployment, job } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { JsonObject } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

describe("members-only", () => {
  describe("on a namespace", () => {
    refusesEach(membersOnly, namespace, [
      {
        title: "a zone that does not exist",
        path: "metadata.name",
        value: "lucid-other",
        finds: /no zone's namespace/,
      },
      { title: "a generated name", path: "metadata.name", finds: /no name of its own/ },
      { title: "an unknown name", path: "metadata.name", value: UNKNOWN, finds: /can't be known/ },
      {
        title: "another zone's label",
        path: 'metadata.labels["lucid.internal/zone"]',
        value: "ops",
        finds: /zone label is `ops`/,
      },
      { title: "nothing known at all", path: "metadata", finds: /nothing of the object is known/ },
    ]);
    it("leaves namespaces outside the mesh alone", () => {
      assertPasses(membersOnly, { ...namespace(), properties: { metadata: { name: "default" } } });
    });
  });

  describe("on a ServiceAccount", () => {
    refusesEach(membersOnly, serviceAccount, [
      {
        title: "a stranger",
        path: "metadata.name",
        value: "stranger",
        finds: /`stranger` is not a member of zone wallet/,
      },
      {
        title: "a member of another zone",
        path: "metadata.name",
        value: "admin-ui",
        finds: /not a member of zone wallet/,
      },
      { title: "no namespace", path: "metadata.namespace", finds: /does not say its namespace/ },
      { title: "an unknown namespace", path: "metadata.namespace", value: UNKNOWN, finds: /can't be known/ },
      {
        title: "a namespace of no zone",
        path: "metadata.namespace",
        value: "lucid-other",
        finds: /no zone's namespace/,
      },
    ]);
  });

  describe("on a workload", () => {
    const pod = "spec.template";
    refusesEach(membersOnly, deployment, [
      {
        title: "a selector of others' pods",
        path: 'spec.selector.matchLabels["app.kubernetes.io/name"]',
        value: "tron-payment",
        finds: /would take others' for its own/,
      },
      { title: "a selector without a name", path: "spec.selector.matchLabels", value: {}, finds: /take others'/ },
      { title: "an empty namespace", path: "metadata.namespace", value: "", finds: /does not say its namespace/ },
      { title: "a stranger", path: `${pod}.spec.serviceAccountName`, value: "stranger", finds: /not a member/ },
      {
        title: "another zone's member",
        path: "metadata.namespace",
        value: "lucid-chain",
        finds: /not a member of zone chain/,
      },
      { title: "the default account", path: `${pod}.spec.serviceAccountName`, finds: /default ServiceAccount/ },
      { title: "an unknown account", path: `${pod}.spec.serviceAccountName`, value: UNKNOWN, finds: /can't be known/ },
      {
        title: "another account by its old name",
        path: `${pod}.spec.serviceAccount`,
        value: "tron-payment",
        finds: /deprecated alias/,
      },
      {
        title: "another workload under the account",
        path: "metadata.name",
        value: "miner",
        finds: /runs under the ServiceAccount/,
      },
      { title: "no name label", path: `${pod}.metadata.labels["app.kubernetes.io/name"]`, finds: /name is missing/ },
      {
        title: "another member's name label",
        path: `${pod}.metadata.labels["app.kubernetes.io/name"]`,
        value: "tron-payment",
        finds: /tron-payment/,
      },
      {
        title: "another zone's label",
        path: `${pod}.metadata.labels["lucid.internal/zone"]`,
        value: "ops",
        finds: /zone is `ops`/,
      },
      {
        title: "no sign of its sidecar",
        path: `${pod}.metadata.labels["lucid.internal/meshed"]`,
        finds: /meshed is missing/,
      },
    ]);
    it("takes a workload of one version, named for it and labelled with it", () => {
      const { type, properties } = deployment();
      const canary = edit(properties, "metadata.name", "payout-router-canary");
      const label = `${pod}.metadata.labels["app.kubernetes.io/version"]`;
      assertPasses(membersOnly, { type, properties: edit(canary, label, "canary") });
      for (const version of ["stable", undefined]) {
        assertFinds(membersOnly, { type, properties: edit(canary, label, version) }, /runs under the ServiceAccount/);
      }
    });
    it("refuses a Deployment that would not be registered, as if it ran to completion", () => {
      const { type, properties } = deployment();
      const label = `${pod}.metadata.labels["lucid.internal/completes"]`;
      assertFinds(membersOnly, { type, properties: edit(properties, label, "true") }, /would not be registered/);
    });
    it("refuses infrastructure that pretends to have a sidecar", () => {
      assertPasses(membersOnly, consul());
      const { type, properties } = consul();
      assertFinds(
        membersOnly,
        { type, properties: edit(properties, `${pod}.metadata.labels["lucid.internal/meshed"]`, "true") },
        /take it out/,
      );
    });
    it("takes a member from the policy's configuration", () => {
      const ceiling = { ...LUCID_CEILING, members: { ...LUCID_CEILING.members, wallet: ["miner"] } };
      assertPasses(membersOnly, deployment("miner"), ceiling);
      assertFinds(membersOnly, deployment("payout-router"), /not a member/, ceiling);
    });
  });
});

describe("members-only", () => {
  for (const { title, happy, pod } of [
    { title: "a Job", happy: job, pod: "spec.template" },
    { title: "a CronJob", happy: cronJob, pod: "spec.jobTemplate.spec.template" },
  ]) {
    describe(`on ${title}`, () => {
      const label = (name: string) => `${pod}.metadata.labels["${name}"]`;
      refusesEach(membersOnly, () => happy(), [
        { title: "a stranger", path: `${pod}.spec.serviceAccountName`, value: "stranger", finds: /not a member/ },
        { title: "the default account", path: `${pod}.spec.serviceAccountName`, finds: /default ServiceAccount/ },
        { title: "another zone's member", path: "metadata.namespace", value: "lucid-chain", finds: /not a member/ },
        { title: "another name", path: "metadata.name", value: "miner", finds: /runs under the ServiceAccount/ },
        { title: "another name behind", path: "metadata.name", value: "payout-router-miner", finds: /runs under the/ },
        { title: "a name of no namespace", path: "metadata.namespace", finds: /does not say its namespace/ },
        {
          title: "another member's name",
          path: label("app.kubernetes.io/name"),
          value: "tron-payment",
          finds: /tron-p/,
        },
        { title: "another zone's label", path: label("lucid.internal/zone"), value: "ops", finds: /zone is `ops`/ },
        { title: "no sign of its sidecar", path: label("lucid.internal/meshed"), finds: /meshed is missing/ },
        { title: "pods that would be called", path: label("lucid.internal/completes"), finds: /nobody may call/ },
        {
          title: "pods said to be called",
          path: label("lucid.internal/completes"),
          value: "false",
          finds: /nobody may/,
        },
        {
          title: "an unknown account",
          path: `${pod}.spec.serviceAccountName`,
          value: UNKNOWN,
          finds: /can't be known/,
        },
      ]);
      it("refuses one that is not declared, all of it", () => {
        assertFinds(membersOnly, happy("payout-batch"), /`payout-batch` is not a member of zone wallet/);
      });
      it("takes one that the ceiling names", () => {
        assertPasses(membersOnly, happy("payout-batch"), {
          ...LUCID_CEILING,
          members: { ...LUCID_CEILING.members, wallet: ["payout-batch"] },
        });
      });
    });
  }

  it("takes a digest behind a Job's name alone", () => {
    for (const workload of [deployment(), cronJob()]) {
      const { type, properties } = workload;
      const named = { type, properties: edit(properties, "metadata.name", "payout-router-0123456789") };
      assertFinds(membersOnly, named, /runs under the ServiceAccount/);
    }
  });
});

describe("network-policy-zone-isolation", () => {
  const rule = networkPolicyZoneIsolation;
  const FROM = "spec.ingress[0].from[0]";
  refusesEach(rule, payoutRouterPolicy, [
    {
      title: "a caller of another zone that the ceiling does not allow",
      path: FROM,
      value: peer("ops", "jaeger"),
      finds: /ops\/jaeger reach wallet\/payout-router on 15001/,
    },
    { title: "the zones turned round", path: FROM, value: peer("chain", "lucid-blocks"), finds: /does not allow/ },
    { title: "a whole zone", path: FROM, value: meshedPeer("ops"), finds: /ops\/\* reach wallet\/payout-router/ },
    { title: "a whole namespace", path: `${FROM}.podSelector`, finds: /in one element/ },
    { title: "every pod of a namespace", path: `${FROM}.podSelector`, value: {}, finds: /in one element/ },
    { title: "a name in every namespace", path: `${FROM}.namespaceSelector`, finds: /in one element/ },
    { title: "an empty namespace selector", path: `${FROM}.namespaceSelector`, value: {}, finds: /in one element/ },
    { title: "an empty peer", path: FROM, value: {}, finds: /in one element/ },
    { title: "no peer", path: "spec.ingress[0].from", finds: /to everyone/ },
    { title: "an empty list of peers", path: "spec.ingress[0].from", value: [], finds: /to everyone/ },
    { title: "an empty rule", path: "spec.ingress[0]", value: {}, finds: /to everyone/ },
    { title: "unknown peers", path: "spec.ingress[0].from", value: UNKNOWN, finds: /can't be known/ },
    { title: "unknown rules", path: "spec.ingress", value: UNKNOWN, finds: /can't be known/ },
    {
      title: "a namespace by a label that can be forged",
      path: `${FROM}.namespaceSelector`,
      value: { matchLabels: { "lucid.internal/zone": "ops" } },
      finds: /not selected by name/,
    },
    {
      title: "namespaces but one",
      path: `${FROM}.namespaceSelector`,
      value: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["lucid-ops"] }] },
      finds: /not selected by name/,
    },
    {
      title: "pods by another label",
      path: `${FROM}.podSelector`,
      value: { matchLabels: { app: "x" } },
      finds: /neither by name/,
    },
    {
      title: "a stranger",
      path: `${FROM}.podSelector.matchLabels["app.kubernetes.io/name"]`,
      value: "stranger",
      finds: /not a member of zone ops/,
    },
    {
      title: "pods outside the mesh",
      path: FROM,
      value: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "default" } },
        podSelector: { matchLabels: { a: "b" } },
      },
      finds: /no party of the ceiling/,
    },
    { title: "addresses", path: FROM, value: { ipBlock: { cidr: "0.0.0.0/0" } }, finds: /no party of the ceiling/ },
    {
      title: "addresses of pods",
      path: FROM,
      value: { ipBlock: { cidr: "10.244.0.0/24" } },
      finds: /no party of the ceiling/,
    },
    { title: "addresses of IPv6", path: FROM, value: { ipBlock: { cidr: "::/0" } }, finds: /no party of the ceiling/ },
    {
      title: "the API server, to a service that does not ask it",
      path: FROM,
      value: { ipBlock: { cidr: "10.0.0.1/32" } },
      finds: /external\/api-server reach/,
    },
    { title: "no ports", path: "spec.ingress[0].ports", finds: /every port/ },
    { title: "an empty list of ports", path: "spec.ingress[0].ports", value: [], finds: /every port/ },
    { title: "every port of a protocol", path: "spec.ingress[0].ports[0].port", finds: /every port of a protocol/ },
    { title: "a range of ports", path: "spec.ingress[0].ports[0].endPort", value: 16000, finds: /range of ports/ },
    { title: "a named port", path: "spec.ingress[0].ports[0].port", value: "inbound", finds: /not a number/ },
    { title: "another port", path: "spec.ingress[0].ports[0].port", value: 8080, finds: /on 8080\/TCP/ },
    { title: "another protocol", path: "spec.ingress[0].ports[0].protocol", value: "UDP", finds: /15001\/UDP/ },
    {
      title: "inspection by somebody else",
      path: "spec.ingress[1].from[0]",
      value: peer("ops", "admin-ui"),
      finds: /15090/,
    },
    {
      title: "the live canary on the way in",
      path: "spec.ingress[1].ports[0].port",
      value: 15021,
      finds: /15021\/TCP/,
    },
    {
      title: "a callee of another zone that the ceiling does not allow",
      path: "spec.egress[0].to[1]",
      value: peer("ops", "admin-ui"),
      finds: /wallet\/payout-router reach ops\/admin-ui/,
    },
    {
      title: "the start gate's canary on the way out",
      path: "spec.egress[1].ports[1].port",
      value: 8181,
      finds: /8181\/TCP/,
    },
    {
      title: "DNS past the node resolver",
      path: "spec.egress[1].to[0]",
      value: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
        podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      },
      finds: /external\/kube-dns/,
    },
    {
      title: "everything that the policy opens, for every pod",
      path: "spec.podSelector",
      value: {},
      finds: /does not select by name/,
    },
    {
      title: "a stranger's pods",
      path: 'spec.podSelector.matchLabels["app.kubernetes.io/name"]',
      value: "stranger",
      finds: /not a member/,
    },
    {
      title: "another zone's policy",
      path: "metadata.namespace",
      value: "lucid-chain",
      finds: /not a member of zone chain/,
    },
    { title: "nothing known", path: "spec", finds: /nothing of the policy is known/ },
  ]);

  it("passes a default deny", () => {
    assertPasses(rule, defaultDeny());
  });

  it("passes members of one zone, the infrastructure's edges and the API server's addresses", () => {
    const tcp = (port: number) => [{ protocol: "TCP", port }];
    const allowed: [string, string, JsonObject][] = [
      ["wallet", "tron-payment", { ingress: [{ from: [peer("wallet", "payout-router")], ports: tcp(15001) }] }],
      [
        "ops",
        "jaeger",
        { ingress: [{ from: [peer("wallet", "payout-router"), meshedPeer("chain")], ports: tcp(15001) }] },
      ],
      [
        "ops",
        "prometheus",
        { egress: [{ to: ["ops", "chain", "wallet", "mesh"].map(meshedPeer), ports: tcp(15090) }] },
      ],
      ["mesh", "mesh-controller", { egress: [{ to: [{ ipBlock: { cidr: "10.0.3.1/32" } }], ports: tcp(6443) }] }],
      ["mesh", "node-resolver", { ingress: [{ from: [meshedPeer("wallet")], ports: [...tcp(53), ...tcp(8181)] }] }],
      ["mesh", "consul", { ingress: [{ from: [peer("mesh", "mesh-controller")], ports: tcp(8501) }] }],
      [
        "mesh",
        "consul",
        { egress: [{ to: [peer("mesh", "node-resolver")], ports: [...tcp(8301), { protocol: "UDP", port: 8301 }] }] },
      ],
    ];
    for (const [zone, name, spec] of allowed) assertPasses(rule, networkPolicy(zone, name, spec));
  });

  it("refuses infrastructure what only sidecars may", () => {
    const spec = { egress: [{ to: [peer("ops", "jaeger")], ports: [{ protocol: "TCP", port: 15001 }] }] };
    assertFinds(rule, networkPolicy("mesh", "consul", spec), /mesh\/consul reach ops\/jaeger/);
  });

  it("takes an edge from the policy's configuration", () => {
    const spec = { ingress: [{ from: [peer("ops", "jaeger")], ports: [{ protocol: "TCP", port: 15001 }] }] };
    const edge = { from: "ops/jaeger", to: "wallet/payout-router", ports: ["15001/TCP"], reason: "test" };
    assertPasses(rule, networkPolicy("wallet", "payout-router", spec), { ...LUCID_CEILING, edges: [edge] });
  });
});

describe("services-internal-only", () => {
  refusesEach(servicesInternalOnly, service, [
    { title: "a NodePort", path: "spec.type", value: "NodePort", finds: /type is `NodePort`/ },
    { title: "a LoadBalancer", path: "spec.type", value: "LoadBalancer", finds: /type is `LoadBalancer`/ },
    { title: "an ExternalName", path: "spec.type", value: "ExternalName", finds: /type is/ },
    { title: "an unknown type", path: "spec.type", value: UNKNOWN, finds: /not known at preview/ },
    { title: "an external address", path: "spec.externalIPs", value: ["192.0.2.1"], finds: /outside the cluster/ },
    { title: "a port of the node", path: "spec.ports[0].nodePort", value: 30000, finds: /every node/ },
    { title: "addresses written by hand", path: "spec.selector", finds: /without selector/ },
  ]);
  it("refuses an Ingress", () => {
    const properties = { metadata: { name: "x", namespace: "lucid-ops" } };
    assertFinds(servicesInternalOnly, { type: "kubernetes:networking.k8s.io/v1:Ingress", properties }, /past the mesh/);
  });
});

describe("resource-types-known", () => {
  const of = (type: string, properties: JsonObject = {}) => ({ type, properties });
  for (const type of [
    "kubernetes:apps/v1:Deployment",
    "kubernetes:v1:ConfigMap",
    "tls:index/privateKey:PrivateKey",
    "docker:index/image:Image",
    "lucid:mesh:Zone",
    "pulumi:providers:kubernetes",
  ]) {
    it(`passes ${type}`, () => {
      assertPasses(resourceTypesKnown, of(type));
    });
  }
  for (const type of [
    "kubernetes:apps/v1:DeploymentPatch",
    "kubernetes:apps/v1:DeploymentList",
    "kubernetes:cilium.io/v2:CiliumNetworkPolicy",
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:yaml:ConfigFile",
    "kubernetes:constructor:toString",
    "docker:index/container:Container",
    "command:local:Command",
    "aws:s3/bucket:Bucket",
  ]) {
    it(`refuses ${type}`, () => {
      assertFinds(resourceTypesKnown, of(type), /no rule models/);
    });
  }
});
