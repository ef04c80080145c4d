import assert from "node:assert/strict";
import { corefile } from "../../../components/discovery/corefile";
import { clientUrls, ETCD_PATHS } from "../../../components/discovery/etcd/config";
import { etcdPlugin } from "../../../components/discovery/etcd/resolver";
import { parseCorefile } from "../../../policies/kubernetes/corefile";
import { nodeResolverClosed } from "../../../policies/rules/node-resolver-closed";
import { configMap } from "../fixtures/objects";
import type { JsonObject } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";

const NAME = "node-resolver-corefile";
const CONSUL = ["forward . 127.0.0.1:8600 {", "    max_fails 0", "}"];
const ETCD = etcdPlugin(clientUrls(3), ETCD_PATHS.certificates);
const SERVER = "https://etcd-0.etcd-peers.lucid-mesh.svc.cluster.local:2379";

function withFile(text: string): TestResource {
  return configMap(NAME, { Corefile: text }, "mesh");
}

function replaced(plugin: readonly string[], part: string, by: string): TestResource {
  const rendered = corefile(plugin);
  assert.ok(rendered.includes(part), part);
  return withFile(rendered.replace(part, by));
}

function resolver(): TestResource {
  const coredns: JsonObject = {
    name: "coredns",
    image: "coredns/coredns:1.12.4",
    command: ["/coredns"],
    args: ["-conf", "/etc/coredns/Corefile"],
    volumeMounts: [
      { name: "corefile", mountPath: "/etc/coredns", readOnly: true },
      { name: "tls", mountPath: "/etc/etcd/tls", readOnly: true },
    ],
  };
  const spec: JsonObject = {
    serviceAccountName: "node-resolver",
    containers: [coredns],
    volumes: [
      { name: "corefile", configMap: { name: NAME } },
      { name: "other", configMap: { name: "other" } },
      { name: "tls", secret: { secretName: "node-resolver-tls" } },
    ],
  };
  return {
    type: "kubernetes:apps/v1:DaemonSet",
    properties: { metadata: { name: "node-resolver", namespace: "lucid-mesh" }, spec: { template: { spec } } },
  };
}

