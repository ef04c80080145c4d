/** The deployed mesh with issuers, and without them again. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { ApiException } from "@kubernetes/client-node";
import { issuerOf, issuingZones, isIssued } from "../../../mesh/issuing";
import { LABELS } from "../../../mesh";
import type { Service } from "../../../mesh";
import { apps, core, mergePatch, podsOf, usual } from "./cluster";
import type { Cluster } from "./cluster";
import { servedCertificate } from "./certificates";
import { mesh } from "./document";
import { SYNC_SECONDS, eventually } from "./eventually";
import { deploy, deployDeclared, type Variation } from "./stacks/variation";

/** Services whose certificates issuers make. */
export const issued: readonly Service[] = mesh.services.filter(isIssued);
/** Zones with an issuer. */
export const issuing = issuingZones(mesh);

const BY_ISSUERS = "app.kubernetes.io/managed-by=lucid-issuer";
const NAMESPACES = issuing.map((zone) => `lucid-${zone}`);

/** Deploys the document with issuers. */
export function deployIssuers({ config, ...variation }: Variation = {}): Promise<string> {
  return deploy({ ...variation, config: { autoRotateCerts: "true", ...config } });
}

/** Deploys what the checkout declares, as docs/certificates.md says: what issuers made is out of the way before. */
export async function deployWithoutIssuers(): Promise<string> {
  for (const zone of issuing) {
    const name = issuerOf(zone);
    await apps
      .patchNamespacedDeploymentScale({ name, namespace: "lucid-mesh", body: { spec: { replicas: 0 } } }, mergePatch)
      .catch(() => undefined);
    await eventually(`the end of ${name}`, async () => {
      const labelSelector = `${LABELS.name}=${name}`;
      assert.deepEqual((await core.listNamespacedPod({ namespace: "lucid-mesh", labelSelector })).items, []);
    });
  }
  for (const namespace of NAMESPACES) {
    await core.deleteCollectionNamespacedSecret({ namespace, labelSelector: BY_ISSUERS });
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: BY_ISSUERS });
  }
  return deployDeclared();
}

/** The certificate in a service's Secret, of which its issuer tells too. @throws where there is none, or something else is told */
export async function issuedCertificate({ name, namespace }: Service, at: Cluster = usual): Promise<X509Certificate> {
  const { data, metadata } = await at.core.readNamespacedSecret({ name: `${name}-tls`, namespace });
  assert.equal(metadata?.labels?.["app.kubernetes.io/managed-by"], "lucid-issuer", `${name}: its issuer's`);
  const pem = Buffer.from(data?.["tls.crt"] ?? "", "base64").toString();
  const certificate = new X509Certificate(pem);
  const record = await at.core.readNamespacedConfigMap({ name: `${name}-certificate`, namespace });
  const told = record.metadata?.annotations?.["lucid.internal/certificate-serial"];
  assert.equal(told, serialOf(certificate), `${name}: what is told`);
  return certificate;
}

/** Its serial number, as revocations name it. Certificates that were made within an hour may have the same. */
export function serialOf({ serialNumber }: X509Certificate): string {
  return serialNumber.toLowerCase();
}

/** Waits until every pod of some services serves what its issuer made last, and that is another than before. */
export async function served(
  services: readonly Service[] = issued,
  before: ReadonlyMap<string, X509Certificate> = new Map(),
  seconds = SYNC_SECONDS,
): Promise<ReadonlyMap<string, X509Certificate>> {
  const found = new Map<string, X509Certificate>();
  for (const each of services) {
    await eventually(
      `the certificate of ${each.name}`,
      async () => {
        const certificate = await issuedCertificate(each);
        const { fingerprint256 } = certificate;
        assert.notEqual(fingerprint256, before.get(each.name)?.fingerprint256);
        for (const pod of await podsOf(each))
          assert.equal((await servedCertificate(pod)).fingerprint256, fingerprint256, pod.name);
        found.set(each.name, certificate);
      },
      seconds,
    );
  }
  return found;
}

/** Takes the Secrets of some services away, where they are there: their issuers make them anew. */
export async function takeAway(services: readonly Service[] = issued): Promise<void> {
  for (const { name, namespace } of services)
    await core.deleteNamespacedSecret({ name: `${name}-tls`, namespace }).catch((error: unknown) => {
      if (!(error instanceof ApiException && error.code === 404)) throw error;
    });
}

/** Kills the pods of every zone's issuer, without a word. */
export async function killIssuers(): Promise<void> {
  const namespace = "lucid-mesh";
  for (const zone of issuing) {
    for (const { name } of await podsOf({ name: issuerOf(zone), namespace }))
      await core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 });
  }
}

/** Whether any zone has an issuer deployed. */
export async function isIssuing(): Promise<boolean> {
  const { items } = await apps.listNamespacedDeployment({ namespace: "lucid-mesh" });
  const names = new Set(issuing.map(issuerOf));
  return items.some(({ metadata }) => names.has(metadata?.name ?? ""));
}
