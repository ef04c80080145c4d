import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { privateKeysInSecrets } from "../../../policies/rules/private-keys-in-secrets";
import { configMap, secret } from "../fixtures/objects";
import { trustFile } from "../fixtures/envoy";
import { deployment } from "../fixtures/workloads";
import { edit } from "../support/edit";
import { assertFinds, assertPasses, findings, refusesEach } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = privateKey.export({ type: "pkcs8", format: "pem" });
const SEC1 = privateKey.export({ type: "sec1", format: "pem" });
const base64 = (value: string | Buffer) => Buffer.from(value).toString("base64");

const KEYS: Readonly<Record<string, string>> = {
  "a PKCS#8 PEM": PEM.toString(),
  "an EC PEM": SEC1.toString(),
  "an encrypted PEM": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII\n-----END ENCRYPTED PRIVATE KEY-----",
  "an OpenSSH key": "-----BEGIN OPENSSH PRIVATE KEY-----",
  "a PEM inside YAML": `tls:\n  key: |\n    ${PEM.toString().replaceAll("\n", "\n    ")}`,
  "a PEM inside JSON": JSON.stringify({ key: PEM.toString() }),
  "a PEM in base64": base64(PEM.toString()),
  "a PEM in base64, twice": base64(base64(PEM.toString())),
  "a PEM in base64 after other text": base64(`x\n${PEM.toString()}`),
  "a DER in base64": base64(privateKey.export({ type: "pkcs8", format: "der" })),
  "a DER in base64 with line ends": base64(privateKey.export({ type: "sec1", format: "der" })).replace(
    /(.{40})/g,
    "$1\n",
  ),
  "a private JWK": JSON.stringify(privateKey.export({ format: "jwk" })),
  "an NKEY seed": "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
  "an age key": "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZ",
  "Consul's gossip key in JSON": '{"encrypt": "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="}',
  "Consul's gossip key in HCL": 'encrypt = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="',
  "a Consul token":
    'tokens { initial_management = "b1gs33cr-0000".x }\ninitial_management = "6f2f1c58-2f51-4bd2-8ad4-1d2b4d1b2a55"',
  "a JWT": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJsdWNpZCJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
};

const HARMLESS: Readonly<Record<string, string>> = {
  "a certificate": trustFile("chain"),
  "a public key": publicKey.export({ type: "spki", format: "pem" }).toString(),
  "a public key in base64": base64(publicKey.export({ type: "spki", format: "der" })),
  "a public JWK": JSON.stringify(publicKey.export({ format: "jwk" })),
  "talk of keys": "private_key: { filename: /etc/envoy/certificate/tls.key }",
  "a digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "where Consul's token lies": "token_file = /etc/consul/tokens/ops",
};

