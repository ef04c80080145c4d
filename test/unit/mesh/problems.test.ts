import assert from "node:assert/strict";
import { addressOf } from "../../../mesh";
import { happy, problemsOf, put, refuses, type Row } from "./fixture";

/** A service whose pods another stack brings, with something changed. */
function joined(change: object): object {
  return { name: "tron-payment", plane: "wallet", joinedBy: "us", ports: [{ name: "http", port: 8080 }], ...change };
}

const rows: Row[] = [
  // the document
  ["format", "apiVersion", "v2", "apiVersion", /'v2' is not mesh/, /write mesh.lucid.internal\/v1/],
  ["format missing", "apiVersion", undefined, "apiVersion", /missing/, /mesh.lucid.internal\/v1/],
  ["zones missing", "zones", [], "zones", /a list stands here/, /map/],
  ["unknown key", "service", [], "service", /'service' is unknown/, /'services'/],
  [
    "unknown key, nothing near",
    "zzzz",
    1,
    "zzzz",
    /unknown/,
    /known keys: apiVersion, zones, traffic, authentication, datacenters or services/,
  ],
  ["unknown zone", "zones.walet", { members: [] }, "zones.walet", /unknown/, /did you mean 'wallet'/],
  ["unknown key in a service", "services.0.replica", 2, "services.admin-ui.replica", /unknown/, /'replicas'/],
  ["unknown key in a port", "services.0.ports.0.portt", 2, "services.admin-ui.ports[0].portt", /unknown/, /'port'/],
  ["unknown key in a call", "services.0.calls.0.path", [], "services.admin-ui.calls[0].path", /unknown/, /'paths'/],
  // membership
  ["stranger listed in chain", "zones.chain.members.1", "spy", "zones.chain.members[1]", /lucid-blocks only/, /take/],
  [
    "stranger listed in wallet",
    "zones.wallet.members.1",
    "spy",
    "zones.wallet.members[1]",
    /tron-payment and payout-router only/,
    /take it off/,
  ],
  [
    "fixed member elsewhere",
    "zones.edge",
    { members: ["payout-router"] },
    "zones.edge.members[0]",
    /wallet/,
    /zones.wal/,
  ],
  ["member of two zones", "zones.edge", { members: ["admin-ui"] }, "zones.edge.members[0]", /already .* ops/, /once/],
  ["member twice", "zones.ops.members.3", "admin-ui", "zones.ops.members[3]", /already/, /once/],
  ["unknown plane", "services.0.plane", "opps", "services.admin-ui.plane", /'opps' is not ops, chain/, /mean 'ops'/],
  ["not a member", "services.0.plane", "edge", "services.admin-ui.plane", /not a member of edge/, /zones.edge.members/],
  // names
  ["bad name", "zones.mesh.members.0", "Mesh_1", "zones.mesh.members[0]", /DNS label .*Mesh_1/, /lower-case/],
  ["long name", "zones.mesh.members.0", "a".repeat(41), "zones.mesh.members[0]", /40 characters/, /shorten/],
  [
    "no component",
    "services.0.component",
    true,
    "services.admin-ui.component",
    /no component/,
    /take 'component' away/,
  ],
  ["component not said", "services.3.component", undefined, "services.jaeger.component", /rendered by/, /true/],
  ["otlp missing", "services.3.ports.1.name", "spans", "services.jaeger.ports", /no port 'otlp'/, /declare it/],
  ["query missing", "services.3.ports.0.name", "page", "services.jaeger.ports", /no port 'query'/, /declare it/],
  ["query not http", "services.3.ports.0.protocol", "http2", "services.jaeger.ports[0].protocol", /speak http/, /http/],
  ["otlp not grpc", "services.3.ports.1.protocol", "http", "services.jaeger.ports[1].protocol", /speak grpc/, /grpc/],
  // workload
  ["no image", "services.0.image", undefined, "services.admin-ui.image", /needs its image/, /tag or a digest/],
  ["unpinned image", "services.0.image", "localhost:5000/a", "services.admin-ui.image", /isn't pinned/, /tag/],
  ["latest", "services.0.image", "a/b:latest", "services.admin-ui.image", /pins nothing/, /version/],
  ["odd image", "services.0.image", "a b", "services.admin-ui.image", /no image/, /name:tag/],
  ["image of a component", "services.3.image", "a:1", "services.jaeger.image", /component renders/, /take it out/],
  ["component and joined", "services.3.joinedBy", "us", "services.jaeger.joinedBy", /component renders/, /take it out/],
  ["image of a joined service", "services.0.joinedBy", "us", "services.admin-ui.image", /joins brings/, /say it there/],
  ["joined by nobody", "services.2", joined({ joinedBy: " " }), "services.tron-payment.joinedBy", /nobody/, /who/],
  ["joined by a number", "services.2", joined({ joinedBy: 4 }), "services.tron-payment.joinedBy", /number 4/, /quotes/],
  ...(["command", "args", "env", "resources", "version"] as const).map((key): Row => {
    const given = { command: ["a"], args: ["a"], env: { A: "b" }, resources: {}, version: "1.0.0" }[key];
    const at = `services.tron-payment.${key}`;
    return [`${key} of a joined service`, "services.2", joined({ [key]: given }), at, /says nothing/, /say it there/];
  }),
  ["version as a number", "services.0.version", 1.5, "services.admin-ui.version", /number 1.5/, /quotes/],
  ["version", "services.0.version", "a b", "services.admin-ui.version", /no version \('a b'\)/, /letters/],
  ["replicas", "services.0.replicas", -1, "services.admin-ui.replicas", /negative/, /0 or more/],
  ["half a pod", "services.0.replicas", 1.5, "services.admin-ui.replicas", /no number of pods/, /whole/],
  ["env value", "services.0.env", { A: 1 }, "services.admin-ui.env.A", /number 1/, /quotes/],
  ["env name", "services.0.env", { "1A": "x" }, "services.admin-ui.env.1A", /no name for a variable/, /letters/],
  [
    "memory",
    "services.0.resources",
    { limits: { memory: "1 MB" } },
    "services.admin-ui.resources.limits.memory",
    /no amount of memory/,
    /64Mi/,
  ],
  [
    "limit under request",
    "services.0.resources",
    { limits: { memory: "32Mi" } },
    "services.admin-ui.resources.limits.memory",
    /lower than the request/,
    /raise/,
  ],
  // ports
  ["no ports", "services.2.ports", [], "services.tron-payment.ports", /without a port/, /declare/],
  ["port 0", "services.0.ports.0.port", 0, "services.admin-ui.ports[0].port", /out of range \(0\)/, /1 to 65535/],
  ["port 65536", "services.0.ports.0.port", 65536, "services.admin-ui.ports[0].port", /out of range/, /1 to 65535/],
  ["port as text", "services.0.ports.0.port", "80", "services.admin-ui.ports[0].port", /the text '80'/, /number/],
  ["half a port", "services.0.ports.0.port", 80.5, "services.admin-ui.ports[0].port", /80.5 is no port/, /whole/],
  ["protocol", "services.0.ports.0.protocol", "htp", "services.admin-ui.ports[0].protocol", /'htp'/, /'http'/],
  ["port name", "services.0.ports.0.name", "HTTP", "services.admin-ui.ports[0].name", /DNS label/, /lower-case/],
  ["long port name", "services.0.ports.0.name", "a".repeat(16), "services.admin-ui.ports[0].name", /15/, /shorten/],
  ["own port name", "services.0.ports.0.name", "inspection", "services.admin-ui.ports[0].name", /sidecar's/, /another/],
  ["two ports of a name", "services.0.ports.1.name", "http", "services.admin-ui.ports[1].name", /two ports/, /rename/],
  ["port twice", "services.0.ports.1.port", 8080, "services.admin-ui.ports[1].port", /declared twice/, /once/],
  [
    "dialPort missing",
    "services.0.ports.1.dialPort",
    undefined,
    "services.admin-ui.ports[1].dialPort",
    /no dialPort/,
    /81/,
  ],
  ["dialPort twice", "services.0.ports.1.dialPort", 80, "services.admin-ui.ports[1].dialPort", /ports\[0\]/, /another/],
  ...[15000, 15001, 15021, 15090, 15300, 15399].map((port): Row => [
    `reserved ${String(port)}`,
    "services.2.ports.0.port",
    port,
    "services.tron-payment.ports[0].port",
    /kept by the sidecar/,
    /another/,
  ]),
  ["reserved dialPort", "services.0.ports.0.dialPort", 15001, "services.admin-ui.ports[0].dialPort", /kept/, /another/],
  // health
  [
    "health port unknown",
    "services.0.health",
    { port: "htp" },
    "services.admin-ui.health.port",
    /no port 'htp'/,
    /http/,
  ],
  ["health by gRPC", "services.0.health", { port: "grpc" }, "services.admin-ui.health.port", /answers no GET/, /HTTP/],
  ["health on gRPC's number", "services.0.health", { port: 8079 }, "services.admin-ui.health.port", /no GET/, /HTTP/],
  [
    "health on a sidecar's port",
    "services.0.health",
    { port: 15021 },
    "services.admin-ui.health.port",
    /kept/,
    /other/,
  ],
  // metrics
  [
    "metrics port unknown",
    "services.0.metrics",
    { port: "htp" },
    "services.admin-ui.metrics.port",
    /no port 'htp'/,
    /http/,
  ],
  [
    "metrics by gRPC",
    "services.0.metrics",
    { port: "grpc" },
    "services.admin-ui.metrics.port",
    /answers no GET/,
    /HTTP/,
  ],
  [
    "metrics on a sidecar's port",
    "services.0.metrics",
    { port: 15090 },
    "services.admin-ui.metrics.port",
    /kept/,
    /other/,
  ],
  [
    "metrics out of range",
    "services.0.metrics",
    { port: 0 },
    "services.admin-ui.metrics.port",
    /out of range/,
    /65535/,
  ],
  [
    "metrics with a query",
    "services.0.metrics",
    { path: "/m?all" },
    "services.admin-ui.metrics.path",
    /no query/,
    /alone/,
  ],
  ["metrics from nowhere", "services.0.metrics", { path: "m" }, "services.admin-ui.metrics.path", /no path/, /root/],
  ["metrics as a word", "services.0.metrics", true, "services.admin-ui.metrics", /'true'|true/, /map/],
  [
    "unknown key in metrics",
    "services.0.metrics",
    { paht: "/m" },
    "services.admin-ui.metrics.paht",
    /unknown/,
    /path or port/,
  ],
  [
    "metrics where no port answers a GET",
    "services.1",
    {
      name: "lucid-blocks",
      plane: "chain",
      image: "fortio/fortio:1.66.2",
      ports: [{ name: "grpc", port: 8079, protocol: "grpc" }],
      health: { port: 8080 },
      metrics: {},
    },
    "services.lucid-blocks.metrics.port",
    /nobody can ask for metrics/,
    /port number/,
  ],
  [
    "health out of range",
    "services.0.health",
    { port: 70000 },
    "services.admin-ui.health.port",
    /out of range/,
    /65535/,
  ],
  [
    "health port of a wrong type",
    "services.0.health",
    { port: [1] },
    "services.admin-ui.health.port",
    /no name of a port/,
    /one/,
  ],
  ["health path", "services.0.health", { path: "health" }, "services.admin-ui.health.path", /no path/, /root/],
  [
    "nothing to ask",
    "services.2.ports.0.protocol",
    "grpc",
    "services.tron-payment.health.port",
    /no declared/,
    /number/,
  ],
  // addresses
  ["address out of range", "services.0.address", "127.0.0.1", "services.admin-ui.address", /no address/, /127.64.0.0/],
  ["address octal", "services.0.address", "127.064.0.1", "services.admin-ui.address", /no address/, /127.64.0.0/],
  ["address too large", "services.0.address", "127.128.0.1", "services.admin-ui.address", /no address/, /127.64.0.0/],
  [
    "address taken",
    "services.1.address",
    addressOf("admin-ui"),
    "services.lucid-blocks.address",
    /'lucid-blocks' and 'admin-ui' both/,
    /address: 127\.\d+\.\d+\.\d+/,
  ],
];

describe("a document with one problem", () => {
  it("is made from one that has none", () => {
    assert.deepEqual(problemsOf(JSON.stringify(happy())), []);
  });

  refuses(rows);

  it("a stranger in chain and wallet is refused even when the document lists it", () => {
    for (const plane of ["chain", "wallet"]) {
      const document = happy();
      put(document, "services.0.plane", plane);
      put(document, `zones.${plane}.members.1`, "admin-ui");
      put(document, "zones.ops.members.0", "other");
      put(document, "services.0.calls", []);
      assert.deepEqual(
        problemsOf(JSON.stringify(document)).map((problem) => problem.path),
        [`zones.${plane}.members[1]`, "services.admin-ui.plane"],
      );
    }
  });

  it("a fixed member is refused elsewhere even when the document lists it there", () => {
    const document = happy();
    put(document, "services.2.plane", "edge");
    document.zones["edge"] = { members: ["tron-payment"] };
    document.zones["wallet"] = { members: [] };
    assert.deepEqual(
      problemsOf(JSON.stringify(document)).map(({ path, mend }) => [path, mend]),
      [
        ["zones.edge.members[0]", "list it under zones.wallet.members"],
        ["services.tron-payment.plane", "write 'plane: wallet'"],
      ],
    );
  });

  it("a component is refused in another zone even when the document lists it there", () => {
    const document = happy();
    put(document, "services.3.plane", "edge");
    document.zones["edge"] = { members: ["jaeger"] };
    document.zones["ops"] = { members: ["admin-ui"] };
    assert.deepEqual(
      problemsOf(JSON.stringify(document)).map(({ path, mend }) => [path, mend]),
      [["services.jaeger.plane", "write 'plane: ops'"]],
    );
  });

  it("two services of one name are told apart by their places", () => {
    const document = happy();
    document.services.push({ ...document.services[2], plane: "opps" });
    assert.deepEqual(
      problemsOf(JSON.stringify(document)).map((problem) => [problem.path, problem.message]),
      [
        ["services[4].plane", "'opps' is not ops, chain, wallet, mesh or edge"],
        ["services[4].name", "two services are named 'tron-payment' (also services[2])"],
      ],
    );
  });

  for (const name of ["consul", "node-resolver", "registry", "ops"]) {
    it(`the name ${name} is taken`, () => {
      const document = happy();
      document.zones["edge"] = { members: [name] };
      document.services.push({ name, plane: "edge", image: "a:1", ports: [{ name: "http", port: 80 }] });
      const [problem] = problemsOf(JSON.stringify(document));
      assert.equal(problem?.path, `services.${name}.name`);
      assert.match(problem.message, /is that of/);
    });
  }
});
