import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { CONSUL } from "../../../mesh";
import { certificateAt, newSerialNumber } from "../support/certificates";
import { core, mergePatch, podGenerations, podsOf } from "../support/cluster";
import { only, passingInstances } from "../support/discovery";
import { service } from "../support/document";
import { SYNC_SECONDS, eventually } from "../support/eventually";
import { forge } from "../support/forged";

const servers = { name: CONSUL.service, namespace: "lucid-mesh" };
const SECRET = { name: `${CONSUL.service}-tls`, namespace: servers.namespace };

only("consul", "a renewed certificate of its servers", () => {
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
      const serialNumber = newSerialNumber();
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
          async () =>
            assert.equal((await certificateAt(pod, CONSUL.httpsPort)).serialNumber.toLowerCase(), serialNumber),
          SYNC_SECONDS,
        );
      }
      assert.deepEqual(await podGenerations([servers]), before);
      const { name, zone } = service("payout-router");
      assert.equal((await passingInstances(name, zone)).length, 1);
    });
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
