import assert from "node:assert/strict";
import { peerZones } from "../../mesh";
import type { Service } from "../../mesh";
import { SIDECAR_PATHS } from "../../mesh/wire";
import { connectionsMadeAnew, servedCertificate } from "../integration/support/certificates";
import { withoutAdmission } from "../integration/support/admission";
import { exec, podGenerations, podsOf } from "../integration/support/cluster";
import type { PodRef } from "../integration/support/cluster";
import { mesh, service } from "../integration/support/document";
import { SYNC_SECONDS, eventually } from "../integration/support/eventually";
import { startLoads } from "../integration/support/load";
import { deploy, deployDeclared } from "../integration/support/stacks/variation";

/** The zone whose root is exchanged; services of other zones call into it. */
const ZONE = "chain";
const RATE = 100;

const members = mesh.services.filter(({ zone }) => zone === ZONE);
const peers = mesh.services.filter((each) => peerZones(mesh, each).includes(ZONE));

/** The steps of docs/certificates.md, "Exchanging a root": what is configured, and what is to be seen in every pod before the next. */
const STEPS = [
  { title: "trust the next root", trusted: [1, 2], issuing: 1 },
  { title: "issue by it", trusted: [1, 2], issuing: 2 },
  { title: "drop the old one", trusted: [2], issuing: 2 },
] as const;

/** How many roots of the zone a sidecar's files hold. */
async function rootsIn(pod: PodRef): Promise<number> {
  const cat = ["cat", `${SIDECAR_PATHS.config}/${ZONE}.yaml`];
  const { stdout } = await withoutAdmission(() => exec(pod, "sidecar", cat));
  return stdout.split("-BEGIN CERTIFICATE-").length - 1;
}

async function inEveryPod(services: readonly Service[], what: string, check: (pod: PodRef) => Promise<void>) {
  for (const each of services) {
    for (const pod of await podsOf(each)) await eventually(`${what} in ${pod.name}`, () => check(pod), SYNC_SECONDS);
  }
}

/** Who signed the certificate that a sidecar serves, as its name says. */
async function issuerOf(pod: PodRef): Promise<string> {
  return (await servedCertificate(pod)).issuer;
}

describe(`the root of zone ${ZONE} exchanged under load`, function () {
  this.timeout(900_000);
  after(deployDeclared);

  it("fails no request, replaces no pod, and every sidecar serves what the new root signs", async () => {
    const pods = await podGenerations(mesh.services);
    const [member] = members;
    assert.ok(member);
    const [pod] = await podsOf(member);
    assert.ok(pod);
    const first = await issuerOf(pod);
    const url = `http://${member.hostname}/`;
    const loads = await startLoads(
      { from: service("admin-ui"), url, rate: RATE },
      { from: service("admin-ui"), url, rate: RATE, fresh: true },
      { from: service("payout-router"), url, rate: RATE },
    );
    try {
      for (const { title, trusted, issuing } of STEPS) {
        const started = Date.now();
        await deploy({ config: { rootGenerations: JSON.stringify({ [ZONE]: { trusted, issuing } }) } });
        const deployed = Date.now();
        await inEveryPod(peers, `${trusted.length} roots of ${ZONE}`, async (peer) => {
          assert.equal(await rootsIn(peer), trusted.length);
        });
        await inEveryPod(members, `a certificate by root ${issuing}`, async (each) => {
          assert.equal((await issuerOf(each)) === first, issuing === 1);
        });
        const seconds = (since: number) => ((Date.now() - since) / 1000).toFixed(0);
        console.log(
          `      ${title}: in every pod ${seconds(deployed)} s after pulumi up (${seconds(started)} s with it)`,
        );
      }
      await connectionsMadeAnew();
    } finally {
      await loads.assertUnharmed();
    }
    assert.deepEqual(await podGenerations(mesh.services), pods, "no pod was replaced or restarted");
  });
});