function service(): TestResource {
  return {
    type: "kubernetes:core/v1:Service",
    properties: {
      metadata: { name: "node-resolver", namespace: "lucid-mesh" },
      spec: {
        internalTrafficPolicy: "Local",
        selector: { "app.kubernetes.io/name": "node-resolver" },
        ports: [
          { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
          { name: "canary", port: 8181, protocol: "TCP", targetPort: 8181 },
        ],
      },
    },
  };
}

type Refused = readonly [what: string, resource: TestResource, finds: RegExp];

function refuses(cases: readonly Refused[]): void {
  for (const [what, resource, finds] of cases) {
    it(`refuses a Corefile with ${what}`, () => {
      assertFinds(nodeResolverClosed, resource, finds);
    });
  }
}

describe("node-resolver-closed", () => {
  const REWRITE = String.raw`    rewrite stop rcode regex (.*)\.discovery\.lucid\.internal\. NXDOMAIN SERVFAIL
`;
  const UNKNOWN = /nothing that the rule models/;
  const NOT_ONE = /not ask exactly one discovery backend/;

  for (const [backend, plugin] of Object.entries({ Consul: CONSUL, etcd: ETCD })) {
    describe(`on a Corefile that asks ${backend}`, () => {
      const rendered = corefile(plugin);
      const changed = (part: string, by: string) => replaced(plugin, part, by);

      it("passes what Lucid renders", () => {
        assertPasses(nodeResolverClosed, withFile(rendered));
      });

      refuses([
        ["a second way", changed("    errors\n", "    forward . 8.8.8.8\n"), UNKNOWN],
        ["nobody to ask", withFile(corefile([])), NOT_ONE],
        ["both backends", withFile(corefile([...CONSUL, ...ETCD])), NOT_ONE],
        ["one backend twice", withFile(corefile([...plugin, ...plugin])), NOT_ONE],
        ["other names", changed("discovery.lucid.internal:53 {", ".:53 {"), /answers for other names/],
        ["more names", changed("discovery.lucid.internal:53 {", "discovery.lucid.internal:53 .:53 {"), /other names/],
        ["a second server", withFile(`${rendered}.:53 {\n    forward . 8.8.8.8\n}\n`), /other names/],
        ["answers of its own", changed("    errors\n", "    hosts /etc/hosts\n"), /`hosts \/etc\/hosts`/],
        ["another file", changed("    errors\n", "    import other\n"), /`import other`/],
        ["no canary", changed("    ready :8181\n", ""), /nothing listens on the canary port/],
        ["nothing that keeps a cluster from being emptied", changed(REWRITE, ""), /Envoy empties the cluster/],
        ["a rewrite of another kind", changed("NXDOMAIN SERVFAIL", "SERVFAIL NOERROR"), UNKNOWN],
        ["a canary elsewhere", changed("ready :8181", "ready :8182"), UNKNOWN],
        ["what can't be read", withFile("discovery.lucid.internal:53 {\n"), /can't be read/],
        ["a second file", configMap(NAME, { Corefile: rendered, other: "" }, "mesh"), /something else than one/],
        ["another name", configMap("other", { Corefile: rendered }, "mesh"), /under a name by which nobody judges it/],
        [
          "the name of a member with a sidecar",
          configMap("jaeger-corefile", { Corefile: rendered }, "ops"),
          /nobody judges/,
        ],
      ]);
    });
  }

  describe("on what asks Consul", () => {
    const FORWARD = "forward . 127.0.0.1:8600 {";
    const changed = (part: string, by: string) => replaced(CONSUL, part, by);
    refuses([
      ["another to ask", changed(FORWARD, "forward . 8.8.8.8 {"), UNKNOWN],
      ["another port", changed(FORWARD, "forward . 127.0.0.1:8601 {"), UNKNOWN],
      ["one more to ask", changed(FORWARD, "forward . 127.0.0.1:8600 8.8.8.8 {"), UNKNOWN],
      ["an option of forwarding", changed("max_fails 0", "except example.org"), UNKNOWN],
      ["one more option of forwarding", changed("max_fails 0", "max_fails 0\n        force_tcp"), UNKNOWN],
    ]);
  });

  describe("on what asks etcd", () => {
    const changed = (part: string, by: string) => replaced(ETCD, part, by);
    refuses([
      ["plain text", changed(SERVER, SERVER.replace("https", "http")), UNKNOWN],
      ["another server", changed(SERVER, "https://etcd.example.org:2379"), UNKNOWN],
      ["one more server", changed(SERVER, `${SERVER} https://etcd.example.org:2379`), UNKNOWN],
      ["a server of another namespace", changed(SERVER, SERVER.replace("lucid-mesh", "default")), UNKNOWN],
      ["another port", changed(SERVER, SERVER.replace("2379", "2380")), UNKNOWN],
      ["no server", changed(`endpoint ${clientUrls(3).join(" ")}`, "endpoint"), UNKNOWN],
      ["other keys", changed("path /skydns", "path /"), UNKNOWN],
      ["another certificate", changed("tls /etc/etcd/tls/tls.crt", "tls /tmp/tls.crt"), UNKNOWN],
      ["other roots", changed("/etc/etcd/tls/ca.crt", "/etc/ssl/certs/ca.crt"), UNKNOWN],
      ["the system's roots", changed(" /etc/etcd/tls/ca.crt", ""), UNKNOWN],
      ["questions that go on elsewhere", changed("path /skydns", "path /skydns\n        fallthrough"), UNKNOWN],
      ["a password", changed("path /skydns", "path /skydns\n        credentials root x"), UNKNOWN],
      ["questions for all names", changed(ETCD.slice(0, 6).join("\n    "), "errors"), NOT_ONE],
      ["questions for some of all names", changed("    match (^|\\.)(\\*|any)\\.\n", ""), UNKNOWN],
      ["an answer for all names", changed("rcode REFUSED", "answer {{ .Name }}"), UNKNOWN],
      ["an answer of its own", changed("rcode REFUSED", "rcode NOERROR"), UNKNOWN],
    ]);
  });

  describe("on whatever runs CoreDNS", () => {
    const POD = "spec.template.spec";
    const container = `${POD}.containers[0]`;
    const mounts = /reads something else than its service's configuration/;
    const certificate = /under something else than its service's certificate/;
    const starts = /does not start from the judged configuration/;
    refusesEach(nodeResolverClosed, resolver, [
      { title: "another program", path: `${container}.command[0]`, value: "/bin/sh", finds: starts },
      { title: "another file", path: `${container}.args[1]`, value: "/tmp/Corefile", finds: starts },
      { title: "further options", path: `${container}.args[2]`, value: "-dns.port=54", finds: starts },
      {
        title: "variables from elsewhere",
        path: `${container}.envFrom`,
        value: [{ configMapRef: { name: "x" } }],
        finds: starts,
      },
      { title: "another ConfigMap", path: `${POD}.volumes[0].configMap.name`, value: "other", finds: mounts },
      { title: "another volume", path: `${container}.volumeMounts[0].name`, value: "other", finds: mounts },
      { title: "a part of the volume", path: `${container}.volumeMounts[0].subPath`, value: "x", finds: mounts },
      { title: "no volume", path: `${container}.volumeMounts`, finds: mounts },
      {
        title: "a volume over the file",
        path: `${container}.volumeMounts[2]`,
        value: { name: "other", mountPath: "/etc/coredns/Corefile" },
        finds: mounts,
      },
      {
        title: "a volume over all",
        path: `${container}.volumeMounts[2]`,
        value: { name: "other", mountPath: "/etc" },
        finds: mounts,
      },
      {
        title: "another's certificate",
        path: `${POD}.volumes[2].secret.secretName`,
        value: "etcd-tls",
        finds: certificate,
      },
      {
        title: "a part of its certificate",
        path: `${container}.volumeMounts[1].subPath`,
        value: "x",
        finds: certificate,
      },
      {
        title: "other files of its certificate",
        path: `${POD}.volumes[2].secret.items`,
        value: [{ key: "tls.crt", path: "ca.crt" }],
        finds: certificate,
      },
      {
        title: "other roots",
        path: `${container}.volumeMounts[2]`,
        value: { name: "other", mountPath: "/etc/etcd/tls/ca.crt" },
        finds: certificate,
      },
    ]);
  });

  describe("on a Service that takes questions", () => {
    const canary = /does not lead to the canary port/;
    refusesEach(nodeResolverClosed, service, [
      { title: "questions to other nodes", path: "spec.internalTrafficPolicy", finds: /leave the node in plain text/ },
      { title: "another policy", path: "spec.internalTrafficPolicy", value: "Cluster", finds: /leave the node/ },
      { title: "no canary", path: "spec.ports[1]", finds: canary },
      { title: "a canary at another port", path: "spec.ports[1].port", value: 8182, finds: canary },
      { title: "a canary that leads elsewhere", path: "spec.ports[1].targetPort", value: 8182, finds: canary },
    ]);
  });
});

describe("a Corefile", () => {
  it("is read by its blocks, directives and options", () => {
    assert.deepEqual(parseCorefile("a:53 b {\n  cache 5 {\n    denial 1\n  }\n  errors\n}\n"), [
      {
        keys: ["a:53", "b"],
        directives: [
          { words: ["cache", "5"], options: [["denial", "1"]] },
          { words: ["errors"], options: [] },
        ],
      },
    ]);
    assert.deepEqual(parseCorefile(""), []);
  });

  for (const text of [
    "a {",
    "}",
    "a",
    "a {\n b {\n c {\n}\n}\n}",
    "a {\n}\n}",
    "a { b\n}",
    "a {\n # b\n}",
    '"a" {\n}',
    "a {\n {$B}\n}",
    "{\n}",
  ]) {
    it(`is not read where it is ${JSON.stringify(text)}`, () => {
      assert.equal(parseCorefile(text), undefined);
    });
  }
});
