import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { AuthorizationV1Api } from "@kubernetes/client-node";
import { core, kubeConfig, podGenerations, podOf } from "../support/cluster";
import { connectionsMadeAnew, servedAsStored } from "../support/certificates";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { credentialsOf, request } from "../support/handshake";
import {
  deployIssuers,
  deployWithoutIssuers,
  issued,
  issuedCertificate,
  isIssuing,
  issuing,
  killIssuers,
  serialOf,
  served,
  takeAway,
} from "../support/issuers";
import { underLoad } from "../support/load";
import { pulumi } from "../support/pulumi";

const KILLS = 2;
/** Requests a second of each load: `pulumi up` runs beside them. The campaign has four times as many. */
const RATE = 50;
const CONFIG = ["--config", "lucid-mesh:autoRotateCerts=true"];

/** What was told since then of certificates that sidecars show. */
async function toldSince(begun: number): Promise<string[]> {
  const events = await Promise.all(
    issuing.map((zone) => core.listNamespacedEvent({ namespace: `lucid-${zone}`, fieldSelector: "reason=Drifted" })),
  );
  return events
    .flatMap(({ items }) => items)
    .filter(({ metadata, message = "" }) => Number(metadata.creationTimestamp) >= begun && /shows /.test(message))
    .map(({ message = "" }) => message);
}

describe("certificates that issuers make", function () {
  this.timeout(1_800_000);
  let begun: number;
  before(() => {
    // Events are dated in whole seconds.
    begun = Math.floor(Date.now() / 1000) * 1000;
  });
  after(async () => {
    if (await isIssuing()) await deployWithoutIssuers();
  });

  it("take the place of Pulumi's, and are made anew, without a failed request or a restart", async () => {
    const before = await podGenerations(mesh.services);
    await underLoad(async () => {
      await deployIssuers();
      const first = await served();
      const begun = Date.now();
      await takeAway();
      await served(issued, first);
      console.log(`      every sidecar serves its new one after ${((Date.now() - begun) / 1000).toFixed(0)} s`);
      await connectionsMadeAnew();
    }, RATE);
    assert.deepEqual(await podGenerations(mesh.services), before, "no pod was replaced or restarted");
  });

  it("live for a day, and those of the controller for as long as ever", async () => {
    for (const each of issued) {
      const { cert } = await credentialsOf(each);
      const { validFrom, validTo } = new X509Certificate(cert);
      assert.equal((Date.parse(validTo) - Date.parse(validFrom)) / 3_600_000, 24, each.name);
    }
    const { metadata } = await core.readNamespacedSecret({ name: "mesh-controller-tls", namespace: "lucid-mesh" });
    assert.notEqual(metadata?.labels?.["app.kubernetes.io/managed-by"], "lucid-issuer");
  });

  it("are nothing to `pulumi up` and to `pulumi refresh`", async () => {
    const args = ["--yes", "--non-interactive", "--expect-no-changes", ...CONFIG];
    for (const command of [
      ["up", ...args, "--policy-pack", "policies"],
      ["refresh", ...args],
    ]) {
      const { status, output } = await pulumi(...command);
      assert.equal(status, 0, output);
    }
  });

  it("are whole and good whenever issuers are killed", async () => {
    const before = await served();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await takeAway();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 2_000));
      await killIssuers();
      for (const each of issued) await eventually(`a certificate of ${each.name}`, () => issuedCertificate(each), 120);
    }
    assert.equal((await served(issued, before)).size, issued.length);
  });

  it("are signed by keys that only their zone's issuer may read", async () => {
    const authorization = kubeConfig.makeApiClient(AuthorizationV1Api);
    const accounts = [
      ...mesh.services.map(({ namespace, name }) => `${namespace}:${name}`),
      ...["consul", "node-resolver", ...issuing.map((zone) => `issuer-${zone}`)].map((name) => `lucid-mesh:${name}`),
    ];
    for (const zone of issuing) {
      for (const account of accounts) {
        for (const verb of ["get", "list", "watch", "patch", "update", "delete"]) {
          const name = ["list", "watch"].includes(verb) ? undefined : "lucid-issuing-tls";
          const { status } = await authorization.createSubjectAccessReview({
            body: {
              spec: {
                user: `system:serviceaccount:${account}`,
                resourceAttributes: { namespace: `lucid-${zone}`, verb, version: "v1", resource: "secrets", name },
              },
            },
          });
          const may = verb === "get" && account === `lucid-mesh:issuer-${zone}`;
          assert.equal(status?.allowed, may, `${account} may ${verb} what zone ${zone} is signed by`);
        }
      }
    }
  });

  it("are refused once they are revoked, and their service has another", async () => {
    const payments = service("tron-payment");
    const stolen = {
      pod: await podOf(service("lucid-blocks")),
      serverName: "http.lucid-blocks.wallet",
      protocol: "http",
      credentials: await credentialsOf(service("payout-router")),
    } as const;
    assert.ok("status" in (await request(stolen)), "a copy lets in before");
    const before = await served([service("payout-router"), payments]);
    const serial = serialOf(before.get("payout-router") ?? assert.fail("payout-router has a certificate"));
    const entry = { zone: "wallet", service: "payout-router", serial, date: "2026-11-22" };
    await deployIssuers({ config: { revokedCertificates: JSON.stringify([entry]) } });
    await served([service("payout-router")], before);
    await eventually("the copy being refused", async () => {
      assert.ok("refused" in (await request(stolen)));
    });
    const [was, is] = [before, await served([payments])].map((found) => found.get("tron-payment")?.fingerprint256);
    assert.equal(is, was, "and nobody else's");
  });

  it("give way to Pulumi's without a failed request or a restart", async () => {
    const before = await podGenerations(mesh.services);
    await underLoad(async () => {
      await deployWithoutIssuers();
      for (const each of issued) await servedAsStored(each);
    }, RATE);
    assert.deepEqual(await podGenerations(mesh.services), before, "no pod was replaced or restarted");
  });

  it("were no drift while sidecars came to them", async () => {
    assert.deepEqual(await toldSince(begun), []);
  });
});
