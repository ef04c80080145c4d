import assert from "node:assert/strict";
import { edgesTo, resolveMesh, serviceNamed, validateDocument } from "../../../mesh";
import type { ExternalWorkload, Mesh } from "../../../mesh";
import { ANOTHER_AUTHORITY, AUTHORITY, externalDocument, externalMesh, NO_AUTHORITY } from "../envoy/external-fixture";
import { put, refuses, type Row } from "./fixture";

const [DB, RATES, LEGACY] = [4, 5, 6];
const db = (key: string) => `services.${String(DB)}.${key}`;
const rates = (key: string) => `services.${String(RATES)}.${key}`;
const legacy = (key: string) => `services.${String(LEGACY)}.${key}`;
const KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";

const addresses: Row[] = [
  ["db.example.org", /no IPv4 address, and a host name would have to be looked up outside/, /addresses that it has/],
  ["2001:db8::1", /IPv6/, /write an IPv4 address/],
  ["10.20.0.0/24", /no IPv4 address/, /each as 10\.20\.0\.5/],
  ["010.20.0.5", /no IPv4 address/, /each as/],
  ["127.0.0.1", /a node's own/, /the service's own/],
  ["0.0.0.0", /a node's own/, /the service's own/],
  ["169.254.169.254", /metadata service/, /the service's own/],
  ["224.0.0.1", /a group/, /the service's own/],
  ["255.255.255.255", /a group/, /the service's own/],
].map(([value, message, mend]): Row => [
  `the address ${String(value)}`,
  db("external.addresses.0"),
  value,
  "services.ledger-db.external.addresses[0]",
  message as RegExp,
  mend as RegExp,
]);

const names: Row[] = [
  "Db.example.org",
  "db..example.org",
  "*",
  "*.*.org",
  "10.20.0.5",
  "db.*.org",
  "db.example.org.",
].map((value): Row => [
  `the name ${value}`,
  db("external.tls.names.0"),
  value,
  "services.ledger-db.external.tls.names[0]",
  /no DNS name/,
  /as it stands in the certificate/,
]);

const authorities: Row[] = (
  [
    ["nothing", "", /no list of PEM certificates/, /authorities' certificates/],
    ["a private key", `${AUTHORITY}${KEY}`, /holds a private key/, /have its owner make another/],
    ["text between certificates", `${AUTHORITY}and${ANOTHER_AUTHORITY}`, /no list of PEM/, /nothing else/],
    ["half a certificate", AUTHORITY.replace(/\n.{30}/, "\n"), /can't be read/, /copy it whole/],
    ["a certificate that signs nobody", NO_AUTHORITY, /no authority's/, /which signed it/],
    ["one of them that signs nobody", AUTHORITY + NO_AUTHORITY, /no authority's/, /which signed it/],
  ] as const
).map(([title, value, message, mend]): Row => [
  title,
  db("external.tls.authorities"),
  value,
  "services.ledger-db.external.tls.authorities",
  message,
  mend,
]);

const inside: Row[] = (
  [
    ["image", "a:1"],
    ["command", ["a"]],
    ["args", ["a"]],
    ["env", { A: "a" }],
    ["joinedBy", "us"],
    ["resources", { limits: { memory: "1Gi" } }],
    ["versions", [{ name: "v1", image: "a:1" }]],
    ["health", { path: "/health" }],
    ["metrics", {}],
    ["calls", [{ service: "ledger-db" }]],
    ["workload", { kind: "job" }],
  ] as const
).map(([key, value]): Row => [
  `${key} on what is outside`,
  rates(key),
  value,
  `services.rates.${key}`,
  /outside the cluster/,
  /take|move|declare/,
]);

const rows: Row[] = [
  [
    "no address",
    db("external.addresses"),
    [],
    "services.ledger-db.external.addresses",
    /empty/,
    /where the service is/,
  ],
  [
    "an address twice",
    db("external.addresses"),
    ["10.20.0.5", "10.20.0.5"],
    "services.ledger-db.external.addresses[1]",
    /'10\.20\.0\.5' stands twice/,
    /once/,
  ],
  ...addresses,
  ["no name", db("external.tls.names"), [], "services.ledger-db.external.tls.names", /every certificate/, /own/],
  ...names,
  [
    "nobody to ask for",
    db("external.tls.names"),
    ["*.example.org"],
    "services.ledger-db.external.tls.serverName",
    /none can be asked for/,
    /own name/,
  ],
  [
    "a server name for several",
    db("external.tls.serverName"),
    "*.example.org",
    "services.ledger-db.external.tls.serverName",
    /no DNS name/,
    /in full/,
  ],
  ...authorities,
  [
    "protocols where there are no bytes",
    rates("external.tls.alpn"),
    ["h2"],
    "services.rates.external.tls.alpn",
    /follows from the port/,
    /take it out/,
  ],
  [
    "no proof",
    db("external.tls"),
    undefined,
    "services.ledger-db.external.tls",
    /nothing says by what/,
    /names and authorities.*'plaintext'/,
  ],
  [
    "two proofs",
    db("external.plaintext"),
    { reason: "It is old", owner: "us", until: "2098-12-31" },
    "services.ledger-db.external.plaintext",
    /beside 'tls'/,
    /keep 'tls'/,
  ],
  [
    "plain text without an owner",
    legacy("external.plaintext.owner"),
    undefined,
    "services.legacy.external.plaintext.owner",
    /missing/,
    /text/,
  ],
  [
    "plain text for no reason",
    legacy("external.plaintext.reason"),
    " ",
    "services.legacy.external.plaintext.reason",
    /empty/,
    /why it can't have TLS/,
  ],
  [
    "plain text for ever",
    legacy("external.plaintext.until"),
    undefined,
    "services.legacy.external.plaintext.until",
    /missing|no date/,
    /./,
  ],
  [
    "plain text until no day",
    legacy("external.plaintext.until"),
    "2098-02-30",
    "services.legacy.external.plaintext.until",
    /no date of UTC/,
    /2026-12-31/,
  ],
  [
    "health of a port that isn't there",
    rates("external.health.port"),
    "htttp",
    "services.rates.external.health.port",
    /no port 'htttp'/,
    /http or grpc/,
  ],
  [
    "health of a port that answers no GET",
    rates("external.health.port"),
    "grpc",
    "services.rates.external.health.port",
    /answers no GET/,
    /HTTP port/,
  ],
  [
    "health where no port answers a GET",
    db("external.health"),
    { path: "/" },
    "services.ledger-db.external.health.port",
    /no port answers a GET/,
    /connected to/,
  ],
  [
    "a call that crosses without a reason",
    "services.0.calls.0.reason",
    undefined,
    "services.ledger.calls[0].reason",
    /crosses from ops to edge/,
    /why/,
  ],
  [
    "what may be asked of bytes",
    "services.0.calls.0.paths",
    ["/"],
    "services.ledger.calls[0].paths",
    /speaks tcp/,
    /take them out/,
  ],
  ...inside,
];

/** The document with one value changed, resolved. */
function changed(at: string, value: unknown, now?: string): Mesh {
  const document = externalDocument();
  put(document, at, value);
  return resolveMesh(validateDocument(document), now === undefined ? {} : { now });
}

function outside(mesh: Mesh, name: string): ExternalWorkload {
  const { workload } = serviceNamed(mesh, name);
  return workload.kind === "external" ? workload : assert.fail(`${name} is ${workload.kind}`);
}

describe("a service outside the cluster", () => {
  describe("is refused with", () => {
    refuses(rows, externalDocument);

    it("a plane of the platform's fixed members", () => {
      const document = externalDocument();
      put(document, db("plane"), "wallet");
      put(document, "zones.edge.members", ["rates"]);
      assert.throws(
        () => validateDocument(document),
        /services\.ledger-db\.plane: wallet holds its own services alone, and no way out of the cluster; declare it in 'edge'/,
      );
    });
  });

  it("is resolved with every default, in an order of its own", () => {
    const { addresses: at, tls, replicas, health } = outside(externalMesh(), "ledger-db");
    assert.deepEqual([at, replicas, health], [["10.20.0.5", "10.20.0.6"], 2, undefined]);
    assert.deepEqual(tls, {
      names: ["db.example.org"],
      serverName: "db.example.org",
      authorities: AUTHORITY,
      presentsCertificate: true,
      alpn: ["postgresql"],
    });
    const { addresses: ascending } = outside(
      changed(db("external.addresses"), ["10.20.0.10", "10.20.0.9"]),
      "ledger-db",
    );
    assert.deepEqual(ascending, ["10.20.0.9", "10.20.0.10"]);
  });

  it("asks for the first name that stands for one service", () => {
    const mesh = changed(db("external.tls.names"), ["*.example.org", "b.example.org", "a.example.org"]);
    const { tls } = outside(mesh, "ledger-db");
    assert.deepEqual(
      [tls?.serverName, tls?.names],
      ["b.example.org", ["*.example.org", "a.example.org", "b.example.org"]],
    );
    assert.equal(outside(externalMesh(), "rates").tls?.serverName, "api.example.org");
  });

  it("takes authorities as files have them: with other line ends, and several", () => {
    const written = `\r\n${AUTHORITY.replaceAll("\n", "\r\n")}\r\n${ANOTHER_AUTHORITY}`;
    assert.equal(
      outside(changed(db("external.tls.authorities"), written), "ledger-db").tls?.authorities,
      AUTHORITY + ANOTHER_AUTHORITY,
    );
  });

  it("is asked for its health at the first port that answers a GET", () => {
    assert.deepEqual(outside(externalMesh(), "rates").health, { path: "/healthz", port: "http" });
  });

  it("may listen outside where a sidecar listens inside", () => {
    assert.doesNotThrow(() => changed(legacy("ports.0.port"), 15001));
  });

  it("is called as any service: an edge for each port, with its rules and its reason", () => {
    const edges = edgesTo(externalMesh(), "rates").map(({ from, port, reason }) => [from, port, reason]);
    assert.deepEqual(edges, [
      ["ledger", "grpc", "Amounts are shown in euro"],
      ["ledger", "http", "Amounts are shown in euro"],
      ["payout-router", "http", "Payouts are in TRX"],
    ]);
  });

  describe("in plain text", () => {
    const end = (mesh: Mesh) => edgesTo(mesh, "legacy").map(({ until }) => until);

    it("is called until the earlier of the two ends", () => {
      assert.deepEqual(end(externalMesh()), ["2098-07-01T00:00:00Z"]);
      assert.deepEqual(end(changed("services.0.calls.2.until", undefined)), ["2099-01-01T00:00:00Z"]);
      assert.deepEqual(end(changed(legacy("external.plaintext.until"), "2097-01-01")), ["2097-01-02T00:00:00Z"]);
    });

    it("is called by nobody when the end has come", () => {
      const over = (now: string) => changed("services.0.calls.2.until", undefined, now);
      assert.deepEqual(end(over("2098-12-31T23:59:59Z")), ["2099-01-01T00:00:00Z"]);
      assert.deepEqual(end(over("2099-01-01T00:00:00Z")), []);
      assert.deepEqual(
        over("2099-01-01T00:00:00Z").ended.map(({ to }) => to),
        ["legacy"],
      );
    });
  });
});
