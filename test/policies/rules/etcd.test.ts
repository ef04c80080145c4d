import { accessDocument } from "../../../components/discovery/etcd/access-document";
import { serverArgs } from "../../../components/discovery/etcd/config";
import { etcdLeastPrivilege } from "../../../policies/rules/etcd-least-privilege";
import { etcdMutualTls } from "../../../policies/rules/etcd-mutual-tls";
import { sidecarRequired } from "../../../policies/rules/sidecar-required";
import { etcd, keeper } from "../fixtures/etcd";
import { edit } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";
import { lucid } from "../support/planned";
import { UNKNOWN } from "../support/unknown";

const POD = "spec.template.spec";

describe("etcd-mutual-tls", () => {
  refusesEach(etcdMutualTls, etcd, [
    { title: "a shell", path: `${POD}.containers[0].command`, value: ["sh", "-c"], finds: /something else than etcd/ },
    {
      title: "an option from a variable",
      path: `${POD}.containers[0].env`,
      value: [{ name: "ETCD_CLIENT_CERT_AUTH", value: "false" }],
      finds: /goes past the judged arguments/,
    },
    {
      title: "an environment from elsewhere",
      path: `${POD}.containers[0].envFrom`,
      value: [{ configMapRef: { name: "x" } }],
      finds: /environment comes from elsewhere/,
    },
    {
      title: "another's certificate",
      path: `${POD}.volumes`,
      value: [{ name: "tls", secret: { secretName: "consul-tls" } }],
      finds: /no file of the servers' own certificate/,
    },
    {
      title: "a part of the certificate's Secret",
      path: `${POD}.containers[0].volumeMounts`,
      value: [{ name: "tls", mountPath: "/etc/etcd/tls", subPath: "x" }],
      finds: /no file of the servers' own certificate/,
    },
  ]);

  const others: readonly [title: string, option: string, value: string | undefined, finds: RegExp][] = [
    ["clients without certificates", "client-cert-auth", undefined, /clients need no certificate/],
    ["clients whose certificates are not asked for", "client-cert-auth", "false", /clients need no certificate/],
    ["peers without certificates", "peer-client-cert-auth", "false", /peers need no certificate/],
    ["any certificate of the mesh as a peer's", "peer-cert-allowed-cn", undefined, /may be a server of the cluster/],
    ["another's name as a peer's", "peer-cert-allowed-cn", "jaeger.lucid.internal", /may be a server of the cluster/],
    ["an old TLS", "tls-min-version", "TLS1.2", /old version of TLS/],
    ["plain text for clients", "listen-client-urls", "http://0.0.0.0:2379", /plain text/],
    ["plain text for clients besides", "listen-client-urls", "https://0.0.0.0:2379,http://0.0.0.0:2381", /plain text/],
    ["plain text for peers", "listen-peer-urls", "http://0.0.0.0:2380", /plain text/],
    ["peers in plain text", "initial-cluster", "etcd-0=http://etcd-0:2380", /each other in plain text/],
    ["other roots", "trusted-ca-file", "/etc/ssl/certs/ca.crt", /--trusted-ca-file is no file/],
    ["a way out of the folder", "key-file", "/etc/etcd/tls/../x", /--key-file is no file/],
    ["metrics in plain text", "listen-metrics-urls", "http://0.0.0.0:2381", /does not model/],
    ["certificates that etcd signs itself", "auto-tls", "true", /does not model/],
    ["a file that goes before all options", "config-file", "/tmp/x", /does not model/],
  ];
  for (const [title, option, value, finds] of others) {
    it(`refuses ${title}`, () => {
      const args = serverArgs(3).filter((text) => !text.startsWith(`--${option}=`));
      assertFinds(etcdMutualTls, etcd(value === undefined ? args : [...args, `--${option}=${value}`]), finds);
    });
  }

  it("refuses an option that is there twice, and one without a value", () => {
    assertFinds(etcdMutualTls, etcd([...serverArgs(3), "--client-cert-auth=false"]), /there twice/);
    assertFinds(etcdMutualTls, etcd([...serverArgs(3), "--force-new-cluster"]), /no option of the form/);
  });
});

