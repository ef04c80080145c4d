import assert from "node:assert/strict";
import {
  keySetFiles,
  MeshDocumentError,
  resolveMesh,
  revocationNotices,
  serviceNamed,
  validateDocument,
} from "../../../mesh";
import type { Datacenters, Edge, Mesh } from "../../../mesh";
import {
  CHANGES,
  changedMesh,
  datacenterMesh,
  datacentersDocument,
  ISSUER,
  KEY_SETS,
} from "../envoy/datacenters-fixture";
import type { Change, DatacenterName } from "../envoy/datacenters-fixture";
import { happy, problemsOf, put, refuses, type Row } from "./fixture";

const [BILLING, LEDGER, ARCHIVE, BLOCKS, ROUTER, RATES, GATEWAY] = [0, 1, 2, 3, 4, 5, 6];
const at = (index: number | undefined, key: string) => `services.${String(index)}.${key}`;

function datacentersOf(mesh: Mesh): Datacenters {
  assert.ok(mesh.datacenters !== undefined);
  return mesh.datacenters;
}

const text = ({ from, to, port }: Edge) => `${from} > ${to}:${port}`;
const departures = (mesh: Mesh) =>
  datacentersOf(mesh).departures.map(({ edge, datacenters }) => `${text(edge)} in ${datacenters.join(", ")}`);
const arrivals = (mesh: Mesh) =>
  datacentersOf(mesh).arrivals.map(({ edge, datacenter }) => `${datacenter}: ${text(edge)}`);

