import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  edgesFrom,
  keySetFiles,
  MeshDocumentError,
  peerZones,
  resolveMesh,
  serviceNamed,
  validateDocument,
  type KeySets,
} from "../../../mesh";
import { keySetProblems, readKeySet, renderKeySet } from "../../../mesh/authentication/jwks";
import { edgeTraffic } from "../../../mesh/traffic";
import { authenticatedMesh, PUBLIC_KEYS } from "../envoy/authenticated";
import { happy, problemsOf, put, type Wild } from "./fixture";

const [EC, RSA] = PUBLIC_KEYS as [Record<string, string>, Record<string, string>];
const USERS = { issuer: "https://login.lucid.internal", audiences: ["admin-ui"], jwks: { keys: [EC] } };

/** The happy document with end users at the console's first port, and a service that answers questions. */
function withUsers(): ReturnType<typeof happy> {
  const document = happy();
  put(document, "services.0.ports.0.endUsers", structuredClone(USERS));
  document.zones["mesh"] = { members: ["mesh-controller", "verdict", "ledger"] };
  const ports = [
    { name: "http", port: 8080 },
    { name: "grpc", port: 9191, protocol: "grpc", dialPort: 81 },
  ];
  document.services.push(
    { name: "verdict", plane: "mesh", image: "a:1", ports, calls: [] },
    { name: "ledger", plane: "mesh", image: "a:1", ports: [{ name: "http", port: 8080 }], calls: [] },
  );
  put(document, "authentication", { service: "verdict" });
  return document;
}

type Row = readonly [title: string, changes: Wild, path: string, message: RegExp];

/** Each changed document has exactly that one problem. */
function refusesEach(rows: readonly Row[]): void {
  for (const [title, changes, path, message] of rows) {
    it(`${title}: refused at ${path}`, () => {
      const document = withUsers();
      for (const [at, value] of Object.entries(changes)) put(document, at, value);
      const problems = problemsOf(JSON.stringify(document));
      assert.deepEqual(
        problems.map((problem) => problem.path),
        [path],
        JSON.stringify(problems),
      );
      assert.match(problems[0]?.message ?? "", message);
      assert.notEqual(problems[0]?.mend ?? "", "");
    });
  }
}