describe("etcd-least-privilege", () => {
  const document = (text: string): TestResource => ({
    type: "kubernetes:core/v1:ConfigMap",
    properties: {
      metadata: { name: "etcd-access-document", namespace: "lucid-mesh" },
      data: { "access.json": text },
    },
  });
  const roles = (role: string, prefix: string, access = "write") =>
    document(JSON.stringify({ roles: { [role]: [{ prefix, access }] }, users: {} }));
  const names = "/skydns/internal/lucid/discovery/service";

  it("passes what Lucid declares", () => {
    assertPasses(etcdLeastPrivilege, document(JSON.stringify(accessDocument(lucid))));
  });

  for (const [title, resource, finds] of [
    ["another zone's names", roles("registrar-ops", `${names}/lucid-blocks/`), /no name of a listed member/],
    ["all names", roles("registrar-ops", `${names}/`), /no name of a listed member/],
    ["a name without its end", roles("registrar-ops", `${names}/admin-ui`), /no name of a listed member/],
    ["names of nobody", roles("registrar-ops", `${names}/stranger/`), /no name of a listed member/],
    ["names, by a role of no zone", roles("resolver", `${names}/admin-ui/`), /no name of a listed member/],
    ["the reading of other keys", roles("resolver", "/", "read"), /may read/],
    ["no JSON", document("roles: {}"), /is no JSON/],
    [
      "another root",
      document(JSON.stringify({ roles: {}, users: { backup: { roles: ["root"], password: true } } })),
      /may do everything/,
    ],
  ] as const) {
    it(`refuses ${title}`, () => {
      assertFinds(etcdLeastPrivilege, resource, finds);
    });
  }

  describe("on the keeper", () => {
    const container = `${POD}.containers[0]`;
    const runs = /something else than the keeper/;
    const set = /none of its settings or names another etcd/;
    const reads = /something else than its own certificate, passwords and document/;
    refusesEach(etcdLeastPrivilege, keeper, [
      { title: "another program", path: `${container}.command`, value: ["sh", "-c", "x"], finds: runs },
      { title: "the image's own program", path: `${container}.command`, finds: runs },
      { title: "options", path: `${container}.args`, value: ["--require", "/tmp/x"], finds: runs },
      {
        title: "variables from elsewhere",
        path: `${container}.envFrom`,
        value: [{ secretRef: { name: "x" } }],
        finds: runs,
      },
      {
        title: "a hook",
        path: `${container}.lifecycle`,
        value: { postStart: { exec: { command: ["x"] } } },
        finds: runs,
      },
      { title: "another etcd", path: `${container}.env[0].value`, value: "https://192.0.2.1:443", finds: set },
      { title: "plain text", path: `${container}.env[0].value`, value: "http://10.96.64.55:2379", finds: set },
      {
        title: "another name of etcd's",
        path: `${container}.env[1].value`,
        value: "jaeger.lucid.internal",
        finds: set,
      },
      { title: "other roots", path: `${container}.env[2].value`, value: "/etc/ssl/certs/ca.crt", finds: set },
      { title: "another document", path: `${container}.env[6].value`, value: "/tmp/access.json", finds: set },
      {
        title: "an option of Node's",
        path: `${container}.env[8]`,
        value: { name: "NODE_OPTIONS", value: "--require /tmp/x" },
        finds: set,
      },
      {
        title: "a variable from a Secret",
        path: `${container}.env[0]`,
        value: { name: "ETCD_ADDR", valueFrom: { secretKeyRef: { name: "x", key: "x" } } },
        finds: set,
      },
      { title: "no name of etcd's", path: `${container}.env[1]`, finds: /is missing, or stands there twice/ },
      {
        title: "a setting that is there twice",
        path: `${container}.env[8]`,
        value: { name: "ACCESS_PORT", value: "8080" },
        finds: /is missing, or stands there twice/,
      },
      { title: "another document's ConfigMap", path: `${POD}.volumes[2].configMap.name`, value: "other", finds: reads },
      { title: "another's certificate", path: `${POD}.volumes[0].secret.secretName`, value: "etcd-tls", finds: reads },
      {
        title: "one more volume",
        path: `${container}.volumeMounts[3]`,
        value: { name: "tls", mountPath: "/app" },
        finds: reads,
      },
      { title: "no passwords", path: `${container}.volumeMounts[1]`, finds: reads },
    ]);
  });
});

describe("sidecar-required, on etcd's pods", () => {
  for (const [title, make] of [
    ["servers", etcd],
    ["keeper", keeper],
  ] as const) {
    it(`passes the ${title}, and nothing else in their place`, () => {
      const { type, properties } = make();
      assertPasses(sidecarRequired, { type, properties });
      const changed = (path: string, value: string) => ({ type, properties: edit(properties, path, value) });
      assertFinds(
        sidecarRequired,
        changed(`${POD}.containers[0].image`, "fortio/fortio:1.66.2"),
        /no rule judges what/,
      );
      assertFinds(sidecarRequired, changed("metadata.name", "other"), /no sidecar/);
    });
  }

  it("passes the keeper's image while it is being built, and the controller's image in no other pod", () => {
    const image = `${POD}.containers[0].image`;
    assertPasses(sidecarRequired, { ...keeper(), properties: edit(keeper().properties, image, UNKNOWN) });
    for (const value of [UNKNOWN, "registry.lucid.internal/lucid/mesh-controller:0.1.0"])
      assertFinds(
        sidecarRequired,
        { ...etcd(), properties: edit(etcd().properties, image, value) },
        /no rule judges what/,
      );
  });
});
