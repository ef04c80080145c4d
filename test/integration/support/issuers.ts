/** The deployed mesh with issuers, and without them again. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { issuerOf, issuingZones, isIssued } from "../../../mesh/issuing";
import type { Service } from "../../../mesh";
import { apps, core, mergePatch, podsOf } from "./cluster";
import { servedCertificate } from "./certificates";
import { mesh } from "./document";
import { SYNC_SECONDS, eventually } from "./eventually";
import { deploy, deployDeclared, type Variation } from "./variation";

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
      assert.deepEqual(await podsOf({ name, namespace: "lucid-mesh" }), []);
    });
  }
  for (const namespace of NAMESPACES) {
    await core.deleteCollectionNamespacedSecret({ namespace, labelSelector: BY_ISSUERS });
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: BY_ISSUERS });
  }
  return deployDeclared();
}

/** Serial number of the certificate in a service's Secret, as its issuer tells it too. @throws where there is none, or something else is told */
export async function issuedSerial({ name, namespace }: Service): Promise<string> {
  const { data, metadata } = await core.readNamespacedSecret({ name: `${name}-tls`, namespace });
  assert.equal(metadata?.labels?.["app.kubernetes.io/managed-by"], "lucid-issuer", `${name}: its issuer's`);
  const pem = Buffer.from(data?.["tls.crt"] ?? "", "base64").toString();
  const serial = new X509Certificate(pem).serialNumber.toLowerCase();
  const record = await core.readNamespacedConfigMap({ name: `${name}-certificate`, namespace });
  assert.equal(record.metadata?.annotations?.["lucid.internal/certificate-serial"], serial, `${name}: what is told`);
  return serial;
}

/** Waits until every pod of some services serves what its issuer made last, and that is another than before; resolves to the serial numbers. */
export async function served(
  services: readonly Service[] = issued,
  before: ReadonlyMap<string, string> = new Map(),
  seconds = SYNC_SECONDS,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const each of services) {
    await eventually(
      `the certificate of ${each.name}`,
      async () => {
        const serial = await issuedSerial(each);
        assert.notEqual(serial, before.get(each.name));
        for (const pod of await podsOf(each))
          assert.equal((await servedCertificate(pod)).serialNumber.toLowerCase(), serial, pod.name);
        found.set(each.name, serial);
      },
      seconds,
    );
  }
  return found;
}

/** Takes the Secrets of some services away: their issuers make them anew. */
export async function takeAway(services: readonly Service[] = issued): Promise<void> {
  for (const { name, namespace } of services) await core.deleteNamespacedSecret({ name: `${name}-tls`, namespace });
}
