import assert from "node:assert/strict";
import { resolveMesh, serviceNamed, validateDocument } from "../../../mesh";
import { happy, problemsOf, put, refuses, type Row } from "./fixture";

/** The happy document, with `lucid-blocks` in two versions. */
function versioned(): ReturnType<typeof happy> {
  const document = happy();
  put(document, "services.1.image", undefined);
  put(document, "services.1.versions", [
    { name: "stable", image: "a/b:1.0", weight: 90, replicas: 2 },
    { name: "canary", image: "a/b:1.1", weight: 10 },
  ]);
  return document;
}

const BLOCKS = "services.lucid-blocks";
const CALL = "services.admin-ui.calls[0]";
const route = (more: object) => [{ version: "canary", paths: ["/v2/*"], ...more }];

const rows: Row[] = [
  [
    "image beside versions",
    "services.1.image",
    "a/b:1.0",
    `${BLOCKS}.image`,
    /stands beside 'versions'/,
    /each version/,
  ],
  ["replicas beside versions", "services.1.replicas", 3, `${BLOCKS}.replicas`, /stands beside/, /each version/],
  ["version beside versions", "services.1.version", "1.0", `${BLOCKS}.version`, /stands beside/, /each version/],
  ["no versions", "services.1.versions", [], `${BLOCKS}.versions`, /empty/, /declare a version/],
  ["no image", "services.1.versions.1.image", undefined, `${BLOCKS}.versions[1].image`, /needs its image/, /tag/],
  ["latest", "services.1.versions.1.image", "a:latest", `${BLOCKS}.versions[1].image`, /pins nothing/, /digest/],
  ["unknown key", "services.1.versions.1.weigth", 10, `${BLOCKS}.versions[1].weigth`, /unknown/, /'weight'/],
  ["version's name", "services.1.versions.1.name", "1.0", `${BLOCKS}.versions[1].name`, /DNS label/, /canary/],
  ["long name", "services.1.versions.1.name", "a".repeat(16), `${BLOCKS}.versions[1].name`, /15/, /shorten/],
  ["name twice", "services.1.versions.1.name", "stable", `${BLOCKS}.versions[1].name`, /two versions/, /rename/],
  ["weight above 100", "services.1.versions.1.weight", 101, `${BLOCKS}.versions[1].weight`, /percentage/, /0 to 100/],
  ["half a percent", "services.1.versions.1.weight", 0.5, `${BLOCKS}.versions[1].weight`, /percentage/, /whole/],
  ["a sum of 95", "services.1.versions.1.weight", 5, `${BLOCKS}.versions`, /make 95/, /100/],
  ["one without weight", "services.1.versions.1.weight", undefined, `${BLOCKS}.versions[1].weight`, /none/, /give/],
  ["weight, no pods", "services.1.versions.1.replicas", 0, `${BLOCKS}.versions[1].weight`, /10 %.*no pods/, /weight 0/],
  [
    "route to nobody",
    "services.1.routes",
    route({ version: "canry" }),
    `${BLOCKS}.routes[0].version`,
    /no version/,
    /mean 'canary'/,
  ],
  [
    "route of everything",
    "services.1.routes",
    [{ version: "canary" }],
    `${BLOCKS}.routes[0]`,
    /every request/,
    /weights/,
  ],
  [
    "odd header",
    "services.1.routes",
    route({ headers: { "X-Canary": "1" } }),
    `${BLOCKS}.routes[0].headers.X-Canary`,
    /no header/,
    /small letters/,
  ],
  [
    "own header",
    "services.1.routes",
    route({ headers: { "x-envoy-a": "1" } }),
    `${BLOCKS}.routes[0].headers.x-envoy-a`,
    /never reaches/,
    /another/,
  ],
  [
    "empty header",
    "services.1.routes",
    route({ headers: { a: "" } }),
    `${BLOCKS}.routes[0].headers.a`,
    /whole value \(''\)/,
    /plain text/,
  ],
  ["odd path", "services.1.routes", route({ paths: ["v2"] }), `${BLOCKS}.routes[0].paths[0]`, /begins with/, /root/],
  ["no routes", "services.1.routes", [], `${BLOCKS}.routes`, /empty/, /leave/],
  ["routes without versions", "services.2.routes", route({}), "services.tron-payment.routes", /no versions/, /declare/],
  [
    "call's stranger",
    "services.0.calls.0.weights",
    { canari: 100 },
    `${CALL}.weights.canari`,
    /no version/,
    /'canary'/,
  ],
  ["call's sum", "services.0.calls.0.weights", { canary: 50 }, `${CALL}.weights`, /make 50/, /100/],
  ["call's weight", "services.0.calls.0.weights", { canary: "1" }, `${CALL}.weights.canary`, /text '1'/, /number/],
  ["call's odd version", "services.0.calls.0.weights", { "1.0": 100 }, `${CALL}.weights.1.0`, /no version/, /canary/],
  [
    "call's route",
    "services.0.calls.0.routes",
    route({ version: "x" }),
    `${CALL}.routes[0].version`,
    /no version/,
    /name/,
  ],
  [
    "routes on tcp",
    "services.0.calls.0",
    { service: "lucid-blocks", ports: ["peers"], reason: "because", routes: route({}) },
    `${CALL}.routes`,
    /tcp/,
    /weights work/,
  ],
];

