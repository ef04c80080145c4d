import assert from "node:assert/strict";
import fc from "fast-check";
import {
  edgeTraffic,
  milliseconds,
  resolveMesh,
  SAFE_CONDITIONS,
  trafficNotices,
  validateDocument,
  type DeclaredTraffic,
  type Edge,
} from "../../../../mesh";
import { happy, problemsOf, put, refuses } from "../fixture";
import { DECLARED } from "../../envoy/traffic-fixture";

describe("durations", () => {
  it("are read in every unit", () => {
    const read = ["250ms", "1.5s", "2m", "0s", "0.25s"].map(milliseconds);
    assert.deepEqual(read, [250, 1500, 120_000, 0, 250]);
    assert.throws(() => milliseconds("15"), RangeError);
  });
});

describe("the traffic of an edge", () => {
  it("has defaults for every protocol: only what never reached the application is repeated", () => {
    const timeouts = (["http", "http2", "grpc", "websocket", "tcp"] as const).map((protocol) => {
      const { timeoutMs, retries, rateLimit } = edgeTraffic(protocol);
      assert.deepEqual(retries.conditions, SAFE_CONDITIONS);
      assert.deepEqual(retries.idempotentConditions, SAFE_CONDITIONS);
      assert.equal(rateLimit, undefined);
      return timeoutMs;
    });
    assert.deepEqual(timeouts, [15_000, 0, 0, 0, 0]);
  });

  it("takes each value from the call, or else from the callee, or else from the defaults", () => {
    const callee: DeclaredTraffic = {
      timeout: "3s",
      retries: { attempts: 1, budget: { percent: 50 } },
      rateLimit: { requestsPerSecond: 10, burst: 20 },
    };
    const call: DeclaredTraffic = {
      retries: { budget: { minConcurrency: 9 } },
      circuitBreaker: { maxRequests: 7 },
      rateLimit: { requestsPerSecond: 5 },
    };
    const traffic = edgeTraffic("http", callee, call);
    assert.equal(traffic.timeoutMs, 3000);
    assert.equal(traffic.retries.attempts, 1);
    assert.deepEqual(traffic.retries.budget, { percent: 50, minConcurrency: 9 });
    assert.deepEqual(traffic.circuitBreaker, { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 7 });
    assert.deepEqual(traffic.rateLimit, { requestsPerSecond: 5, burst: 5 }, "a limit is one value, burst included");
  });

  it("keeps values to the ports on which they mean something", () => {
    const tcp = edgeTraffic("tcp", DECLARED);
    assert.deepEqual([tcp.timeoutMs, tcp.rateLimit, tcp.retries.perTryTimeoutMs], [0, undefined, 0]);
    assert.deepEqual(edgeTraffic("grpc", DECLARED).retries.idempotentConditions, SAFE_CONDITIONS);
    assert.deepEqual(edgeTraffic("websocket", DECLARED).retries.idempotentConditions, SAFE_CONDITIONS);
    assert.equal(edgeTraffic("websocket", DECLARED).rateLimit?.burst, 80);
  });

  it("repeats an answer for no method but an idempotent one, unless the document says so", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("http", "http2", "grpc", "websocket", "tcp"),
        fc.subarray(["5xx", "gateway-error", "reset", "unavailable", "internal"] as const),
        fc.boolean(),
        (protocol, on, idempotent) => {
          const { retries } = edgeTraffic(protocol as "http", { retries: { on, idempotent } });
          if (!idempotent) assert.deepEqual(retries.conditions, SAFE_CONDITIONS);
          for (const safe of SAFE_CONDITIONS) assert.ok(retries.idempotentConditions.includes(safe));
          for (const each of retries.conditions) assert.ok(retries.idempotentConditions.includes(each));
        },
      ),
    );
  });
});

const CALL = "services.0.calls.0.traffic";
const at = (key: string) => `services.admin-ui.calls[0].traffic.${key}`;

