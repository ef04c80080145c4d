/** Keys where they don't belong, and the keys that tokens are checked by. */
import { CORE_SCHEMA, load } from "js-yaml";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { IDENTITY_TOKEN } from "../../../mesh";
import { certificateRecordOf } from "../../../mesh/issuing";
import { counted, judged, warning } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { readBundles, rootsByZone, inlineOf } from "../identity/bundles";
import { commonNameOf, decoded, readLeaves } from "../identity/leaves";
import { readSigners } from "../identity/signers";

/** On `<service>-trust`: what the controller knows of the certificate beside it, whose Secret it may not read. */
const DIGEST_ANNOTATION = "lucid.internal/certificate-digest";
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/g;

export const keyChecks: readonly Check[] = [
  {
    id: "keys-elsewhere",
    category: "identity",
    phase: "after",
    title: "no key of the mesh lies where the plan has none",
    tells:
      "Looks through all Secrets that this user may read for the keys of services and authorities, and through the zones' Secrets and ConfigMaps for any private key. Keys outside of the cluster, or in another form than PEM, are not seen.",
    remedy:
      "delete what is named, find out who put it there, and revoke the certificate (or exchange the authority) that it is of",
    more: "certificates.md#revoking-a-certificate",
    needs: ["certificates-there"],
    run: keysElsewhere,
  },
  {
    id: "certificates-told",
    category: "identity",
    phase: "after",
    title: "the controller has been told of the certificates that are there",
    tells: `Compares the annotation ${DIGEST_ANNOTATION} of each \`<service>-trust\`, or of \`<service>-certificate\` where an issuer made it, with the certificate in the Secret: after it changes, the controller has kubelet bring the new one at once.`,
    remedy:
      "run `pulumi up`, or see that the issuer runs (`issuers-well`); a Secret that was written by hand reaches the pods only by kubelet's own pace",
    more: "controller.md#changed-files-reach-the-sidecars-at-once",
    needs: ["certificates-there"],
    run: async (context) => {
      const maps = new Map((await context.live.inZones(KINDS.configMaps)).map((one) => [titleOf(one), one]));
      const found = (await readLeaves(context)).leaves.flatMap(({ title, secret }) => {
        const told = ["-trust", certificateRecordOf("")]
          .map((suffix) => maps.get(title.replace(/-tls$/, suffix))?.metadata.annotations?.[DIGEST_ANNOTATION])
          .find((annotation) => annotation !== undefined);
        const digest = createHash("sha256")
          .update(decoded(secret, "tls.crt") ?? "")
          .digest("hex")
          .slice(0, 16);
        return told === undefined || told === digest ? [] : [`${title} is another than it was told`];
      });
      return judged(found, "some were exchanged past Pulumi", undefined, warning);
    },
  },
  {
    id: "token-keys",
    category: "identity",
    phase: "after",
    title: "sidecars have the cluster's present token keys",
    tells: `Compares the ConfigMap \`${IDENTITY_TOKEN.keysConfigMap}\` of each zone that has services with what the API server publishes. Until it was written once, every call is refused.`,
    remedy: "see that the controller runs (`controller-health`): it mirrors them within 15 s",
    more: "controller.md#token-keys",
    needs: ["namespaces-there", "token-keys-published"],
    run: tokenKeys,
  },
];

interface FoundKey {
  readonly place: string;
  readonly pem: string;
}

async function keysElsewhere(context: CheckContext) {
  const { leaves } = await readLeaves(context);
  const bundles = await readBundles(context);
  const authorities = [...leaves.flatMap(({ chain }) => chain), ...[...rootsByZone(bundles).values()].flat()];
  const owners = new Map([
    ...leaves.map(({ certificate, service }) => [fingerprint(certificate.publicKey), service] as const),
    ...authorities.map(
      (authority) => [fingerprint(authority.publicKey), `the authority ${commonNameOf(authority)}`] as const,
    ),
  ]);
  const planned = new Map<string, string>([
    ...leaves.map(
      ({ title, certificate }) => [`Secret ${title}, tls.key`, fingerprint(certificate.publicKey)] as const,
    ),
    ...(await readSigners(context)).map(
      ({ title, certificate }) => [`Secret ${title}, tls.key`, fingerprint(certificate.publicKey)] as const,
    ),
  ]);
  const findings = (await allKeys(context)).flatMap(({ place, pem }) => {
    const key = fingerprintOf(pem);
    const owner = key === undefined ? undefined : owners.get(key);
    if (key !== undefined && planned.get(place) === key) return [];
    if (owner !== undefined) return [`${place}: the key of ${owner}`];
    return / lucid-/.test(place) ? [`${place}: a private key that nobody declared`] : [];
  });
  return judged(findings, "there are keys that others could use");
}

/** Private keys in Secrets, and in the zones' ConfigMaps. */
async function allKeys(context: CheckContext): Promise<readonly FoundKey[]> {
  const secrets = await context.live.list(KINDS.secrets);
  const maps = await context.live.inZones(KINDS.configMaps);
  const keysIn = (place: string, text: string): FoundKey[] =>
    (text.match(PRIVATE_KEY) ?? []).map((pem) => ({ place, pem }));
  return [
    ...secrets.flatMap((secret) =>
      Object.keys(secret.data ?? {}).flatMap((key) =>
        keysIn(`Secret ${titleOf(secret)}, ${key}`, decoded(secret, key) ?? ""),
      ),
    ),
    ...maps.flatMap((map) =>
      Object.entries(map.data ?? {}).flatMap(([key, text]) => keysIn(`ConfigMap ${titleOf(map)}, ${key}`, text)),
    ),
  ];
}

function fingerprintOf(pem: string): string | undefined {
  try {
    return fingerprint(createPublicKey(createPrivateKey(pem)));
  } catch {
    return undefined;
  }
}

function fingerprint(key: ReturnType<typeof createPublicKey>): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}

async function tokenKeys(context: CheckContext) {
  const { issuer } = (await context.cluster.get("/.well-known/openid-configuration")) as { readonly issuer?: string };
  const published = keyIds(await context.cluster.get("/openid/v1/jwks"));
  const { mesh } = declaredIn(context);
  const zones = mesh.zones.filter(({ name }) => mesh.services.some(({ zone }) => zone === name));
  const maps = await context.live.inZones(KINDS.configMaps);
  const found = zones.flatMap(({ namespace }) => {
    const title = `${namespace}/${IDENTITY_TOKEN.keysConfigMap}`;
    const text = maps.find((one) => titleOf(one) === title)?.data?.[IDENTITY_TOKEN.keysFile];
    if (text === undefined) return [`${title} is missing`];
    const file = load(text, { schema: CORE_SCHEMA });
    if (!text.includes(`issuer: ${issuer ?? ""}\n`)) return [`${title} names another issuer than ${issuer ?? "none"}`];
    const keys = keyIds(parsedJson(inlineOf(file, "local_jwks")));
    return keys.join() === published.join()
      ? []
      : [`${title} has the keys ${keys.join(", ") || "none"}, not ${published.join(", ")}`];
  });
  return judged(found, "sidecars refuse good tokens, or believe keys that are given up", counted(zones.length, "zone"));
}

/** What tells keys apart. */
function keyIds(set: unknown): readonly string[] {
  const { keys = [] } = (set ?? {}) as {
    readonly keys?: readonly { readonly kid?: string; readonly x?: string; readonly n?: string }[];
  };
  return keys.map(({ kid, x, n }) => kid ?? x ?? n ?? "").sort();
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