describe("versions that can't be kept", () => {
  refuses(rows, versioned);

  it("weights and routes of a call to a service without versions", () => {
    const document = happy();
    put(document, "services.0.calls.0.weights", { a: 100 });
    put(document, "services.0.calls.0.routes", [{ version: "a", paths: ["/a"] }]);
    const problems = problemsOf(JSON.stringify(document)).map(({ path }) => path);
    assert.deepEqual(problems, [`${CALL}.weights`, `${CALL}.routes`]);
  });

  it("versions of a component", () => {
    const document = happy();
    put(document, "services.3.versions", [{ name: "a", image: "a:1" }]);
    assert.deepEqual(
      problemsOf(JSON.stringify(document)).map(({ path }) => path),
      ["services.jaeger.versions"],
    );
  });

  it("a version whose workload would bear a service's name", () => {
    const document = versioned();
    document.zones["ops"]?.members.push("lucid-blocks-canary");
    document.services.push({
      name: "lucid-blocks-canary",
      plane: "ops",
      image: "a:1",
      ports: [{ name: "http", port: 8080 }],
    });
    const [problem] = problemsOf(JSON.stringify(document));
    assert.equal(problem?.path, `${BLOCKS}.versions[1].name`);
  });
});

describe("versions", () => {
  it("take what they don't say from their service", () => {
    const document = versioned();
    put(document, "services.1.args", ["serve"]);
    put(document, "services.1.env", { B: "1", A: "2" });
    put(document, "services.1.versions.1.args", ["serve", "--next"]);
    const { workload } = serviceNamed(resolveMesh(validateDocument(document)), "lucid-blocks");
    assert.ok(workload.kind === "versions");
    assert.equal(workload.replicas, 3);
    assert.deepEqual(
      workload.versions.map(({ name, image, args, env, replicas }) => ({ name, image, args, env, replicas })),
      [
        { name: "stable", image: "a/b:1.0", args: ["serve"], env: { A: "2", B: "1" }, replicas: 2 },
        { name: "canary", image: "a/b:1.1", args: ["serve", "--next"], env: { A: "2", B: "1" }, replicas: 1 },
      ],
    );
  });

  it("stand on each edge to their service, as the call says or else as the service does", () => {
    const split = (change: (document: ReturnType<typeof happy>) => void) => {
      const document = versioned();
      change(document);
      return resolveMesh(validateDocument(document)).edges[0]?.split;
    };
    const declared = [
      { version: "stable", weight: 90 },
      { version: "canary", weight: 10 },
    ];
    assert.deepEqual(
      split(() => undefined),
      { routes: [], weights: declared },
    );
    assert.deepEqual(
      split((document) => {
        put(document, "services.0.calls.0.weights", { canary: 100 });
      })?.weights,
      [
        { version: "stable", weight: 0 },
        { version: "canary", weight: 100 },
      ],
    );
    assert.equal(
      split((document) => {
        put(document, "services.1.versions.0.weight", undefined);
        put(document, "services.1.versions.1.weight", undefined);
      }),
      undefined,
    );
  });
});