describe("end users of a port", () => {
  const at = "services.admin-ui.ports[0].endUsers";
  const key = "services.0.ports.0.endUsers";

  it("are accepted (what follows differs from this in one thing each)", () => {
    assert.deepEqual(problemsOf(JSON.stringify(withUsers())), []);
  });

  refusesEach([
    ["no issuer", { [`${key}.issuer`]: undefined }, `${at}.issuer`, /missing/],
    ["an empty issuer", { [`${key}.issuer`]: " " }, `${at}.issuer`, /empty/],
    ["no audience", { [`${key}.audiences`]: [] }, `${at}.audiences`, /tokens for other services/],
    ["no keys", { [`${key}.jwks`]: undefined }, `${at}.jwks`, /by which keys/],
    ["an empty key set", { [`${key}.jwks.keys`]: [] }, `${at}.jwks.keys`, /empty/],
    ["two key sets", { [`${key}.jwksFile`]: "keys.json" }, `${at}.jwksFile`, /beside 'jwks'/],
    ["a private key", { [`${key}.jwks.keys.0.d`]: "c2VjcmV0" }, `${at}.jwks.keys[0].d`, /private or shared/],
    ["a shared key", { [`${key}.jwks.keys.0`]: { kty: "oct" } }, `${at}.jwks.keys[0].kty`, /private or shared/],
    [
      "a key file outside",
      { [`${key}.jwks`]: undefined, [`${key}.jwksFile`]: "a/../../b" },
      `${at}.jwksFile`,
      /out of/,
    ],
    ["an absolute key file", { [`${key}.jwks`]: undefined, [`${key}.jwksFile`]: "/etc/x" }, `${at}.jwksFile`, /beside/],
    ["two places", { [`${key}.header`]: "x-session", [`${key}.cookie`]: "session" }, `${at}.cookie`, /beside 'header'/],
    ["an upper-case header", { [`${key}.header`]: "X-Session" }, `${at}.header`, /no header's name/],
    ["a header of the sidecar", { [`${key}.header`]: "x-forwarded-for" }, `${at}.header`, /meaning already/],
    [
      "a cookie that is not to be forwarded",
      { [`${key}.cookie`]: "session", [`${key}.forwardToken`]: false },
      `${at}.forwardToken`,
      /takes no cookie out/,
    ],
    ["a long tolerance", { [`${key}.clockSkewSeconds`]: 3600 }, `${at}.clockSkewSeconds`, /five minutes/],
    [
      "no tolerance, which Envoy reads as a minute",
      { [`${key}.clockSkewSeconds`]: 0 },
      `${at}.clockSkewSeconds`,
      /below/,
    ],
    ["a claim without values", { [`${key}.claims`]: [{ claim: "a", values: [] }] }, `${at}.claims[0].values`, /empty/],
    ["a remote key set", { [`${key}.jwksUri`]: "https://a" }, `${at}.jwksUri`, /unknown/],
    ["a rule about everything", { [`${key}.rules`]: [{ anonymous: true }] }, `${at}.rules[0]`, /every request/],
    [
      "everything without a token",
      { [`${key}.rules`]: [{ paths: ["/*"], anonymous: true }] },
      `${at}.rules[0]`,
      /every request is let in/,
    ],
    [
      "claims of nobody",
      { [`${key}.rules`]: [{ paths: ["/a"], anonymous: true, claims: [{ claim: "a", values: ["b"] }] }] },
      `${at}.rules[0].claims`,
      /asks no token/,
    ],
    [
      "a rule that never applies",
      { [`${key}.rules`]: [{ paths: ["/a*", "/b"] }, { paths: ["/a/b*", "/b"], methods: ["GET"], anonymous: true }] },
      `${at}.rules[1]`,
      /never applies.*rules\[0\]/,
    ],
    [
      "end users of spans",
      { "services.3.ports.1.endUsers": USERS },
      "services.jaeger.ports[1].endUsers",
      /send their spans/,
    ],
    [
      "end users of questions",
      { "services.4.ports.1.endUsers": USERS },
      "services.verdict.ports[1].endUsers",
      /ask here about/,
    ],
    ["end users of TCP", { "services.1.ports.2.endUsers": USERS }, "services.lucid-blocks.ports[2].endUsers", /tcp/],
  ]);

  it("can have rules that overlap in part, the narrower first", () => {
    const document = withUsers();
    put(document, `${key}.rules`, [{ paths: ["/a/b*"] }, { paths: ["/a*"] }, { methods: ["GET"] }, { paths: ["/c"] }]);
    assert.deepEqual(problemsOf(JSON.stringify(document)), []);
  });
});

describe("a key set", () => {
  const made = (type: "rsa", bits: number) =>
    generateKeyPairSync(type, { modulusLength: bits }).publicKey.export({ format: "jwk" });
  const rows: readonly (readonly [string, unknown, string])[] = [
    ["a private RSA key", { ...RSA, d: "AA" }, "d"],
    ["a factor alone", { ...RSA, p: "AA" }, "p"],
    ["a shared key without its value", { kty: "oct" }, "kty"],
    ["no type", { n: "AA" }, "kty"],
    ["a type named like a method", { kty: "toString" }, "kty"],
    ["a short RSA key", made("rsa", 1024), "n"],
    ["no exponent", { ...RSA, e: undefined }, "e"],
    ["no base64url", { ...RSA, n: "a+b" }, "n"],
    ["another curve", { ...EC, crv: "secp256k1" }, "crv"],
    ["half a point", { ...EC, y: undefined }, "y"],
    ["an algorithm of another type", { ...RSA, alg: "ES256" }, "alg"],
    ["a shared algorithm", { ...RSA, alg: "HS256" }, "alg"],
    ["the algorithm none", { ...RSA, alg: "none" }, "alg"],
    ["an algorithm of another curve", { ...EC, alg: "ES384" }, "alg"],
    ["a key for encryption", { ...RSA, use: "enc" }, "use"],
    ["a kid that is a number", { ...RSA, kid: 1 }, "kid"],
  ];
  for (const [title, jwk, member] of rows) {
    it(`refuses ${title}, and prints nothing of it`, () => {
      const [problem, ...others] = keySetProblems([EC, jwk]);
      assert.deepEqual(problem?.path, [1, member]);
      assert.deepEqual(others, []);
      assert.doesNotMatch(problem.message + problem.mend, /"|AA/);
    });
  }

  it("accepts public keys of every type", () => {
    const okp = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" });
    assert.deepEqual(keySetProblems([EC, RSA, { ...okp, alg: "EdDSA" }, p384, made("rsa", 2048)]), []);
  });

  it("refuses two keys of one name", () => {
    assert.deepEqual(
      keySetProblems([EC, { ...RSA, kid: EC.kid }]).map(({ path }) => path),
      [[1, "kid"]],
    );
  });

  it("is told to Envoy with what checks a signature and nothing else, whatever the order", () => {
    const reversed = Object.fromEntries(Object.entries({ ...EC, x5c: ["AA"], comment: "ours" }).reverse());
    assert.equal(renderKeySet([reversed]), renderKeySet([EC]));
    assert.deepEqual(JSON.parse(renderKeySet([reversed])), { keys: [EC] });
  });

  it("is read from a file's text, or refused with what is wrong", () => {
    assert.deepEqual(readKeySet(JSON.stringify({ keys: [EC] })), { keys: [EC] });
    for (const text of ["", "{", "[]", "null", '{"keys": []}', '{"keys": {}}'])
      assert.ok("problem" in readKeySet(text));
  });
});

describe("resolved end users", () => {
  const document = () => {
    const declared = withUsers();
    put(declared, "services.0.ports.0.endUsers.jwks", undefined);
    put(declared, "services.0.ports.0.endUsers.jwksFile", "keys/login.json");
    return validateDocument(declared);
  };

  it("have every default", () => {
    const users = serviceNamed(resolveMesh(validateDocument(withUsers())), "admin-ui").ports[0]?.endUsers;
    assert.deepEqual(users, {
      issuer: USERS.issuer,
      audiences: USERS.audiences,
      keySet: renderKeySet([EC]),
      token: { kind: "bearer" },
      forwardToken: true,
      forwardClaims: false,
      clockSkewSeconds: 30,
      claims: [],
      rules: [],
    });
  });

  it("take their keys from a file that the program reads", () => {
    assert.deepEqual(keySetFiles(document()), ["keys/login.json"]);
    const mesh = resolveMesh(document(), { keySets: { "keys/login.json": JSON.stringify({ keys: [EC] }) } });
    assert.equal(serviceNamed(mesh, "admin-ui").ports[0]?.endUsers?.keySet, renderKeySet([EC]));
  });

  it("are refused when the file is missing, is no key set, or holds a private key", () => {
    const texts = [undefined, "{", JSON.stringify({ keys: [{ ...EC, d: "c2VjcmV0" }] })];
    for (const [index, text] of texts.entries()) {
      const keySets: KeySets = text === undefined ? {} : { "keys/login.json": text };
      assert.throws(
        () => resolveMesh(document(), { keySets }),
        (error) => {
          assert.ok(error instanceof MeshDocumentError);
          assert.match(error.message, /services\.admin-ui\.ports\[0\]\.endUsers\.jwksFile: .*keys\/login\.json/);
          assert.match(error.message, [/not there/, /no JSON/, /keys\[0\]\.d: this is a private/][index] ?? /never/);
          assert.doesNotMatch(error.message, /c2VjcmV0/);
          return true;
        },
      );
    }
  });
});

describe("the question about callers", () => {
  it("is accepted from services and ports (what follows differs from this in one thing each)", () => {
    const document = withUsers();
    put(document, "services.0.askAuthentication", true);
    put(document, "services.1.ports.0.askAuthentication", true);
    assert.deepEqual(problemsOf(JSON.stringify(document)), []);
  });

  const asking = { "services.0.askAuthentication": true };
  refusesEach([
    ["a stranger", { "authentication.service": "verdikt" }, "authentication.service", /not declared/],
    ["no such port", { "authentication.port": "grcp" }, "authentication.port", /no port 'grcp'/],
    ["a port of HTTP", { "authentication.port": "http" }, "authentication.port", /speaks http/],
    ["no port of gRPC", { "services.4.ports.1.protocol": "http" }, "authentication.service", /no port that speaks/],
    ["a long wait", { "authentication.timeoutMs": 60000 }, "authentication.timeoutMs", /five seconds/],
    [
      "a header of the sidecars",
      { "authentication.headers": ["authorization", "x-forwarded-client-cert"] },
      "authentication.headers[1]",
      /sidecars' own/,
    ],
    ["nobody answers", { ...asking, authentication: undefined }, "services.admin-ui.askAuthentication", /nobody/],
    [
      "nobody answers a port",
      { "services.0.ports.1.askAuthentication": true, authentication: undefined },
      "services.admin-ui.ports[1].askAuthentication",
      /nobody/,
    ],
    ["itself", { "services.4.askAuthentication": true }, "services.verdict.askAuthentication", /by itself/],
    [
      "the same edge declared",
      { ...asking, "services.0.calls.1": { service: "verdict", ports: ["grpc"], reason: "Why not" } },
      "services.admin-ui.calls[1].service",
      /computed/,
    ],
    [
      "questions about spans",
      { "services.3.askAuthentication": true },
      "services.jaeger.ports[1].askAuthentication",
      /spans itself/,
    ],
    [
      "a loop",
      { "services.5.askAuthentication": true, "services.4.calls.0": { service: "ledger" } },
      "services.verdict.calls[0].service",
      /verdict → ledger → verdict/,
    ],
    [
      "a loop by way of another",
      {
        "services.1.askAuthentication": true,
        "services.4.calls.0": { service: "ledger" },
        "services.5.calls.0": { service: "lucid-blocks", reason: "Books are anchored" },
      },
      "services.ledger.calls[0].service",
      /verdict → ledger → lucid-blocks → verdict/,
    ],
  ]);

  it("makes no loop where the called port doesn't ask", () => {
    const document = withUsers();
    put(document, "services.5.ports.1", { name: "own", port: 8081, dialPort: 82, askAuthentication: true });
    put(document, "services.4.calls.0", { service: "ledger" });
    assert.deepEqual(problemsOf(JSON.stringify(document)), []);
    put(document, "services.4.calls.0.ports", ["own"]);
    assert.match(problemsOf(JSON.stringify(document))[0]?.message ?? "", /wait for itself/);
  });

  it("is one computed edge for each service that asks, with its one request and a reason", () => {
    const mesh = authenticatedMesh();
    const questions = mesh.edges.filter((edge) => edge.kind === "authentication");
    assert.deepEqual(questions, [
      {
        from: "portal",
        to: "verdict",
        port: "grpc",
        kind: "authentication",
        rules: [{ methods: ["POST"], paths: ["/envoy.service.auth.v3.Authorization/Check"] }],
        reason: "Its sidecar asks whether a caller and its certificate are good",
        crossesZones: true,
        traffic: edgeTraffic("grpc"),
        source: "authentication",
      },
    ]);
    assert.deepEqual(mesh.authenticator, { service: "verdict", port: "grpc", timeoutMs: 300, headers: ["x-shown"] });
    assert.ok(edgesFrom(mesh, "portal").includes(questions[0] ?? assert.fail()));
    assert.deepEqual(peerZones(mesh, "portal"), ["ops", "mesh"]);
    assert.deepEqual(peerZones(mesh, "verdict"), ["ops", "mesh"]);
  });

  it("makes no edge where nobody asks", () => {
    const mesh = resolveMesh(validateDocument(withUsers()));
    assert.ok(mesh.edges.every((edge) => edge.kind === "call"));
  });
});