describe("traffic in a document", () => {
  it("stands on the edges, a service's for everybody and a call's for itself", () => {
    const document = happy();
    put(document, "services.1.traffic", { timeout: "4s", connectionLimit: 9 });
    put(document, CALL, { retries: { attempts: 0 } });
    const mesh = resolveMesh(validateDocument(document));
    const [edge] = mesh.edges;
    assert.equal(edge?.traffic.timeoutMs, 4000);
    assert.equal(edge.traffic.retries.attempts, 0);
    assert.equal(mesh.services.find(({ name }) => name === "lucid-blocks")?.traffic.connectionLimit, 9);
  });

  refuses([
    ["no unit", CALL, { timeout: "15" }, at("timeout"), /no duration \('15'\)/, /write it as/],
    ["no time", CALL, { retries: { perTryTimeout: "0s" } }, at("retries.perTryTimeout"), /no time/, /longer/],
    ["an unknown key", CALL, { timout: "1s" }, at("timout"), /unknown/, /did you mean 'timeout'/],
    ["a service's key in a call", CALL, { connectionLimit: 5 }, at("connectionLimit"), /unknown/, /known keys/],
    [
      "an unknown condition",
      CALL,
      { retries: { on: ["5x"] } },
      at("retries.on[0]"),
      /'5x' is not/,
      /did you mean '5xx'/,
    ],
    ["too many tries", CALL, { retries: { attempts: 11 } }, at("retries.attempts"), /too many tries/, /0 to 10/],
    ["no rate", CALL, { rateLimit: { burst: 5 } }, at("rateLimit.requestsPerSecond"), /missing/, /write/],
    ["a bound of nothing", "traffic", { maxAmplification: 0 }, "traffic.maxAmplification", /too few/, /1 to 1000/],
    [
      "a try that is longer than the call",
      CALL,
      { timeout: "1s", retries: { perTryTimeout: "2s", on: ["5xx"] } },
      at("retries.perTryTimeout"),
      /one try may take 2 s, and the whole call 1 s/,
      /shorten the try/,
    ],
    [
      "a try that nothing follows",
      CALL,
      { retries: { perTryTimeout: "2s" } },
      at("retries.perTryTimeout"),
      /only shortens the call/,
      /retries\.on/,
    ],
    [
      "a first pause beyond the longest",
      CALL,
      { retries: { backoff: { base: "1s" } } },
      at("retries.backoff"),
      /first pause \(1 s\) is longer/,
      /raise max/,
    ],
    [
      "a first ejection beyond the longest",
      CALL,
      { outlierDetection: { baseEjectionTime: "2m" } },
      at("outlierDetection"),
      /first ejection \(120 s\)/,
      /raise maxEjectionTime/,
    ],
    [
      "a rate limit of TCP",
      "services.0.calls.0",
      { service: "lucid-blocks", ports: ["peers"], reason: "a test", traffic: { rateLimit: { requestsPerSecond: 1 } } },
      at("rateLimit"),
      /speak tcp, where this means nothing/,
      /connectionLimit/,
    ],
    [
      "a timeout of a WebSocket",
      "services.0.calls.0",
      { service: "lucid-blocks", ports: ["events"], reason: "a test", traffic: { timeout: "1s" } },
      at("timeout"),
      /speak websocket/,
      /take it out/,
    ],
    [
      "gRPC that nobody calls idempotent",
      "services.0.calls.0",
      { service: "lucid-blocks", ports: ["grpc"], reason: "a test", traffic: { retries: { on: ["unavailable"] } } },
      at("retries.on[0]"),
      /every gRPC request is a POST/,
      /idempotent: true/,
    ],
    [
      "a status of gRPC on HTTP",
      CALL,
      { retries: { on: ["unavailable"] } },
      at("retries.on[0]"),
      /repeats nothing on a port that speaks http/,
      /take it out/,
    ],
  ]);
});

/** Four services, each calling the next on HTTP. */
function chained(traffic: DeclaredTraffic): ReturnType<typeof happy> {
  const names = ["a", "b", "c", "d"];
  const call = (name: string | undefined) => (name === undefined ? [] : [{ service: name, traffic }]);
  const services = names.map((name, index) => ({
    name,
    plane: "ops",
    image: "a:1",
    ports: [{ name: "http", port: 8080 }],
    calls: call(names[index + 1]),
  }));
  return { apiVersion: "mesh.lucid.internal/v1", zones: { ops: { members: names } }, services };
}

