import assert from "node:assert/strict";
import { jobsMesh } from "../../unit/envoy/jobs-fixture";
import { revokedMesh } from "../../unit/envoy/revoked";
import { lucid } from "../../policies/support/planned";
import type { Manifest } from "./api";
import { Lab, plannedObjects } from "./lab";

const title = ({ kind = "?", metadata }: Manifest) => `${kind} ${metadata?.namespace ?? ""}/${metadata?.name ?? "?"}`;

/** Lucid itself, with services revoked, and a mesh with jobs. */
const MESHES = {
  Lucid: lucid,
  "Lucid with services revoked": revokedMesh("payout-router", "prometheus"),
  "a mesh with jobs": jobsMesh(),
};

for (const [name, mesh] of Object.entries(MESHES)) {
  describe(`admission of what ${name} declares`, function () {
    this.timeout(300_000);
    let lab: Lab;
    before(async () => {
      lab = await Lab.start(mesh);
    });
    after(() => lab.stop());

    for (const round of ["created", "applied again"]) {
      it(`lets every planned object be ${round}`, async () => {
        const refused: string[] = [];
        for (const object of await plannedObjects(mesh)) {
          await lab.apply(object).catch((error: unknown) => refused.push(`${title(object)}: ${String(error)}`));
        }
        assert.deepEqual(refused, []);
      });
    }
  });
}