describe("a document of several datacenters", () => {
  it("is, in each of them, what runs there", () => {
    const names = (mesh: Mesh) => mesh.services.map(({ name }) => name);
    assert.ok(names(datacenterMesh("north")).includes("billing"));
    assert.ok(!names(datacenterMesh("south")).includes("billing"));
    assert.ok(!names(datacenterMesh("north")).includes("archive"));
    assert.ok(names(datacenterMesh("south")).includes("archive"));
    for (const datacenter of ["north", "south", "east"] as const) {
      assert.ok(names(datacenterMesh(datacenter)).includes("mesh-controller"), datacenter);
    }
  });

  it("has edges between services that both run there, and no others", () => {
    const calls = (mesh: Mesh) => mesh.edges.filter(({ kind }) => kind === "call").map(text);
    assert.deepEqual(calls(datacenterMesh("north")), [
      "billing > ledger:http",
      "billing > lucid-blocks:peers",
      "ledger > rates:http",
      "payout-router > ledger:http",
    ]);
    assert.deepEqual(calls(datacenterMesh("south")), ["ledger > rates:http", "payout-router > ledger:http"]);
  });

  it("lets calls leave to where they are answered, the own datacenter first and then by the declared order, over links alone", () => {
    assert.deepEqual(departures(datacenterMesh("north")), [
      "billing > archive:http in south",
      "billing > ledger:http in north, south, east",
      "billing > lucid-blocks:peers in north, east",
    ]);
    // No link leads from south to east.
    assert.deepEqual(departures(datacenterMesh("south")), ["ledger > rates:http in south, north"]);
    assert.deepEqual(departures(datacenterMesh("east")), []);
  });

  it("has as arrivals of each exactly the departures of the others", () => {
    const all = ["north", "south", "east"] as const;
    for (const own of all) {
      const expected = all
        .filter((other) => other !== own)
        .flatMap((other) =>
          datacentersOf(datacenterMesh(other))
            .departures.filter(({ datacenters }) => datacenters.includes(own))
            .map(({ edge }) => `${other}: ${text(edge)}`),
        );
      assert.deepEqual([...arrivals(datacenterMesh(own))].sort(), expected.sort(), own);
    }
    assert.deepEqual(arrivals(datacenterMesh("south")), [
      "north: billing > archive:http",
      "north: billing > ledger:http",
    ]);
  });

  it("keeps what a call may ask, and until when, wherever it is answered", () => {
    const arriving = datacentersOf(datacenterMesh("east")).arrivals.map(({ edge }) => edge);
    assert.deepEqual(arriving[0]?.rules, [{ methods: ["GET"], paths: ["/entries/*"] }]);
    assert.equal(arriving[1]?.until, "2098-07-01T00:00:00Z");
    const limited = datacentersOf(datacenterMesh("south")).arrivals.find(({ edge }) => edge.to === "archive");
    assert.equal(limited?.edge.traffic.rateLimit?.requestsPerSecond, 5);
  });

  it("lets nothing of Wallet leave, and nothing to it", () => {
    for (const datacenter of ["north", "south", "east"] as const) {
      const { departures: leaving, arrivals: coming, services } = datacentersOf(datacenterMesh(datacenter));
      const parties = [...leaving, ...coming].flatMap(({ edge }) => [edge.from, edge.to]);
      assert.ok(!parties.includes("payout-router"), datacenter);
      assert.ok(!services.some(({ zone }) => zone === "wallet"), datacenter);
    }
  });

  it("carries the datacenter in trust domains, identities and discovery names, and not in host names", () => {
    const mesh = datacenterMesh("north");
    const ledger = serviceNamed(mesh, "ledger");
    assert.equal(ledger.identity, "spiffe://ops.north.lucid.internal/ns/lucid-ops/sa/ledger");
    assert.equal(ledger.discoveryName, "ledger.service.north.discovery.lucid.internal");
    assert.equal(ledger.hostname, "ledger.lucid.internal");
    assert.deepEqual(
      mesh.zones.map(({ trustDomain }) => trustDomain),
      ["ops", "chain", "wallet", "mesh", "edge"].map((zone) => `${zone}.north.lucid.internal`),
    );
    const remote = datacentersOf(mesh).services.find(
      ({ name, datacenter }) => name === "ledger" && datacenter === "east",
    );
    assert.equal(remote?.identity, "spiffe://ops.east.lucid.internal/ns/lucid-ops/sa/ledger");
    assert.equal(remote.discoveryName, "ledger.service.east.discovery.lucid.internal");
    assert.equal(remote.address, ledger.address);
  });

  it("says of each peer where its gateway is, whose tokens it shows, and which way the link goes", () => {
    const { gateway, peers } = datacentersOf(datacenterMesh("north"));
    assert.deepEqual(gateway, {
      addresses: ["203.0.113.10", "203.0.113.11"],
      port: 30444,
      sources: ["203.0.113.10/32", "203.0.113.11/32"],
    });
    assert.deepEqual(
      peers.map(({ name, isCalled, calls }) => [name, isCalled, calls]),
      [
        ["east", true, false],
        ["south", true, true],
      ],
    );
    const [, south] = peers;
    assert.deepEqual(south?.gateway, { addresses: ["198.51.100.7"], port: 30443, sources: ["198.51.100.0/28"] });
    assert.equal(south.tokens.issuer, ISSUER);
    assert.deepEqual(JSON.parse(south.tokens.keySet), JSON.parse(KEY_SETS["keys/south.json"]));
    assert.equal(south.reason, "South stands in for what is down here");
    // Nobody calls from east, and nothing leads from south to it.
    assert.deepEqual(
      datacentersOf(datacenterMesh("south")).peers.map(({ name }) => name),
      ["north"],
    );
  });

  it("tells which calls a revocation closes where, of those to and from elsewhere too, and of all that crossed by a gateway", () => {
    const told = (name: string) => {
      const change = CHANGES.find(({ title }) => title === `${name} is revoked`) ?? assert.fail(name);
      return (["north", "south", "east"] as const).flatMap((datacenter) =>
        revocationNotices(changedMesh(datacenter, change)).map((notice) => `${datacenter}: ${notice}`),
      );
    };
    const revoked = (name: string, closes: string) => `${name} is revoked: Its key was copied; ${closes}`;
    // Where the revoked service runs, though its caller is elsewhere.
    assert.deepEqual(told("archive"), [`south: ${revoked("archive", "closes: billing -> archive")}`]);
    const calls = ["archive", "ledger", "lucid-blocks"].map((callee) => `billing -> ${callee}`);
    assert.deepEqual(told("billing"), [`north: ${revoked("billing", `closes: ${calls.join(", ")}`)}`]);
    const [archive = "", ledger = "", blocks = ""] = calls;
    const crossed = {
      north: [archive, ledger, blocks, "ledger -> rates"],
      south: [archive, ledger, "ledger -> rates"],
    };
    const closed = { ...crossed, east: [ledger, blocks] };
    assert.deepEqual(
      told("datacenter-gateway"),
      Object.entries(closed).map(
        ([name, each]) => `${name}: ${revoked("datacenter-gateway", `closes between datacenters: ${each.join(", ")}`)}`,
      ),
    );
    assert.deepEqual(datacentersOf(datacenterMesh("north")).closed, []);
  });

  it("closes what a revoked service has to do with, in every datacenter", () => {
    const document = datacentersDocument();
    put(document, at(LEDGER, "revoked"), "Its key was copied");
    const mesh = resolveMesh(validateDocument(document), { datacenter: "north", keySets: KEY_SETS });
    assert.deepEqual(departures(mesh), [
      "billing > archive:http in south",
      "billing > lucid-blocks:peers in north, east",
    ]);
    assert.deepEqual(arrivals(mesh), []);
  });

  it("has to do with whom a call joins it with, whatever links are declared", () => {
    const joined = (name: DatacenterName, change: Change) =>
      datacentersOf(changedMesh(name, change)).peers.map(
        (peer) => `${peer.name}${peer.isCalled ? ", called" : ""}${peer.calls ? ", calling" : ""}: ${peer.reason}`,
      );
    const changed = (title: RegExp) => CHANGES.find((change) => title.test(change.title)) ?? assert.fail();
    const [revoked, billing, ended, unused] = [/^ledger/, /^billing/, /ended/, /no call uses/].map(changed);
    assert.ok(revoked !== undefined && billing !== undefined && ended !== undefined && unused !== undefined);
    assert.deepEqual(joined("north", revoked), [
      "east, called: And then east",
      "south, called: South stands in for what is down here",
    ]);
    // What is left is the link from there, with its own reason.
    assert.deepEqual(joined("north", billing), ["south, calling: Its rates are kept there"]);
    assert.deepEqual(joined("east", billing), []);
    assert.deepEqual(joined("north", ended), ["south, called, calling: South stands in for what is down here"]);
    assert.deepEqual(joined("east", ended), []);
    assert.deepEqual(joined("south", unused), ["north, called, calling: Its rates are kept there"]);
    assert.deepEqual(
      datacentersOf(changedMesh("east", billing)).services.map(({ name }) => name),
      [],
    );
  });

  it("leaves out what has ended", () => {
    const document = validateDocument(datacentersDocument());
    const mesh = resolveMesh(document, { datacenter: "east", keySets: KEY_SETS, now: "2098-07-01T00:00:00.000Z" });
    assert.deepEqual(arrivals(mesh), ["north: billing > ledger:http"]);
  });

  it("makes computed edges in each datacenter for itself", () => {
    const mesh = datacenterMesh("north", true);
    assert.ok(mesh.edges.some(({ kind, from }) => kind === "telemetry" && from === "datacenter-gateway"));
    assert.ok(datacentersOf(mesh).departures.every(({ edge }) => edge.kind === "call"));
  });

  it("names the key sets that are to be read", () => {
    assert.deepEqual([...keySetFiles(validateDocument(datacentersDocument()))].sort(), Object.keys(KEY_SETS).sort());
  });

  for (const [title, options, message] of [
    [
      "no datacenter of the stack",
      { keySets: KEY_SETS },
      /doesn't say which.*lucid-mesh:datacenter to one of south, north, east/s,
    ],
    [
      "an unknown datacenter of the stack",
      { keySets: KEY_SETS, datacenter: "west" },
      /deploys 'west', which is not declared/,
    ],
    [
      "a key set that is not there",
      { datacenter: "north" },
      /datacenters\.\w+\.tokens\.jwksFile: the file 'keys\/\w+\.json' is not there/,
    ],
  ] as const) {
    it(`refuses ${title}`, () => {
      const document = validateDocument(datacentersDocument());
      assert.throws(
        () => resolveMesh(document, options),
        (error) => error instanceof MeshDocumentError && message.test(error.message),
      );
    });
  }

  it("refuses a datacenter of the stack where the document has none", () => {
    assert.throws(
      () => resolveMesh(validateDocument(happy()), { datacenter: "north" }),
      /take lucid-mesh:datacenter out/,
    );
  });
});

