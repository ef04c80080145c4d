import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { parseAclRules } from "../../../policies/consul/acl-rules";
import { Field } from "../../../policies/judgement/field";
import { UNKNOWN as UNKNOWN_VALUE } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { consulDefaultDeny } from "../../../policies/rules/consul-default-deny";
import { consulLeastPrivilege } from "../../../policies/rules/consul-least-privilege";
import { managementTokenElsewhere } from "../../../policies/rules/management-token";
import { sidecarRequired } from "../../../policies/rules/sidecar-required";
import { aclPolicy, aclToken, agentSecret, clientConfig, serverConfig } from "../fixtures/consul";
import { configMap, secret } from "../fixtures/objects";
import { consul, deployment } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { Json } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";
import { unprovenTokenPolicies } from "../../../policies/rules/token-policies";
import { UNKNOWN } from "../support/unknown";

const POD = "spec.template.spec";

describe("consul-default-deny", () => {
  const refuses: readonly [title: string, path: string, value: Json | undefined, finds: RegExp][] = [
    ["what no policy names to be allowed", "acl.default_policy", "allow", /what no policy names is allowed/],
    ["a default unsaid", "acl.default_policy", undefined, /what no policy names is allowed/],
    ["ACLs that are off", "acl.enabled", false, /ACLs are off/],
    ["no ACLs at all", "acl", undefined, /ACLs are off/],
    ["everything allowed without servers", "acl.down_policy", "allow", /without servers/],
    ["tokens on disk", "acl.enable_token_persistence", true, /written to the agent's disk/],
    ["a recovery token", "acl.tokens.agent_recovery", "t", /may do everything, and needs none/],
    ["an unknown ACL setting", "acl.enable_key_list_policy", true, /none that the rule models/],
    ["gossip in plain text", "encrypt", undefined, /gossip is not encrypted/],
    ["gossip taken in plain text", "encrypt_verify_incoming", false, /plain text too/],
    ["gossip sent in plain text", "encrypt_verify_outgoing", false, /plain text too/],
    ["RPC without certificates", "tls.internal_rpc.verify_incoming", false, /RPC asks for no certificate/],
    ["RPC of any server's name", "tls.internal_rpc.verify_server_hostname", undefined, /or for anybody's/],
    ["any server believed", "tls.defaults.verify_outgoing", false, /believes any server/],
    ["an old TLS of one protocol", "tls.internal_rpc.tls_min_version", "TLSv1_1", /none that the rule models/],
    ["any server believed by RPC", "tls.internal_rpc.verify_outgoing", false, /none that the rule models/],
    ["a page that asks others", "ui_config", { enabled: true, metrics_proxy: {} }, /none that the rule models/],
    ["an old TLS", "tls.defaults.tls_min_version", "TLSv1_1", /old version of TLS/],
    ["plain HTTP on the network", "addresses.http", "0.0.0.0", /HTTP is served in plain text/],
    ["gRPC", "ports.grpc", 8502, /the mesh has none of/],
    ["script checks", "enable_script_checks", true, /none that the rule models/],
  ];
  for (const [title, path, value, finds] of refuses) {
    it(`refuses ${title}`, () => {
      assertFinds(consulDefaultDeny, agentSecret(edit(serverConfig(), path, value)), finds);
    });
  }
  it("refuses DNS in plain text on the network, and takes it on loopback", () => {
    const open = edit(edit(serverConfig(), "ports.dns", 8600), "client_addr", "0.0.0.0");
    assertFinds(consulDefaultDeny, agentSecret(open), /DNS is served in plain text/);
    assertPasses(consulDefaultDeny, agentSecret(edit(serverConfig(), "ports.dns", 8600)));
  });

  it("passes a server's configuration and an agent's, whose tokens are its own", () => {
    assertPasses(consulDefaultDeny, agentSecret());
    assertPasses(consulDefaultDeny, agentSecret(clientConfig(), "node-resolver"));
    const managing = edit(clientConfig(), "acl.tokens.initial_management", "t");
    assertFinds(
      consulDefaultDeny,
      agentSecret(managing, "node-resolver"),
      /tokens\.initial_management: .*may do everything/,
    );
  });

  it("reads the Secret's base64 too, and no text of it stands in a message", () => {
    const { type, properties } = agentSecret();
    const encoded = (text: string) => ({
      type,
      properties: {
        metadata: properties.metadata ?? {},
        data: { "consul-0.json": Buffer.from(text).toString("base64") },
      },
    });
    assertPasses(consulDefaultDeny, encoded(JSON.stringify(serverConfig())));
    const text = JSON.stringify(edit(serverConfig(), "acl.default_policy", "allow"));
    assertFinds(
      consulDefaultDeny,
      encoded(text),
      /^data\["consul-0\.json"\]\.acl\.default_policy: what no policy names is allowed;[^{}]*$/,
    );
    assertFinds(consulDefaultDeny, encoded('acl { default_policy = "allow" }'), /is no JSON object[^{}]*$/);
  });

  it("lets what is unknown at preview be, which is judged when it is known", () => {
    const { type, properties } = agentSecret();
    assertPasses(consulDefaultDeny, { type, properties: edit(properties, "stringData", UNKNOWN) });
    assertPasses(consulDefaultDeny, { type, properties: edit(properties, 'stringData["consul-0.json"]', UNKNOWN) });
  });

  it("refuses an agent's configuration where nobody would judge it", () => {
    for (const text of [JSON.stringify(serverConfig()), 'acl {\n enabled = false\n}\nretry_join = ["x"]']) {
      assertFinds(consulDefaultDeny, configMap("consul-config", { "consul.hcl": text }, "mesh"), /nobody judges it/);
      assertFinds(consulDefaultDeny, secret({ config: text }), /nobody judges it/);
    }
    assertPasses(consulDefaultDeny, configMap("prose", { "readme.md": "We encrypt: all. An acl is kept." }));
  });

  describe("on the servers", () => {
    const agent = `${POD}.containers[0]`;
    refusesEach(consulDefaultDeny, consul, [
      { title: "the image's entry point", path: `${agent}.command`, finds: /something else than Consul itself/ },
      { title: "a shell", path: `${agent}.command`, value: ["sh", "-c", "consul"], finds: /something else than/ },
      { title: "development mode", path: `${agent}.args[3]`, value: "-dev", finds: /option `-dev` goes past/ },
      { title: "an inline setting", path: `${agent}.args[3]`, value: "-hcl=acl{}", finds: /option `-hcl`/ },
      { title: "an option without value", path: `${agent}.args[3]`, value: "-node", finds: /option `-node`/ },
      { title: "another command", path: `${agent}.args[0]`, value: "exec", finds: /else than an agent/ },
      {
        title: "a second file",
        path: `${agent}.args[3]`,
        value: "-config-file=/etc/consul/config/b.json",
        finds: /one file/,
      },
      { title: "a file elsewhere", path: `${agent}.args[1]`, value: "-config-file=/tmp/a.json", finds: /one file/ },
      {
        title: "a way out of the folder",
        path: `${agent}.args[1]`,
        value: "-config-file=/etc/consul/config/../a.json",
        finds: /one file/,
      },
      { title: "no file", path: `${agent}.args[1]`, finds: /one file/ },
      {
        title: "another Secret",
        path: `${POD}.volumes[0].secret.secretName`,
        value: "other-config",
        finds: /one file/,
      },
      { title: "a part of it", path: `${agent}.volumeMounts[0].subPath`, value: "a.json", finds: /one file/ },
      {
        title: "variables from elsewhere",
        path: `${agent}.envFrom`,
        value: [{ secretRef: { name: "x" } }],
        finds: /comes from elsewhere/,
      },
    ]);
    const taker = `${POD}.containers[1]`;
    const [program, settings, reads] = [
      /something else than its image's own program/,
      /none of its settings, or names another server/,
      /something else than its snapshots, its token and the roots/,
    ];
    describe("beside which snapshots are taken", () => {
      refusesEach(consulDefaultDeny, consul, [
        { title: "another program", path: `${taker}.command`, value: ["sh", "-c", "x"], finds: program },
        { title: "a command of an operator's", path: `${taker}.args`, value: ["restore", "x"], finds: program },
        {
          title: "a hook",
          path: `${taker}.lifecycle`,
          value: { preStop: { exec: { command: ["x"] } } },
          finds: program,
        },
        { title: "variables", path: `${taker}.envFrom`, value: [{ secretRef: { name: "x" } }], finds: program },
        {
          title: "another address",
          path: `${taker}.env[0].valueFrom.fieldRef.fieldPath`,
          value: "status.hostIP",
          finds: settings,
        },
        { title: "another leader", path: `${taker}.env[1].value`, value: "10.0.0.1:8300", finds: settings },
        { title: "another server", path: `${taker}.env[2].value`, value: "https://192.0.2.1:8501", finds: settings },
        { title: "plain text", path: `${taker}.env[2].value`, value: "http://127.0.0.1:8500", finds: settings },
        { title: "other roots", path: `${taker}.env[3].value`, value: "/etc/ssl/certs/ca.crt", finds: settings },
        {
          title: "another name of the server's",
          path: `${taker}.env[4].value`,
          value: "jaeger.lucid.internal",
          finds: settings,
        },
        {
          title: "another token",
          path: `${taker}.env[5].value`,
          value: "/consul/config/consul-0.json",
          finds: settings,
        },
        { title: "another folder", path: `${taker}.env[6].value`, value: "/tmp", finds: settings },
        { title: "a setting that is none", path: `${taker}.env[7].name`, value: "NODE_OPTIONS", finds: settings },
        {
          title: "a setting twice",
          path: `${taker}.env[8].name`,
          value: "SNAPSHOT_INTERVAL",
          finds: /missing, or stands there twice/,
        },
        { title: "a setting less", path: `${taker}.env[8]`, finds: /missing, or stands there twice/ },
        { title: "the servers' configuration", path: `${taker}.volumeMounts[0].name`, value: "config", finds: reads },
        {
          title: "a mount more",
          path: `${taker}.volumeMounts[3]`,
          value: { name: "tls", mountPath: "/x" },
          finds: reads,
        },
        { title: "a mount less", path: `${taker}.volumeMounts[2]`, finds: reads },
        { title: "a part of a volume", path: `${taker}.volumeMounts[2].subPath`, value: "token", finds: reads },
        { title: "the servers' key", path: `${POD}.volumes[2].secret.items`, finds: reads },
        { title: "the key as roots", path: `${POD}.volumes[2].secret.items[0].key`, value: "tls.key", finds: reads },
        { title: "another Secret", path: `${POD}.volumes[3].secret.secretName`, value: "consul-config", finds: reads },
        {
          title: "a folder that goes with the pod",
          path: `${POD}.volumes[4]`,
          value: { name: "snapshots", emptyDir: { sizeLimit: "1Gi" } },
          finds: reads,
        },
        {
          title: "its token in another container",
          path: `${agent}.volumeMounts[2]`,
          value: { name: "snapshot-token", mountPath: "/x" },
          finds: /another container reads the token/,
        },
      ]);
      it("is nobody's but Consul's servers': in another pod without a sidecar nobody judges it", () => {
        const other = consul();
        const moved = edit(other.properties, `${POD}.serviceAccountName`, "node-resolver");
        const named = edit(edit(moved, "metadata.name", "node-resolver"), "spec.template.metadata.labels", {
          "app.kubernetes.io/name": "node-resolver",
          "lucid.internal/zone": "mesh",
        });
        assertPasses(sidecarRequired, other);
        assertFinds(sidecarRequired, { ...other, properties: named }, /no rule judges what .*snapshots/);
      });
    });
    it("leaves other containers alone", () => {
      assertPasses(consulDefaultDeny, deployment());
    });
  });
});

describe("consul-least-privilege", () => {
  const rule = (kind: string, name: string, policy: string) => `${kind} "${name}" { policy = "${policy}" }`;
  for (const text of [
    rule("service", "payout-router", "write"),
    rule("node_prefix", "lucid-wallet-", "write"),
    rule("node_prefix", "node-resolver-", "write"),
    rule("node_prefix", "", "read"),
    rule("service_prefix", "", "read"),
    rule("service_prefix", "", "deny"),
  ]) {
    it(`passes ${text}`, () => {
      assertPasses(consulLeastPrivilege, aclPolicy(text));
    });
  }
  for (const [text, finds] of [
    [rule("service_prefix", "", "write"), /no listed service and no zone's nodes/],
    [rule("service_prefix", "payout-router", "write"), /no listed service/],
    [rule("service", "stranger", "write"), /service "stranger"/],
    [rule("node_prefix", "", "write"), /no zone's nodes/],
    [rule("node_prefix", "lucid-", "write"), /no zone's nodes/],
    [rule("node", "consul-0", "write"), /no zone's nodes/],
    [rule("service", "payout-router", "list"), /none that the rule models/],
    [rule("key_prefix", "", "read"), /which is the management token's/],
    [rule("agent_prefix", "", "write"), /which is the management token's/],
    ['acl = "deny"', /`acl`, which is the management token's/],
    ['acl = "read"\noperator = "read"', /`acl`, which is the management token's/],
    ['acl = "read"\nservice "payout-router" { policy = "write" }', /`acl`, which is the management token's/],
    ['acl "" { policy = "read" }', /acl ""/],
    ['acl = "write"\noperator = "write"', /`acl`, which is the management token's/],
    ['acl = "write"\nservice "payout-router" { policy = "write" }', /`acl`, which is the management token's/],
    ['acl "" { policy = "write" }', /acl ""/],
    ['operator = "read"', /`operator`, which is the management token's/],
    ['keyring = "read"', /`keyring`/],
    [
      'service "payout-router" { policy = "write" intentions = "write" }',
      /intentions to `service "payout-router"`, which the mesh has none of/,
    ],
    ['# all\nservice "x" { policy = "write" }', /no listed service/],
    ['{"acl": "write", "keyring": "read"}', /`acl`, which is the management token's/],
    ['{"acl": ["write"]}', /can't be read/],
    ['service "x" { policy = "read" policy = "write" }', /can't be read/],
    ['service "x" { policy = "read" sentinel = "x" }', /can't be read/],
    ['service "x" "y" { policy = "read" }', /can't be read/],
    ['service "${x}" { policy = "read" }', /can't be read/],
    ['service "x" { policy = "read" }}', /can't be read/],
    ['operator = "read"\noperator = "write"', /can't be read/],
    ["", /can't be read/],
  ] as const) {
    it(`refuses ${text || "no rules"}`, () => {
      assertFinds(consulLeastPrivilege, aclPolicy(text), finds);
    });
  }
  it("lets ACLs be written, by that alone, where somebody takes snapshots", () => {
    for (const text of ['acl = "write"\n', '{"acl": "write"}']) {
      assertPasses(consulLeastPrivilege, aclPolicy(text));
      const nobody = { ...LUCID_CEILING, snapshotTakers: {} };
      assertFinds(consulLeastPrivilege, aclPolicy(text), /give himself every right/, nobody);
    }
  });
  it("lets ACLs be read, by that alone, where somebody compares them", () => {
    for (const text of ['acl = "read"\n', '{"acl": "read"}']) {
      assertPasses(consulLeastPrivilege, aclPolicy(text));
      const nobody = { ...LUCID_CEILING, aclReaders: {} };
      assertFinds(consulLeastPrivilege, aclPolicy(text), /may read ACLs, and so who may do what/, nobody);
    }
  });
  it("reads several rules, one after the other", () => {
    assert.deepEqual(parseAclRules('service "a" {\n policy = "read"\n}\nacl = "write"'), [
      { kind: "service", name: "a", policy: "read" },
      { kind: "acl", policy: "write" },
    ]);
  });

  it("refuses the services and nodes of several zones in one policy", () => {
    const wallet = rule("service", "payout-router", "write");
    const several = /may write what is of several zones/;
    assertPasses(consulLeastPrivilege, aclPolicy(`${wallet} ${rule("service", "tron-payment", "write")}`));
    assertFinds(consulLeastPrivilege, aclPolicy(`${wallet} ${rule("service", "lucid-blocks", "write")}`), several);
    assertFinds(consulLeastPrivilege, aclPolicy(`${wallet} ${rule("node_prefix", "lucid-ops-", "write")}`), several);
  });

  describe("on the provider", () => {
    const provider = (): TestResource => ({
      type: "pulumi:providers:consul",
      properties: { address: "127.0.0.1:18501", scheme: "http", token: UNKNOWN },
    });
    const plain = /go over the network in plain text/;
    refusesEach(consulLeastPrivilege, provider, [
      { title: "another machine in plain text", path: "address", value: "10.0.0.1:8500", finds: plain },
      { title: "a name like this machine's", path: "address", value: "127.0.0.1.example.org:80", finds: plain },
      { title: "no address", path: "address", finds: plain },
      { title: "an address that isn't known", path: "address", value: UNKNOWN, finds: /can't be known/ },
      { title: "whoever answers", path: "insecureHttps", value: "true", finds: /whoever answers/ },
    ]);
    it("lets another machine be under TLS", () => {
      const properties = { address: "consul.example.org:8501", scheme: "https" };
      assertPasses(consulLeastPrivilege, { ...provider(), properties });
    });
  });

  describe("on a policy", () => {
    refusesEach(consulLeastPrivilege, aclPolicy, [
      { title: "unknown rules", path: "rules", value: UNKNOWN, finds: /can't be known/ },
      { title: "Consul's own name", path: "name", value: "global-management", finds: /one of Consul's own/ },
      { title: "another namespace", path: "namespace", value: "x", finds: /no policy of this stack names/ },
    ]);
  });
  describe("on a token", () => {
    refusesEach(consulLeastPrivilege, aclToken, [
      { title: "every right", path: "policies[0]", value: "global-management", finds: /Consul's own policy/ },
      {
        title: "every right to read",
        path: "policies[0]",
        value: "builtin/global-read-only",
        finds: /Consul's own policy/,
      },
      {
        title: "every right by its id",
        path: "policies[0]",
        value: "00000000-0000-0000-0000-000000000001",
        finds: /Consul's own/,
      },
      { title: "no policy", path: "policies", value: [], finds: /the anonymous one/ },
      { title: "roles", path: "roles", value: ["admin"], finds: /no policy of this stack names/ },
      {
        title: "an identity",
        path: "serviceIdentities",
        value: [{ serviceName: "x" }],
        finds: /no policy of this stack/,
      },
      {
        title: "a template",
        path: "templatedPolicies",
        value: [{ templateName: "x" }],
        finds: /no policy of this stack/,
      },
    ]);
  });
  for (const type of [
    "aclRole:AclRole",
    "aclBindingRule:AclBindingRule",
    "aclTokenPolicyAttachment:AclTokenPolicyAttachment",
    "intention:Intention",
  ]) {
    it(`refuses ${type}`, () => {
      assertFinds(consulLeastPrivilege, { type: `consul:index/${type}`, properties: {} }, /no rule models/);
    });
  }
});

describe("stack-invariants, of Consul's management token", () => {
  const urn = (name: string) => `urn:pulumi:dev::test::x::${name}`;
  const token: StackResource = {
    type: "random:index/randomUuid:RandomUuid",
    name: "token",
    urn: urn("token"),
    properties: new Field({}),
    origins: () => [],
  };
  const madeOf = ({ type, properties }: TestResource, property: string, source: StackResource): StackResource => ({
    type,
    name: "made",
    urn: urn("made"),
    properties: new Field(properties),
    origins: (asked) => (asked === property ? [source] : []),
  });
  const provider = madeOf({ type: "pulumi:providers:consul", properties: { token: "t" } }, "token", token);
  const found = (...resources: readonly StackResource[]) =>
    managementTokenElsewhere([token, ...resources]).map(({ path, problem }) => `${path}: ${problem}`);

  it("lets it be in the servers' own configuration, and nowhere else", () => {
    assert.deepEqual(found(provider, madeOf(agentSecret(), "stringData", token)), []);
    for (const elsewhere of [
      secret({}),
      agentSecret(serverConfig(), "node-resolver"),
      configMap("consul-config", {}, "mesh"),
    ]) {
      const property = "data" in elsewhere.properties ? "data" : "stringData";
      assert.match(found(provider, madeOf(elsewhere, property, token)).join(), /made of Consul's management token/);
    }
    const { type, properties } = agentSecret();
    const inWallet = { type, properties: edit(properties, "metadata.namespace", "lucid-wallet") };
    assert.match(found(provider, madeOf(inWallet, "stringData", token)).join(), /stringData: it is made of/);
    assert.match(found(provider, madeOf(deployment(), "spec", token)).join(), /^spec: it is made of/);
  });

  it("has nothing to say of other values, and of a plan that manages no Consul", () => {
    const other = { ...token, urn: urn("other") };
    assert.deepEqual(found(provider, madeOf(secret({}), "stringData", other)), []);
    assert.deepEqual(found(madeOf(secret({}), "stringData", token)), []);
  });
});

describe("stack-invariants, of the policies of Consul's tokens", () => {
  const from = (policies: Plain, ...types: readonly string[]): StackResource => ({
    type: aclToken().type,
    name: "token",
    urn: "urn:pulumi:dev::test::x::token",
    properties: new Field({ policies }),
    origins: () => types.map((type) => ({ ...from([]), type })),
  });
  const own: StackResource = { ...from([]), type: aclPolicy().type, properties: new Field({ name: "lucid-x" }) };
  const found = (token: StackResource) => unprovenTokenPolicies([own, token]).map(({ path }) => path);
  const policy = aclPolicy().type;

  it("lets them be unknown where they are the stack's own, and nowhere else", () => {
    assertPasses(consulLeastPrivilege, { ...aclToken(), properties: edit(aclToken().properties, "policies", UNKNOWN) });
    assertPasses(consulLeastPrivilege, {
      ...aclToken(),
      properties: edit(aclToken().properties, "policies[0]", UNKNOWN),
    });
    const unknowns: readonly Plain[] = [UNKNOWN_VALUE, ["lucid-x", UNKNOWN_VALUE]];
    for (const policies of unknowns) {
      assert.deepEqual(found(from(policies, policy)), []);
      assert.deepEqual(found(from(policies, policy, policy)), []);
      assert.deepEqual(found(from(policies)), ["policies"]);
      assert.deepEqual(found(from(policies, policy, "random:index/randomId:RandomId")), ["policies"]);
    }
    assert.deepEqual(found(from(["lucid-x"])), []);
  });

  it("has them stand in the plan", () => {
    assert.deepEqual(found(from(["lucid-x", "of-another-stack"])), ["policies"]);
    assert.deepEqual(found(from(["of-another-stack", UNKNOWN_VALUE], policy)), ["policies"]);
  });
});
