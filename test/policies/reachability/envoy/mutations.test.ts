import assert from "node:assert/strict";
import { CORE_SCHEMA, load } from "js-yaml";
import { Field } from "../../../../policies/judgement/field";
import { Reachability, compare, readMesh, readSidecar } from "../../../../policies/reachability/envoy";
import type { Declaration, Sidecar } from "../../../../policies/reachability/envoy";
import type { JsonObject } from "../../support/edit";
import type { Mesh } from "../../../../mesh";
import { externalMesh } from "../../../unit/envoy/external-fixture";
import { lucid } from "../../support/planned";
import { EQUIVALENT } from "./equivalent";
import { mutationsOf } from "./mutations";
import { declarationOf, objectsOf } from "./rendered";

/** A sidecar whose files can be changed. */
interface Patient {
  readonly own: Sidecar;
  readonly documents: Readonly<Record<string, JsonObject>>;
  /** What is read of the files as they are now; undefined where they can't be judged. */
  readonly read: () => Sidecar | undefined;
}

/** A mesh and what is read of it. */
interface World {
  readonly mesh: Mesh;
  readonly objects: readonly JsonObject[];
  readonly sidecars: readonly Sidecar[];
  readonly declaration: Declaration;
}

function worldOf(mesh: Mesh): World {
  const objects = objectsOf(mesh);
  const sidecars = readMesh(objects).sidecars ?? assert.fail();
  return { mesh, objects, sidecars, declaration: declarationOf(mesh) };
}

/** Lucid as the dev stack has it; and what it doesn't have, services outside the cluster. */
const worlds: readonly World[] = [worldOf(lucid), worldOf(externalMesh())];

function patientOf(own: Sidecar, { objects }: World): Patient {
  const [zone = "", service = ""] = own.party.split("/");
  const title = `ConfigMap lucid-${zone}/${service}-envoy`;
  const object = objects.find(({ metadata }) => (metadata as JsonObject).name === `${service}-envoy`);
  const documents = Object.fromEntries(
    Object.entries((object?.data ?? {}) as Record<string, string>).map(([file, text]) => [
      file,
      load(text, { schema: CORE_SCHEMA }) as JsonObject,
    ]),
  );
  const read = () => {
    const files = Object.fromEntries(
      Object.entries(documents).map(([file, document]) => [file, new Field(document, `data["${file}"]`)]),
    );
    return readSidecar(files, own.roots, { zone, service, title }).sidecar;
  };
  return { own, documents, read };
}

/** Another service in the place of each, another zone in the place of each. */
function anotherIn({ mesh }: World): (text: string) => readonly string[] {
  const services = mesh.services.map(({ name }) => name);
  return (text) => {
    const named = services.find((name) => text.includes(name));
    const other = services[(services.indexOf(named ?? "") + 1) % services.length];
    const zone = mesh.zones.find(({ name }) => new RegExp(`\\b${name}\\b`).test(text))?.name;
    return [
      ...(named === undefined || other === undefined ? [] : [text.replaceAll(named, other)]),
      ...(zone === undefined
        ? []
        : [text.replaceAll(new RegExp(`\\b${zone}\\b`, "g"), zone === "ops" ? "chain" : "ops")]),
    ];
  };
}

/** Every sidecar, with the mesh that it is in. */
const cases = worlds.flatMap((world) => world.sidecars.map((sidecar) => ({ world, sidecar })));

/** Every operator at every kind of place in the files of sidecars. */
describe("a change of a sidecar's files", function () {
  this.timeout(600_000);

  const survivors = new Map<string, string>();
  const tried = new Set<string>();

  for (const { sidecar, world } of cases) {
    it(`of ${sidecar.party} is found, can't be judged, or changes nothing`, () => {
      const { sidecars, declaration } = world;
      const { own, documents, read } = patientOf(sidecar, world);
      const anotherOf = anotherIn(world);
      const isFound = () => {
        const changed = read();
        if (changed === undefined) return true;
        const mesh = sidecars.map((other) => (other === own ? changed : other));
        return compare(new Reachability(mesh), declaration).length > 0;
      };
      assert.equal(isFound(), false);
      for (const [file, document] of Object.entries(documents)) {
        for (const mutation of mutationsOf(file, document, anotherOf)) {
          // What was done at such a place of one sidecar needs not be done at another's.
          if (tried.has(mutation.kind)) continue;
          tried.add(mutation.kind);
          mutation.apply();
          if (!isFound()) survivors.set(mutation.kind, mutation.title);
          mutation.revert();
        }
      }
      assert.equal(isFound(), false);
    });
  }

  it("was tried thousands of times", () => {
    assert.ok(tried.size > 5_000, String(tried.size));
  });

  it("that nobody finds changes neither who reaches whom nor what may be asked", () => {
    const unargued = [...survivors].filter(([kind]) => !EQUIVALENT.some((equivalent) => equivalent.kind.test(kind)));
    assert.deepEqual(
      unargued.map(([, title]) => title),
      [],
    );
  });

  for (const { kind, why } of EQUIVALENT) {
    it(`that ${why} is among the survivors`, () => {
      assert.ok(
        [...survivors.keys()].some((survivor) => kind.test(survivor)),
        `${String(kind)} argues about nothing: take it out`,
      );
    });
  }
});
