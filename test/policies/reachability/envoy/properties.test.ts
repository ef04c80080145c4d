import assert from "node:assert/strict";
import fc from "fast-check";
import type { Mesh } from "../../../../mesh";
import { Reachability, compare, readMesh } from "../../../../policies/reachability/envoy";
import type { Declaration } from "../../../../policies/reachability/envoy";
import { meshes } from "../random-meshes";
import { declarationOf, objectsOf } from "./rendered";

function violationsOf(mesh: Mesh, declaration: Declaration): readonly string[] {
  const { sidecars, findings } = readMesh(objectsOf(mesh));
  assert.deepEqual(findings, []);
  return compare(new Reachability(sidecars ?? []), declaration).map(({ kind, text }) => `${kind}: ${text}`);
}

describe("of any mesh", function () {
  this.timeout(300_000);

  it("the sidecars do what is declared, and nothing is found", () => {
    fc.assert(
      fc.property(meshes, (mesh) => {
        assert.deepEqual(violationsOf(mesh, declarationOf(mesh)), []);
      }),
      { numRuns: 200 },
    );
  });

  it("a call that nobody declares is found, and so is one that is declared and isn't there", () => {
    fc.assert(
      fc.property(meshes, fc.nat(), (mesh, at) => {
        const declaration = declarationOf(mesh);
        // A way to a whole zone stays needed for its other services.
        const whole = declaration.edges.filter(({ only }) => only !== "caller");
        const edge = whole[at % Math.max(whole.length, 1)];
        if (edge === undefined) return;
        const without = { ...declaration, edges: declaration.edges.filter((other) => other !== edge) };
        assert.notDeepEqual(violationsOf(mesh, without), []);
        const twisted = { ...edge, port: `${edge.port}-other` };
        const found = violationsOf(mesh, { ...declaration, edges: [...declaration.edges, twisted] });
        assert.ok(
          found.some((text) => text.startsWith("refused: ")),
          JSON.stringify(found),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("what may be asked, and until when, is compared to the letter", () => {
    fc.assert(
      fc.property(meshes, fc.nat(), (mesh, at) => {
        const declaration = declarationOf(mesh);
        const calls = declaration.edges.filter(({ carries, port }) => carries !== "bytes" && port !== "inspection");
        const edge = calls[at % Math.max(calls.length, 1)];
        if (edge === undefined) return;
        const others = (changed: object) => ({
          ...declaration,
          edges: declaration.edges.map((other) => (other === edge ? { ...edge, ...changed } : other)),
        });
        const fewer = others({ requests: [{ methods: ["PUT"], paths: [{ exact: "/nobody" }] }] });
        assert.ok(violationsOf(mesh, fewer).some((text) => /^undeclared: .*which nobody declared/.test(text)));
        const longer = others({ until: edge.until === undefined ? "2090-01-01T00:00:00Z" : undefined });
        assert.ok(violationsOf(mesh, longer).some((text) => text.includes(` from ${edge.until ?? "2090"}`)));
      }),
      { numRuns: 30 },
    );
  });
});