describe("a document of one datacenter", () => {
  it("has the names that it always had", () => {
    const mesh = resolveMesh(validateDocument(happy()));
    assert.equal(mesh.datacenters, undefined);
    const { identity, discoveryName } = serviceNamed(mesh, "admin-ui");
    assert.equal(identity, "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui");
    assert.equal(discoveryName, "admin-ui.service.discovery.lucid.internal");
  });

  refuses(
    [
      [
        "datacenters of a service",
        "services.0.datacenters",
        ["north"],
        "services.admin-ui.datacenters",
        /has no datacenters/,
        /declare them/,
      ],
      ["failover", "services.0.failover", ["north"], "services.admin-ui.failover", /has no datacenters/, /take it out/],
      [
        "a gateway",
        "services.2",
        { name: "datacenter-gateway", plane: "edge", component: true },
        "services.datacenter-gateway.name",
        /nothing to be a gateway of/,
        /take it out/,
      ],
    ],
    () => {
      const document = happy();
      document.zones["edge"] = { members: ["datacenter-gateway"] };
      return document;
    },
  );
});

const rows: Row[] = [
  [
    "a zone's name",
    "datacenters.ops",
    { gateway: { addresses: ["192.0.2.9"] }, tokens: { issuer: ISSUER, jwksFile: "a.json" } },
    "datacenters.ops",
    /another meaning/,
    /take another/,
  ],
  [
    "a label of Consul's",
    "datacenters.service",
    { gateway: { addresses: ["192.0.2.9"] }, tokens: { issuer: ISSUER, jwksFile: "a.json" } },
    "datacenters.service",
    /another meaning/,
    /take another/,
  ],
  [
    "no address",
    "datacenters.east.gateway.addresses",
    [],
    "datacenters.east.gateway.addresses",
    /list is empty/,
    /where the others reach/,
  ],
  [
    "a host name",
    "datacenters.east.gateway.addresses.0",
    "gw.example.org",
    "datacenters.east.gateway.addresses[0]",
    /no IPv4 address/,
    /write the addresses/,
  ],
  [
    "a loopback address",
    "datacenters.east.gateway.addresses.0",
    "127.0.0.1",
    "datacenters.east.gateway.addresses[0]",
    /a node's own/,
    /own/,
  ],
  [
    "another's address",
    "datacenters.east.gateway.addresses.0",
    "198.51.100.7",
    "datacenters.east.gateway.addresses[0]",
    /that of south too/,
    /its own/,
  ],
  [
    "a low port",
    "datacenters.east.gateway.port",
    443,
    "datacenters.east.gateway.port",
    /no NodePort/,
    /30000 to 32767/,
  ],
  [
    "sources without a prefix",
    "datacenters.east.gateway.sources",
    ["192.0.2.5"],
    "datacenters.east.gateway.sources[0]",
    /no block of addresses/,
    /\/32/,
  ],
  [
    "wide sources",
    "datacenters.east.gateway.sources",
    ["192.0.0.0/16"],
    "datacenters.east.gateway.sources[0]",
    /more than 256/,
    /\/24 or narrower/,
  ],
  [
    "an issuer without TLS",
    "datacenters.east.tokens.issuer",
    "http://a",
    "datacenters.east.tokens.issuer",
    /is a URL/,
    /`iss`|iss/,
  ],
  [
    "keys elsewhere",
    "datacenters.east.tokens.jwksFile",
    "a/../../b.json",
    "datacenters.east.tokens.jwksFile",
    /out of the document's folder/,
    /beside the document/,
  ],
  [
    "a link to itself",
    "datacenters.north.calls.2",
    { datacenter: "north", reason: "It is near" },
    "datacenters.north.calls[2].datacenter",
    /linked to itself/,
    /take the link out/,
  ],
  [
    "a link twice",
    "datacenters.north.calls.2",
    { datacenter: "east", reason: "Once more" },
    "datacenters.north.calls[2].datacenter",
    /linked twice/,
    /say it once/,
  ],
  [
    "a link to nowhere",
    "datacenters.north.calls.2",
    { datacenter: "eat", reason: "It is far" },
    "datacenters.north.calls[2].datacenter",
    /no datacenter 'eat'/,
    /did you mean 'east'/,
  ],
  [
    "a link without a reason",
    "datacenters.north.calls.0.reason",
    " ",
    "datacenters.north.calls[0].reason",
    /reason is empty/,
    /say why/,
  ],
  [
    "a port of the gateway",
    at(GATEWAY, "ports"),
    [{ name: "http", port: 8080 }],
    "services.datacenter-gateway.ports",
    /says nothing/,
    /take it out/,
  ],
  [
    "health of the gateway",
    at(GATEWAY, "health"),
    { path: "/" },
    "services.datacenter-gateway.health",
    /says nothing/,
    /take it out/,
  ],
  [
    "a call of the gateway",
    at(GATEWAY, "calls"),
    [{ service: "rates" }],
    "services.datacenter-gateway.calls",
    /says nothing/,
    /take it out/,
  ],
  [
    "a call to the gateway",
    at(RATES, "calls"),
    [{ service: "datacenter-gateway" }],
    "services.rates.calls[0].service",
    /answers no call itself/,
    /that is meant/,
  ],
  [
    "an unknown place",
    at(BILLING, "datacenters.1"),
    "eas",
    "services.billing.datacenters[1]",
    /no datacenter 'eas'/,
    /did you mean 'east'/,
  ],
  ["a place twice", at(BILLING, "datacenters.1"), "north", "services.billing.datacenters[1]", /stands twice/, /once/],
  [
    "an empty list",
    at(BILLING, "datacenters"),
    [],
    "services.billing.datacenters",
    /list is empty/,
    /leave the key out/,
  ],
  [
    "failover where it doesn't run",
    at(BLOCKS, "failover.2"),
    "south",
    "services.lucid-blocks.failover[2]",
    /doesn't run in 'south'/,
    /add it/,
  ],
  [
    "failover of a service of Wallet",
    at(ROUTER, "failover"),
    ["south"],
    "services.payout-router.failover",
    /isolated network/,
    /take it out/,
  ],
  [
    "a place of a component",
    "services.7.datacenters",
    ["north"],
    "services.mesh-controller.datacenters",
    /each datacenter has its own/,
    /take it out/,
  ],
  [
    "a call that nobody answers",
    at(ARCHIVE, "failover"),
    undefined,
    "services.billing.calls[1].service",
    /runs in 'north', where nobody answers for 'archive'/,
    /'failover'/,
  ],
  [
    "a call that no link leads to",
    at(BILLING, "datacenters.1"),
    "east",
    "services.billing.calls[1].service",
    /runs in 'east', where nobody answers/,
    /link east to south/,
  ],
];

