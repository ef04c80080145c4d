import * as assert from "node:assert/strict";
import { serverName } from "../../../../mesh/wire";
import { services } from "../../../unit/envoy/fixture";
import { declared, REFUSED } from "./strangers";
import type { Answer } from "../answer";
import type { MeshLab } from "../mesh-lab";
import type { Leaf } from "../pki";
import { until } from "../sidecar";

const SNI = serverName("http", "blocks", "ops");

/** Who gets through TLS at port 15001: a stranger with every kind of certificate tries. */
export function identity(lab: () => MeshLab): void {
  const knock = (leaf: Partial<Leaf>, sni: string = SNI, more: object = {}): Promise<Answer> =>
    lab().stranger.call("requestTls", {
      host: lab().host("blocks").address,
      port: 15001,
      path: "/height",
      serverName: sni,
      ...leaf,
      ...more,
    });
  const refused = (answer: Answer, why: RegExp) => {
    assert.equal(answer.status, undefined);
    assert.match(answer.refused ?? "", why);
  };

  describe("TLS at 15001", () => {
    it("lets the declared caller in (what follows differs from this in one thing each)", async () => {
      assert.equal((await knock(lab().leaf("console"))).status, 200);
    });

    it("normalizes paths itself, whatever the caller's sidecar did", async () => {
      const tries = [
        ["/blocks/7", 200],
        ["/blocks/../admin", 403],
        ["/blocks/%2e%2e/admin", 403],
        ["/blocks/..%2fadmin", 400],
        ["/blocks/..%5cadmin", 400],
      ] as const;
      for (const [path, status] of tries) {
        for (const alpn of ["h2", "http/1.1"]) {
          assert.equal((await knock(lab().leaf("console"), SNI, { path, alpn })).status, status, `${path} by ${alpn}`);
        }
      }
    });

    it("tells the application no identity but the proven one", async () => {
      const headers = {
        "x-forwarded-client-cert": `URI=${services.router.identity}`,
        "x-envoy-original-path": "/forged",
      };
      const { body } = await knock(lab().leaf("console"), SNI, { headers });
      assert.match(body ?? "", new RegExp(`URI=${services.console.identity}"`));
      assert.doesNotMatch(body ?? "", new RegExp(`${services.router.identity}|forged`));
    });

    for (const { what, leaf = declared, ask = {}, reason } of REFUSED) {
      it(`refuses ${what}`, async () => {
        refused(await knock(await leaf(lab()), SNI, ask), reason);
      });
    }

    it("refuses plain text", async () => {
      const plain = { host: lab().host("blocks").address, port: 15001, path: "/height" };
      refused(await lab().stranger.call("request", plain), /ECONNRESET|socket hang up/);
    });

    for (const cipher of ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]) {
      it(`speaks ${cipher} of TLS 1.3`, async () => {
        const { status, handshake } = await knock(lab().leaf("console"), SNI, { ciphers: cipher });
        assert.deepEqual([status, handshake?.version, handshake?.cipher], [200, "TLSv1.3", cipher]);
      });
    }

    it("shows the service's own name and identity, and no other", async () => {
      const { handshake } = await knock(lab().leaf("console"));
      const { hostname, identity } = services.blocks;
      assert.deepEqual([handshake?.commonName, handshake?.alternativeNames], [hostname, `URI:${identity}`]);
    });

    it("leaves a record of each refusal, and calls no unproven name a caller", async () => {
      const records = () => lab().sidecars.blocks.records.filter((record) => record.kind === "refused");
      await until("refusals are logged", () => Promise.resolve(records().length >= 9));
      const foreign = records().find((record) => String(record.failure).includes("CERTIFICATE_VERIFY_FAILED"));
      assert.equal(foreign?.claimedCaller, services.console.identity);
      assert.ok(records().every((record) => !("caller" in record)));
      assert.ok(records().some((record) => record.flags === "NR" && record.serverName === "example.org"));
    });
  });

  describe("the caller's sidecar", () => {
    it("refuses a callee that DNS found but whose certificate is of another service or zone", async () => {
      const { stranger, resolver } = lab();
      const call = () =>
        lab().host("console").call("request", { host: services.blocks.hostname, port: 80, path: "/height" });
      const failures = () => lab().sidecars.console.records.map((record) => String(record.failure));
      const impostors = [await lab().forge("wallet", services.blocks), await lab().forge("chain", services.payment)];
      await stranger.call("serveTls", {
        address: stranger.address,
        port: 15001,
        certificate: "",
        key: "",
        ...impostors[0],
      });
      const records = { ...lab().discovery(), [services.blocks.discoveryName]: [stranger.address] };
      await resolver.call("setRecords", { records });
      await until("the foreign CA is refused", async () => (await call()).status === 503, 20_000);
      await until("and said so", () =>
        Promise.resolve(failures().some((why) => why.includes("CERTIFICATE_VERIFY_FAILED"))),
      );
      await stranger.call("stopTls", { port: 15001 });
      await stranger.call("serveTls", {
        address: stranger.address,
        port: 15001,
        certificate: "",
        key: "",
        ...impostors[1],
      });
      await until("the foreign name is refused", async () => {
        const { status, body } = await call();
        assert.notEqual(body, "from the impostor");
        return status === 503 && failures().some((why) => /SAN|verify SAN list/i.test(why));
      });
      await stranger.call("stopTls", { port: 15001 });
      await resolver.call("setRecords", { records: lab().discovery() });
      await until("the true callee answers again", async () => (await call()).status === 200, 20_000);
    });
  });
}
