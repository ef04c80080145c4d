/** Certificates as sidecars serve them, and new ones in their place. */
import assert from "node:assert/strict";
import { X509Certificate, randomBytes } from "node:crypto";
import * as tls from "node:tls";
import type { Service } from "../../../mesh";
import { SIDECAR_PORTS } from "../../../mesh";
import { core, forward, mergePatch, podsOf } from "./cluster";
import type { PodRef } from "./cluster";
import { service as serviceNamed } from "./document";
import { SYNC_SECONDS, eventually } from "./eventually";
import { forge } from "./forged";
import { credentialsOf } from "./handshake";
import type { Credentials } from "./handshake";

/** What a connection between sidecars lives at most (`MAX_PEER_CONNECTION`), and a margin. */
const CONNECTION_AGE_SECONDS = 70;

/** Waits until every connection between sidecars has been made anew, with the certificates and the trust that are there now. */
export function connectionsMadeAnew(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, CONNECTION_AGE_SECONDS * 1000));
}

/** The certificate that a sidecar shows at its inspection port: the one it shows at every other. */
export async function servedCertificate(pod: PodRef): Promise<X509Certificate> {
  const prometheus = serviceNamed("prometheus");
  const options = { servername: `inspection.${prometheus.zone}`, ...(await credentialsOf(prometheus)) };
  return certificateAt(pod, SIDECAR_PORTS.inspection, options);
}

/** Waits until every sidecar of a service shows the certificate that its Secret holds. */
export async function servedAsStored(service: Service): Promise<void> {
  for (const pod of await podsOf(service)) {
    await eventually(
      `the new certificate of ${pod.name}`,
      async () => {
        const { fingerprint256 } = new X509Certificate((await credentialsOf(service)).cert);
        assert.equal((await servedCertificate(pod)).fingerprint256, fingerprint256);
      },
      SYNC_SECONDS,
    );
  }
}

/** The certificate that is shown at a port of a pod, whoever vouches for it. */
export async function certificateAt(
  pod: PodRef,
  port: number,
  options: tls.ConnectionOptions = {},
): Promise<X509Certificate> {
  const forwarded = await forward(pod, port);
  try {
    return await new Promise((resolve, reject) => {
      const socket = tls.connect({ host: "127.0.0.1", port: forwarded.port, rejectUnauthorized: false, ...options });
      socket.setTimeout(10_000, () => socket.destroy(new Error("no handshake within 10 s")));
      socket.on("error", reject);
      socket.on("secureConnect", () => {
        const { raw } = socket.getPeerCertificate();
        socket.destroy();
        resolve(new X509Certificate(raw));
      });
    });
  } finally {
    forwarded.close();
  }
}

/** A serial number that nobody has, in hexadecimal: its first bit is 0, as of every positive number, so DER adds nothing. */
export function newSerialNumber(): string {
  return `10${randomBytes(12).toString("hex")}`;
}

/** Puts another certificate of the service's own zone in the place of the one it has, good for `minutes`. */
export async function replaceLeaf(service: Service, minutes: number): Promise<void> {
  const leaf = await forge({
    signer: service.zone,
    uri: service.identity,
    serialNumber: newSerialNumber(),
    notAfter: new Date(Date.now() + minutes * 60_000),
  });
  await writeLeaf(service, leaf);
}

/** Writes the Secret from which a service's sidecar takes its certificate. */
export async function writeLeaf(service: Service, { cert, key }: Credentials): Promise<void> {
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  await core.patchNamespacedSecret(
    {
      name: `${service.name}-tls`,
      namespace: service.namespace,
      body: { data: { "tls.crt": encoded(cert), "tls.key": encoded(key) } },
    },
    mergePatch,
  );
}
