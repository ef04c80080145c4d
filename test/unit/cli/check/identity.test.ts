import { Declared } from "../../../../cli/check/plan/declared";
import { parseSettings } from "../../../../components";
import { renderTrust } from "../../../../envoy";
import { identityOf } from "../../../../mesh";
import type { ZoneName } from "../../../../mesh";
import type { Oddities } from "../../../integration/envoy/pki";
import { Authority } from "../../../integration/envoy/pki";
import { lucid } from "../../proof/lucid";
import { add, describeFaults, field, find, remove } from "./faults";
import { base64, intactWorld } from "./recorded";
import type { RecordedCluster } from "./recorded-cluster";

const STACK = { apiServerCidr: "10.77.0.10/32", nodeResolverIp: "10.96.64.53", consulIp: "10.96.64.54" };
const HOUR = 3_600_000;
const hours = (count: number) => new Date(Date.now() + count * HOUR);
const ADMIN_UI = "lucid-ops/admin-ui-tls";

async function authority(zone: ZoneName): Promise<Authority> {
  const found = (await intactWorld()).zones.get(zone)?.authority;
  if (found === undefined) throw new Error(`no authority of ${zone}`);
  return found;
}

/** Another certificate in the place of admin-ui's. */
async function exchange(
  cluster: RecordedCluster,
  odd: Oddities,
  { identity = identityOf("admin-ui", "ops"), issuer = undefined as Authority | undefined } = {},
): Promise<void> {
  const leaf = await (issuer ?? (await authority("ops"))).issue("admin-ui.lucid.internal", identity, odd);
  find(cluster, "Secret", ADMIN_UI).data = { "tls.crt": base64(leaf.certificate), "tls.key": base64(leaf.key) };
}

function dataOf(cluster: RecordedCluster, kind: string, title: string): Record<string, string> {
  return field<Record<string, string>>(find(cluster, kind, title), "data");
}

