import assert from "node:assert/strict";
import type { Directory, Item } from "../../../policies/reachability/registration";
import { registrationDeclarations } from "../../../proof/declaration/registration";
import { computedRegistration } from "../support/computed-registration";
import { backend, credentialOf, mayRegister, rightsOf } from "../support/discovery";
import { mesh } from "../support/document";

const zones = mesh.zones.filter(({ name }) => mesh.services.some(({ zone }) => zone === name));

describe("the layer of registration, cell by cell, is what the evaluator computes from the backend's own objects", () => {
  let computed: Directory;
  let items: readonly Item[];

  before(async () => {
    computed = await computedRegistration();
    const declared = registrationDeclarations(mesh, { discoveryBackend: backend });
    items = computed.items(
      mesh.services.map(({ name }) => name),
      declared.flatMap(({ entitlements }) => entitlements),
    );
  });

  it("tells apart every service, and more", () => {
    const services = new Set(items.flatMap(({ service }) => service ?? []));
    assert.deepEqual([...services].sort(), mesh.services.map(({ name }) => name).sort());
    assert.ok(items.length > services.size);
  });

  for (const { name: zone } of zones) {
    it(`what who registers zone ${zone} may do with each name, node and key`, async () => {
      const credential = await credentialOf(zone, computed.credentials);
      assert.ok(credential, "no credential was computed for it");
      const live = await rightsOf(zone, items);
      const differing = items.flatMap((item, index) => {
        const [expected, found] = [computed.granted(credential, item), live[index] ?? []];
        return expected.join() === found.join()
          ? []
          : [`${item.text}: computed ${expected.join()}, live ${found.join()}`];
      });
      assert.deepEqual(differing, []);
    });

    it(`whom who registers zone ${zone} registers, when it is tried`, async () => {
      const credential = await credentialOf(zone, computed.credentials);
      assert.ok(credential);
      for (const item of items.filter(({ service }) => service !== undefined)) {
        // Its own are registered: to try it would put an intruder among them.
        if (mesh.services.some(({ name, zone: own }) => name === item.service && own === zone)) continue;
        const expected = computed.granted(credential, item).includes("write");
        assert.equal(await mayRegister(zone, item.service ?? ""), expected, item.text);
      }
    });
  }
});