describe("retries along a path of calls", () => {
  it("of the defaults multiply nothing, however long it is", () => {
    assert.deepEqual(problemsOf(JSON.stringify(chained({}))), []);
    assert.deepEqual(problemsOf(JSON.stringify(chained({ retries: { attempts: 10 } }))), []);
  });

  it("beyond the bound are a problem that names the path and its factors, once", () => {
    const problems = problemsOf(JSON.stringify(chained({ retries: { on: ["5xx"] } })));
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.equal(problems[0]?.path, "services.b.calls[0].traffic.retries");
    assert.match(problems[0].message, /up to 9 requests at 'c' of one, more than 4: a → b ×3 → c ×3$/);
    assert.match(problems[0].mend, /one layer .* or raise traffic\.maxAmplification/);
  });

  it("pass below a bound that is declared, and on one layer alone", () => {
    const document = chained({ retries: { on: ["5xx"] } });
    assert.deepEqual(problemsOf(JSON.stringify({ ...document, traffic: { maxAmplification: 27 } })), []);
    assert.equal(problemsOf(JSON.stringify({ ...document, traffic: { maxAmplification: 26 } })).length, 1);
    put(document, "services.0.calls.0.traffic", undefined);
    put(document, "services.1.calls.0.traffic", undefined);
    assert.deepEqual(problemsOf(JSON.stringify(document)), []);
  });

  it("in a circle are a problem that names it", () => {
    const document = chained({});
    put(document, "services.3.calls", [{ service: "b", traffic: { retries: { on: ["reset"] } } }]);
    const problems = problemsOf(JSON.stringify(document));
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0]?.message ?? "", /without a bound: d → b ×3 → c ×1 → d ×1/);
    put(document, "services.3.calls.0.traffic", undefined);
    assert.deepEqual(problemsOf(JSON.stringify(document)), []);
  });

  it("are counted for what a callee declares for everybody, too", () => {
    const document = chained({});
    put(document, "services.1.traffic", { retries: { on: ["5xx"], attempts: 4 } });
    assert.match(problemsOf(JSON.stringify(document))[0]?.message ?? "", /a → b ×5/);
    put(document, "services.0.calls.0.traffic", { retries: { attempts: 3 } });
    assert.deepEqual(problemsOf(JSON.stringify(document)), []);
  });
});

describe("notices of times", () => {
  const notices = (change: (document: ReturnType<typeof happy>) => void) => {
    const document = chained({});
    change(document);
    return trafficNotices(resolveMesh(validateDocument(document)));
  };

  it("are none for the defaults", () => {
    assert.deepEqual(
      notices(() => undefined),
      [],
    );
  });

  it("name a caller that waits shorter than its callee may", () => {
    const found = notices((document) => {
      put(document, "services.0.calls.0.traffic", { timeout: "2s" });
    });
    assert.equal(found.length, 1);
    assert.match(
      found[0] ?? "",
      /^services\.a\.calls\[0\]: 'a' waits 2 s for 'b', whose own call of 'c' .* may take 15 s/,
    );
  });

  it("count the tries where nothing else bounds a call", () => {
    const traffic = {
      timeout: "0s",
      retries: { on: ["5xx" as const], perTryTimeout: "6s", backoff: { max: "500ms" } },
    };
    const found = notices((document) => {
      put(document, "services.1.calls.0.traffic", traffic);
    });
    assert.match(found[0] ?? "", /may take 19 s with its tries/);
  });

  it("leave calls without a limit alone", () => {
    const unbounded = (edge: Edge) => edge.traffic.timeoutMs === 0;
    const document = chained({ timeout: "0s" });
    const mesh = resolveMesh(validateDocument(document));
    assert.ok(mesh.edges.every(unbounded));
    assert.deepEqual(trafficNotices(mesh), []);
  });
});