describe("a document of several datacenters with a mistake", () => {
  refuses(rows, datacentersDocument);

  /** A change that more than one value is wrong by. */
  const told: [title: string, at: string, value: unknown, problem: RegExp][] = [
    [
      "no gateway",
      at(GATEWAY, "name"),
      "tor-gateway",
      /datacenters: nothing takes calls.*declare 'datacenter-gateway'/,
    ],
    [
      "failover of versions",
      at(LEDGER, "versions"),
      [{ name: "v1", image: "a:1" }],
      /versions are told apart in their own datacenter alone/,
    ],
    [
      "failover that no link leads to",
      "datacenters.north.calls.1",
      undefined,
      /services\.ledger\.failover\[1\]: no link leads to 'east'/,
    ],
    [
      "a call of Wallet that nobody answers",
      at(ROUTER, "calls.0.service"),
      "archive",
      /'payout-router' runs in 'east', where nobody answers.*stay in their datacenter/,
    ],
    [
      "a plan to ask about callers in one of them",
      "authentication",
      { service: "archive", port: "http" },
      /'archive' is asked about callers everywhere/,
    ],
  ];
  for (const [title, place, value, expected] of told) {
    it(`tells of ${title}`, () => {
      const document = datacentersDocument();
      put(document, place, value);
      const problems = problemsOf(JSON.stringify(document)).map((one) => `${one.path}: ${one.message}; ${one.mend}`);
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        problems.join("\n"),
      );
    });
  }
});
