import assert from "node:assert/strict";
import { X509Certificate, randomBytes } from "node:crypto";
import * as tls from "node:tls";
import { CONSUL } from "../../../mesh";
import { core, forward, mergePatch, podGenerations, podsOf } from "../support/cluster";
import type { PodRef } from "../support/cluster";
import { passingInstances } from "../support/consul";
import { service } from "../support/document";
import { SYNC_SECONDS, eventually } from "../support/eventually";
import { forge } from "../support/forged";

const servers = { name: CONSUL.service, namespace: "lucid-mesh" };
const SECRET = { name: `${CONSUL.service}-tls`, namespace: servers.namespace };

/** A server that went on with what it started with would end discovery on the day on which that ends. */
describe("a renewed certificate of Consul's servers", function () {
  this.timeout(SYNC_SECONDS * 3000);
  let original: Readonly<Record<string, string>>;

  before(async () => {
    const { data } = await core.readNamespacedSecret(SECRET);
    assert.ok(data);
    original = data;
  });
  after(async () => {
    await write(original);
  });

  it("is served by each of them without a restart, and discovery goes on", async () => {
    const before = await podGenerations([servers]);
    const current = new X509Certificate(Buffer.from(original["tls.crt"] ?? "", "base64"));
    // A first bit of 0: the number is positive, and DER adds nothing.
    const serialNumber = `10${randomBytes(12).toString("hex")}`;
    const { cert, key } = await forge({
      signer: "mesh",
      uri: namesOf(current, "URI")[0] ?? "",
      hostNames: namesOf(current, "DNS"),
      serialNumber,
    });
    await write({ "tls.crt": Buffer.from(cert).toString("base64"), "tls.key": Buffer.from(key).toString("base64") });
    for (const pod of await podsOf(servers)) {
      await eventually(
        `the new certificate of ${pod.name}`,
        async () => assert.equal((await served(pod)).serialNumber.toLowerCase(), serialNumber),
        SYNC_SECONDS,
      );
    }
    assert.deepEqual(await podGenerations([servers]), before);
    const { name, zone } = service("payout-router");
    assert.equal((await passingInstances(name, zone)).length, 1);
  });
});

function write(data: Readonly<Record<string, string>>): Promise<unknown> {
  return core.patchNamespacedSecret({ ...SECRET, body: { data } }, mergePatch);
}

/** Names of a certificate, of one type: `DNS:consul.lucid.internal, URI:spiffe://…`. */
function namesOf({ subjectAltName = "" }: X509Certificate, type: "DNS" | "URI"): string[] {
  return subjectAltName
    .split(", ")
    .flatMap((name) => (name.startsWith(`${type}:`) ? [name.slice(type.length + 1)] : []));
}

async function served(pod: PodRef): Promise<X509Certificate> {
  const forwarded = await forward(pod, CONSUL.httpsPort);
  try {
    return await new Promise((resolve, reject) => {
      const socket = tls.connect({ host: "127.0.0.1", port: forwarded.port, rejectUnauthorized: false });
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