describeFaults("identity", [
  {
    id: "certificates-there",
    title: "a Secret that is missing",
    make: (cluster) => {
      remove(cluster, "Secret", ADMIN_UI);
    },
    says: /lucid-ops\/admin-ui-tls is missing/,
  },
  {
    id: "certificates-there",
    title: "a certificate that can't be read",
    make: (cluster) => {
      dataOf(cluster, "Secret", ADMIN_UI)["tls.crt"] = base64("nothing");
    },
    says: /admin-ui-tls holds no certificate that can be read/,
  },
  {
    id: "certificates-valid",
    title: "one that has ended",
    make: (cluster) => exchange(cluster, { notAfter: hours(-1) }),
    says: /admin-ui-tls ended on/,
  },
  {
    id: "certificates-valid",
    title: "one that has not begun",
    make: (cluster) => exchange(cluster, { notBefore: hours(1) }),
    says: /admin-ui-tls begins on/,
  },
  {
    id: "certificates-due",
    title: "one that is due",
    make: (cluster) => exchange(cluster, { notBefore: hours(-80), notAfter: hours(20) }),
    status: "warning",
    says: /some are due\nlucid-ops\/admin-ui-tls ends on/,
  },
  {
    id: "certificates-due",
    title: "one that nobody has made anew",
    make: (cluster) => exchange(cluster, { notBefore: hours(-95), notAfter: hours(5) }),
    says: /nobody has made them anew\nlucid-ops\/admin-ui-tls ends on/,
  },
  {
    id: "authorities-due",
    title: "an authority that is due",
    make: (_, context) => {
      context.now = () => hours(15);
    },
    status: "warning",
    says: /ops\.lucid\.internal root ends on/,
  },
  {
    id: "certificates-identity",
    title: "one that bears another's identity",
    make: (cluster) => exchange(cluster, {}, { identity: identityOf("jaeger", "ops") }),
    says: /admin-ui-tls bears spiffe:.*jaeger, not spiffe:.*admin-ui/,
  },
  {
    id: "certificates-identity",
    title: "one that bears two",
    make: (cluster) => exchange(cluster, { moreUris: [identityOf("jaeger", "ops")] }),
    says: /admin-ui-tls bears spiffe:.*admin-ui, spiffe:.*jaeger, not/,
  },
  {
    id: "certificates-key",
    title: "a key of another",
    make: (cluster) => {
      dataOf(cluster, "Secret", ADMIN_UI)["tls.key"] =
        dataOf(cluster, "Secret", "lucid-ops/jaeger-tls")["tls.key"] ?? "";
    },
    says: /admin-ui-tls: tls\.key is not the key of tls\.crt/,
  },
  {
    id: "trust-bundles",
    title: "a consumer that believes another root",
    make: async (cluster) => {
      const { roots, revocations } = await (await Authority.create("chain.lucid.internal")).bundle();
      dataOf(cluster, "ConfigMap", "lucid-wallet/payout-router-trust")["chain.yaml"] = renderTrust(
        "chain",
        roots,
        revocations,
      );
    },
    says: /lucid-wallet\/payout-router-trust has other roots of chain than most[\s\S]*other revocation lists/,
  },
  {
    id: "trust-bundles",
    title: "an agent that believes another root",
    make: (cluster) => {
      dataOf(cluster, "Secret", "lucid-mesh/node-resolver-tls")["ca.crt"] = base64("");
    },
    says: /lucid-mesh\/node-resolver-tls holds no roots of mesh/,
  },
  {
    id: "trust-roots",
    title: "a root that the stack does not declare yet",
    make: (_, context) => {
      const settings = parseSettings({ ...STACK, rootGenerations: '{"chain": {"trusted": [1, 2], "issuing": 1}}' });
      context.declaration = new Declared(lucid, settings);
    },
    says: /chain: trusted chain\.lucid\.internal root; declared chain\.lucid\.internal root, chain\.lucid\.internal root 2/,
  },
  {
    id: "trust-scope",
    title: "a sidecar that trusts one zone more",
    make: (cluster) => {
      const data = dataOf(cluster, "ConfigMap", "lucid-wallet/tron-payment-trust");
      data["edge.yaml"] = data["wallet.yaml"] ?? "";
    },
    says: /tron-payment-trust has .*edge\.yaml.*, not /,
  },
  {
    id: "revocation-lists",
    title: "a revocation that is not listed",
    make: (_, context) => {
      const revoked = '[{"zone": "ops", "service": "admin-ui", "serial": "5AD6", "date": "2026-11-21"}]';
      context.declaration = new Declared(lucid, parseSettings({ ...STACK, revokedCertificates: revoked }));
    },
    says: /ops\.lucid\.internal issuing does not list 5ad6 of admin-ui/,
  },
  {
    id: "revocation-lists",
    title: "an authority without a list",
    make: async (cluster) => {
      const { roots } = await (await authority("chain")).bundle();
      for (const map of cluster.objects.filter(
        ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.endsWith("-trust"),
      )) {
        const data = map.data as Record<string, string>;
        if (data["chain.yaml"] !== undefined) data["chain.yaml"] = renderTrust("chain", roots, "");
      }
    },
    says: /chain\.lucid\.internal issuing has no list/,
  },
  {
    id: "certificates-chain",
    title: "a certificate by another authority of the same name",
    make: async (cluster) => exchange(cluster, {}, { issuer: await Authority.create("ops.lucid.internal") }),
    says: /admin-ui-tls: no root that peers trust has signed ops\.lucid\.internal issuing/,
  },
  {
    id: "certificates-chain",
    title: "a certificate that signed itself",
    make: (cluster) => exchange(cluster, { selfSigned: true }),
    says: /admin-ui-tls has no authority beside it/,
  },
  {
    id: "keys-elsewhere",
    title: "a service's key in another namespace",
    make: (cluster) => {
      add(cluster, "v1", "Secret", "default/copy", {
        data: { "some.key": dataOf(cluster, "Secret", ADMIN_UI)["tls.key"] },
      });
    },
    says: /Secret default\/copy, some\.key: the key of admin-ui/,
  },
  {
    id: "keys-elsewhere",
    title: "a private key in a ConfigMap of a zone",
    make: (cluster) => {
      const key = Buffer.from(dataOf(cluster, "Secret", ADMIN_UI)["tls.key"] ?? "", "base64").toString();
      dataOf(cluster, "ConfigMap", "lucid-ops/admin-ui-envoy")["note.txt"] = key;
    },
    says: /ConfigMap lucid-ops\/admin-ui-envoy, note\.txt: the key of admin-ui/,
  },
  {
    id: "keys-elsewhere",
    title: "a key that nobody declared in a zone",
    make: (cluster) => {
      const pem = "-----BEGIN EC PRIVATE KEY-----\nbm90aGluZw==\n-----END EC PRIVATE KEY-----\n";
      add(cluster, "v1", "Secret", "lucid-wallet/own", { data: { key: base64(pem) } });
      add(cluster, "v1", "Secret", "default/of-others", { data: { key: base64(pem) } });
    },
    says: /others could use\nSecret lucid-wallet\/own, key: a private key that nobody declared$/,
  },
  {
    id: "certificates-told",
    title: "a certificate that was exchanged past Pulumi",
    make: (cluster) => exchange(cluster, {}),
    status: "warning",
    says: /admin-ui-tls is another than it was told/,
  },
  {
    id: "certificates-told",
    title: "a certificate that its issuer did not make",
    world: "issuers",
    make: (cluster) => exchange(cluster, {}),
    status: "warning",
    says: /admin-ui-tls is another than it was told/,
  },
  {
    id: "certificates-there",
    title: "a certificate that no issuer has made",
    world: "issuers",
    make: (cluster) => {
      remove(cluster, "Secret", ADMIN_UI);
    },
    says: /lucid-ops\/admin-ui-tls is missing/,
  },
  {
    id: "keys-elsewhere",
    title: "an issuing key where its issuer has none",
    world: "issuers",
    make: (cluster) => {
      const { data } = find(cluster, "Secret", "lucid-wallet/lucid-issuing-tls");
      add(cluster, "v1", "Secret", "lucid-ops/own", { data });
    },
    says: /Secret lucid-ops\/own, tls\.key: the key of the authority wallet\.lucid\.internal issuing/,
  },
  {
    id: "issuers-well",
    title: "an issuer that is not there",
    world: "issuers",
    make: (cluster) => {
      remove(cluster, "Pod", "lucid-mesh/issuer-wallet-0");
    },
    says: /issuer-wallet: no pod of it is ready/,
  },
  {
    id: "issuers-well",
    title: "an issuer that is ill",
    world: "issuers",
    make: (cluster) => {
      const body = JSON.stringify({ healthy: false, state: "issuing", reasons: ["this clock is an hour ahead"] });
      cluster.answers.set("issuer-ops/health", { status: 503, body });
    },
    says: /issuer-ops: this clock is an hour ahead/,
  },
  {
    id: "issuers-well",
    title: "an issuer that is given nothing",
    world: "issuers",
    make: (cluster) => {
      const body = JSON.stringify({ healthy: true, state: "waiting", reasons: [] });
      cluster.answers.set("issuer-chain/health", { status: 200, body });
    },
    says: /issuer-chain: its zone gives it nothing to sign by/,
  },
  {
    id: "issuing-authorities",
    title: "another zone's authority",
    world: "issuers",
    make: (cluster) => {
      const { data } = find(cluster, "Secret", "lucid-wallet/lucid-issuing-tls");
      find(cluster, "Secret", "lucid-ops/lucid-issuing-tls").data = data;
    },
    says: /lucid-ops\/lucid-issuing-tls: no root that peers trust has signed it\nlucid-ops\/admin-ui-tls was signed by another/,
  },
  {
    id: "issuing-authorities",
    title: "an authority with another's key",
    world: "issuers",
    make: (cluster) => {
      const other = dataOf(cluster, "Secret", "lucid-wallet/lucid-issuing-tls")["tls.key"] ?? "";
      dataOf(cluster, "Secret", "lucid-ops/lucid-issuing-tls")["tls.key"] = other;
    },
    says: /lucid-ops\/lucid-issuing-tls: tls\.key is not the key of tls\.crt/,
  },
  {
    id: "issuing-authorities",
    title: "a zone without one",
    world: "issuers",
    make: (cluster) => {
      remove(cluster, "Secret", "lucid-chain/lucid-issuing-tls");
    },
    says: /lucid-chain\/lucid-issuing-tls is missing/,
  },
  {
    id: "token-keys",
    title: "keys that are not mirrored",
    make: (cluster) => {
      remove(cluster, "ConfigMap", "lucid-wallet/mesh-tokens");
    },
    says: /lucid-wallet\/mesh-tokens is missing/,
  },
  {
    id: "token-keys",
    title: "a key that the API server has given up",
    make: (cluster) => {
      cluster.paths.set("/openid/v1/jwks", { keys: [{ kid: "two" }] });
    },
    says: /lucid-wallet\/mesh-tokens has the keys one, not two/,
  },
  {
    id: "token-keys",
    title: "another issuer",
    make: (cluster) => {
      cluster.paths.set("/.well-known/openid-configuration", { issuer: "https://other.example.org" });
    },
    says: /mesh-tokens names another issuer than https:\/\/other\.example\.org/,
  },
]);