describe("private-keys-in-secrets", () => {
  for (const [title, text] of Object.entries(KEYS)) {
    it(`refuses ${title} in a ConfigMap, and does not print it`, () => {
      const resource = configMap("x", { file: text });
      assertFinds(privateKeysInSecrets, resource, /data\.file: it holds/);
      for (const finding of findings(privateKeysInSecrets, resource)) assert.ok(!finding.includes(text.slice(0, 24)));
    });
  }

  for (const [title, text] of Object.entries(HARMLESS)) {
    it(`passes ${title}`, () => {
      assertPasses(privateKeysInSecrets, configMap("x", { file: text }));
    });
  }

  const app = "spec.template.spec.containers[0]";
  refusesEach(privateKeysInSecrets, deployment, [
    {
      title: "a key in a variable",
      path: `${app}.env[0].value`,
      value: PEM.toString(),
      finds: /env\[0\]\.value: it holds a PEM/,
    },
    { title: "a key in an argument", path: `${app}.args[0]`, value: PEM.toString(), finds: /args\[0\]: it holds/ },
    {
      title: "a key in an annotation",
      path: "spec.template.metadata.annotations.key",
      value: PEM.toString(),
      finds: /annotations\.key: it holds/,
    },
    {
      title: "a key as the name of an annotation",
      path: "metadata.annotations",
      value: { [PEM.toString()]: "x" },
      finds: /name of an entry/,
    },
    {
      title: "a token in clear text",
      path: `${app}.env[0]`,
      value: { name: "CONSUL_HTTP_TOKEN", value: "x" },
      finds: /secret in clear text/,
    },
    {
      title: "an unknown token",
      path: `${app}.env[0]`,
      value: { name: "DB_PASSWORD", value: UNKNOWN },
      finds: /secret in clear text/,
    },
    { title: "an unknown argument", path: `${app}.args[0]`, value: UNKNOWN, finds: /could be a key/ },
    {
      title: "a key in an init container's variable",
      path: "spec.template.spec.initContainers[1].env[0].value",
      value: PEM.toString(),
      finds: /initContainers\[1\]/,
    },
  ]);

  it("passes where a token lies, and an unknown digest or image", () => {
    const happy = deployment();
    const changes: [string, string | { [key: string]: string }][] = [
      [`${app}.env[0]`, { name: "CONSUL_HTTP_TOKEN_FILE", value: "/etc/consul/tokens/ops" }],
      [`${app}.env[0]`, { name: "CONSUL_TOKEN", value: "/etc/consul/tokens/ops" }],
      ['spec.template.metadata.annotations["lucid.internal/bootstrap-digest"]', UNKNOWN],
      [`${app}.image`, UNKNOWN],
    ];
    for (const [path, value] of changes)
      assertPasses(privateKeysInSecrets, { ...happy, properties: edit(happy.properties, path, value) });
  });

  it("lets a key lie in a Secret's data, and nowhere else in it", () => {
    const happy = secret({ "tls.key": PEM.toString() });
    assertPasses(privateKeysInSecrets, happy);
    assertPasses(privateKeysInSecrets, secret({ "tls.key": UNKNOWN }));
    const annotated = edit(happy.properties, "metadata.annotations", { copy: PEM.toString() });
    assertFinds(privateKeysInSecrets, { ...happy, properties: annotated }, /annotations\.copy/);
  });

  it("lets a certificate's end be unknown, and be nothing but an instant", () => {
    const end = (name: string, value: string) => {
      const trust = configMap("payout-router-trust", { "chain.yaml": UNKNOWN });
      const metadata = { ...(trust.properties.metadata as object), annotations: { [name]: value } };
      return { ...trust, properties: { ...trust.properties, metadata } };
    };
    const name = "lucid.internal/certificate-not-after";
    for (const value of [UNKNOWN, "2027-01-31T00:00:00Z"]) assertPasses(privateKeysInSecrets, end(name, value));
    for (const value of ["c2VjcmV0", "", "2027-01-31T00:00:00Z c2VjcmV0"])
      assertFinds(privateKeysInSecrets, end(name, value), /certificate-not-after"\]: it is no instant/);
    assertFinds(privateKeysInSecrets, end("lucid.internal/note", UNKNOWN), /could be a key/);
  });

  it("lets a trust file alone be unknown", () => {
    assertPasses(privateKeysInSecrets, configMap("payout-router-trust", { "chain.yaml": UNKNOWN }));
    assertPasses(privateKeysInSecrets, configMap("mesh-controller-consul-trust", { "ca.crt": UNKNOWN }));
    assertFinds(
      privateKeysInSecrets,
      configMap("mesh-controller-consul-trust", { "ca.key": UNKNOWN }),
      /could be a key/,
    );
    assertFinds(privateKeysInSecrets, configMap("payout-router-trust", { "chain.key": UNKNOWN }), /could be a key/);
    assertFinds(privateKeysInSecrets, configMap("other", { "chain.yaml": UNKNOWN }), /could be a key/);
  });

  it("judges what is no Kubernetes object, but not what makes keys", () => {
    const properties = { privateKeyPem: PEM.toString() };
    assertFinds(privateKeysInSecrets, { type: "lucid:mesh:Sidecar", properties }, /privateKeyPem: it holds/);
    assertPasses(privateKeysInSecrets, { type: "tls:index/selfSignedCert:SelfSignedCert", properties });
  });
});
