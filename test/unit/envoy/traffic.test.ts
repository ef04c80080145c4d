import * as assert from "node:assert/strict";
import type { Message } from "../../../envoy/message";
import { serviceNamed } from "../../../mesh";
import { everyProtocol, services } from "./fixture";
import { declaredTraffic, DECLARED, withTraffic } from "./traffic-fixture";
import { clustersOf, fieldsNamed, listenersOf } from "./walk";

/** Routes of the console's listener for one edge, as `method match, retry_on`. */
function routes(mesh = declaredTraffic, caller: "console" | "router" = "console", port = "http"): Message[] {
  const listener = listenersOf(mesh, services[caller]).find(({ name }) => name === `outbound|blocks|${port}`);
  return (fieldsNamed(listener, "routes")[0] ?? assert.fail("no routes")) as Message[];
}

describe("rendered retries", () => {
  const SAFE = "connect-failure,refused-stream,reset-before-request";

  it("by default repeat what never reached the application, whatever the method", () => {
    const [only, ...further] = routes(everyProtocol);
    assert.equal(further.length, 0);
    assert.deepEqual(only?.match, { prefix: "/" });
    assert.deepEqual(fieldsNamed(only, "retry_on"), [SAFE]);
    assert.deepEqual(fieldsNamed(only, "timeout"), ["15s"]);
    assert.deepEqual(fieldsNamed(only, "per_try_timeout"), []);
  });

  it("repeat answers of idempotent methods alone, and only these have a time for each try", () => {
    const [idempotent, other] = routes();
    assert.deepEqual(fieldsNamed(idempotent?.match, "regex"), ["GET|HEAD|OPTIONS|PUT|DELETE"]);
    assert.deepEqual(fieldsNamed(idempotent, "retry_on"), [`${SAFE},5xx`]);
    assert.deepEqual(fieldsNamed(idempotent, "per_try_timeout"), ["2s"]);
    assert.deepEqual(other?.match, { prefix: "/" });
    assert.deepEqual(fieldsNamed(other, "retry_on"), [SAFE]);
    assert.deepEqual(fieldsNamed(other, "per_try_timeout"), []);
    assert.deepEqual(fieldsNamed([idempotent, other], "num_retries"), [1, 1]);
  });

  it("repeat a gRPC call on its status where it is said to be idempotent, within its deadline", () => {
    const [only, ...further] = routes(declaredTraffic, "router", "grpc");
    assert.equal(further.length, 0);
    assert.deepEqual(fieldsNamed(only, "retry_on"), [`${SAFE},reset,unavailable`]);
    assert.deepEqual((only?.route as Message).max_stream_duration, {
      max_stream_duration: "5s",
      grpc_timeout_header_max: "5s",
    });
  });

  it("are none where none are declared", () => {
    const mesh = withTraffic(everyProtocol, () => true, { retries: { attempts: 0 } });
    assert.deepEqual(fieldsNamed(routes(mesh), "retry_policy"), []);
    const peer = listenersOf(mesh, services.router).find(({ name }) => name === "outbound|blocks|peer");
    assert.deepEqual(fieldsNamed(peer, "max_connect_attempts"), [1]);
  });
});

/** The callee as the mesh with declared traffic has it. */
const blocks = serviceNamed(declaredTraffic, "blocks");

describe("rendered limits", () => {
  it("stand in the caller's cluster as declared", () => {
    const cluster = clustersOf(declaredTraffic, services.console).find(({ name }) => name === "outbound|blocks|http");
    assert.deepEqual(cluster?.circuit_breakers, {
      thresholds: [
        {
          max_connections: 10,
          max_pending_requests: 20,
          max_requests: 30,
          retry_budget: { budget_percent: { value: 10 }, min_retry_concurrency: 1 },
        },
      ],
    });
    assert.deepEqual(cluster.outlier_detection, {
      interval: "1s",
      base_ejection_time: "3s",
      max_ejection_time: "30s",
      max_ejection_percent: 100,
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 2,
      enforcing_consecutive_local_origin_failure: 100,
      enforcing_consecutive_gateway_failure: 0,
      consecutive_5xx: 7,
      enforcing_consecutive_5xx: 100,
      enforcing_success_rate: 0,
      enforcing_local_origin_success_rate: 0,
    });
  });

  it("bound the connections of each chain, and those of a TCP port to the application", () => {
    const inbound = listenersOf(declaredTraffic, blocks).find(({ name }) => name === "inbound");
    for (const chain of inbound?.filter_chains ?? assert.fail("no chains")) {
      assert.equal(chain.filters[0]?.name, "envoy.filters.network.connection_limit");
      assert.equal(chain.filters[0].typed_config.max_connections, 100);
    }
    const clusters = clustersOf(declaredTraffic, blocks);
    const connections = (name: string) =>
      fieldsNamed(
        clusters.find((cluster) => cluster.name === `application|${name}`)?.circuit_breakers,
        "max_connections",
      );
    assert.deepEqual(connections("peer"), [100]);
    assert.deepEqual(connections("http"), [1024]);
  });
});

describe("rendered rate limits", () => {
  const chains = (mesh = declaredTraffic) =>
    listenersOf(mesh, services.blocks).find(({ name }) => name === "inbound")?.filter_chains ?? [];
  const limits = (chain: unknown) =>
    fieldsNamed(chain, "http_filters").flatMap((filters) =>
      (filters as { name: string; typed_config: Message }[]).map(({ name, typed_config: config }) => ({
        name,
        config,
      })),
    );

  it("are a bucket for each caller, by the identity that its certificate proves, behind authorization", () => {
    const chain = chains().find(({ name }) => name === "inbound|http|ops");
    const names = limits(chain).map(({ name }) => name.replace("envoy.filters.http.", ""));
    assert.deepEqual(names, ["identity-token", "rbac", "local_ratelimit", "router"]);
    const bucket = { max_tokens: 80, tokens_per_fill: 50, fill_interval: "1s" };
    assert.deepEqual(fieldsNamed(limits(chain)[2]?.config, "descriptors"), [
      [services.console, services.prometheus].map(({ identity }) => ({
        entries: [{ key: "caller", value: identity }],
        token_bucket: bucket,
      })),
    ]);
    assert.deepEqual(fieldsNamed(chain, "text"), ["connection.uri_san_peer_certificate"]);
  });

  it("are answered as gRPC answers them on a gRPC port, and stand on no TCP port", () => {
    const resource = (name: string) =>
      fieldsNamed(
        chains().find((chain) => chain.name === name),
        "rate_limited_as_resource_exhausted",
      );
    assert.deepEqual(resource("inbound|grpc|wallet"), [true]);
    assert.deepEqual(resource("inbound|http|ops"), []);
    const tcp = chains().find(({ name }) => name === "inbound|peer|wallet");
    assert.deepEqual(fieldsNamed(tcp, "descriptors"), []);
    assert.deepEqual(fieldsNamed(tcp, "rate_limits"), []);
  });

  it("hold for the callers that have one alone", () => {
    const one = withTraffic(everyProtocol, ({ from, port }) => from === "console" && port === "http", DECLARED);
    assert.equal(fieldsNamed(chains(one), "descriptors").length, 1);
    assert.deepEqual(fieldsNamed(chains(everyProtocol), "descriptors"), []);
  });
});
