import * as assert from "node:assert/strict";
import { renderSidecar } from "../../../envoy";
import type { Message } from "../../../envoy/message";
import { fromYaml } from "../../../envoy/yaml";
import { findService, resolveMesh, serviceNamed, trustedZones, validateDocument } from "../../../mesh";
import type { Mesh } from "../../../mesh/model";
import { datacenterMesh, datacentersDocument, ISSUER, KEY_SETS } from "./datacenters-fixture";
import { OPTIONS } from "./fixture";
import { admittedBy, clustersOf, fieldsNamed, identitiesIn, listenersOf, type Chain } from "./walk";

const DATACENTERS = ["north", "south", "east"] as const;
const GATEWAY = "datacenter-gateway";

const meshes = new Map(DATACENTERS.map((name) => [name as string, datacenterMesh(name)]));

function meshOf(datacenter: string): Mesh {
  return meshes.get(datacenter) ?? assert.fail(datacenter);
}

function clusters(mesh: Mesh, service: string): Message[] {
  return clustersOf(mesh, serviceNamed(mesh, service));
}

function cluster(mesh: Mesh, service: string, name: string): Message {
  return clusters(mesh, service).find((each) => each.name === name) ?? assert.fail(`no cluster ${name}`);
}

function chains(mesh: Mesh, service: string, listener = "inbound"): readonly Chain[] {
  return listenersOf(mesh, serviceNamed(mesh, service)).find(({ name }) => name === listener)?.filter_chains ?? [];
}

const endpointsOf = (each: Message) =>
  (fieldsNamed(each.load_assignment, "socket_address") as { address: string; port_value: number }[]).map(
    ({ address, port_value }) => `${address}:${String(port_value)}`,
  );
/** The one text of a field. */
const textOf = (each: Message, field: string) =>
  fieldsNamed(each, field)
    .filter((value) => typeof value === "string")
    .join();
const nameOf = ({ name }: Message) => (typeof name === "string" ? name : assert.fail());
const serverNames = (each: Chain) => each.filter_chain_match?.server_names ?? [];

describe("a call that several datacenters answer", () => {
  const north = meshOf("north");
  const above = cluster(north, "billing", "outbound|ledger|http");

  it("is one cluster above one for each, in the declared order", () => {
    assert.deepEqual(fieldsNamed(above.cluster_type, "clusters"), [
      ["outbound|ledger|http|north", "outbound|ledger|http|south", "outbound|ledger|http|east"],
    ]);
    assert.equal(above.lb_policy, "CLUSTER_PROVIDED");
    const below = clusters(north, "billing")
      .map(nameOf)
      .filter((name) => name.startsWith("outbound|ledger|http|"));
    assert.deepEqual(below, ["outbound|ledger|http|north", "outbound|ledger|http|south", "outbound|ledger|http|east"]);
  });

  it("bears the caller's token, which the clusters below would not add", () => {
    assert.equal(fieldsNamed(above, "header")[0], "x-lucid-identity-token");
  });

  it("goes to the instances of its own datacenter directly, and elsewhere by the gateway, each as exactly that callee", () => {
    const ways = ["north", "south", "east"].map((datacenter) => {
      const below = cluster(north, "billing", `outbound|ledger|http|${datacenter}`);
      const [trust] = fieldsNamed(fieldsNamed(below, "validation_context_sds_secret_config"), "name");
      return [
        endpointsOf(below),
        fieldsNamed(below.transport_socket, "sni"),
        identitiesIn(below.transport_socket),
        trust,
      ];
    });
    const gateway = "datacenter-gateway.service.north.discovery.lucid.internal:15443";
    const identity = (datacenter: string) => `spiffe://ops.${datacenter}.lucid.internal/ns/lucid-ops/sa/ledger`;
    assert.deepEqual(ways, [
      [["ledger.service.north.discovery.lucid.internal:15001"], ["http.ledger.ops"], [identity("north")], "trust/ops"],
      [[gateway], ["http.ledger.south.ops.north"], [identity("south")], "trust/ops.south"],
      [[gateway], ["http.ledger.east.ops.north"], [identity("east")], "trust/ops.east"],
    ]);
  });

  it("stays where it is as long as one instance can be reached, and leaves when none can", () => {
    for (const datacenter of ["north", "south", "east"]) {
      const below = cluster(north, "billing", `outbound|ledger|http|${datacenter}`);
      assert.deepEqual(fieldsNamed(below, "overprovisioning_factor"), [10_000]);
      assert.deepEqual(fieldsNamed(below, "max_ejection_percent"), [100]);
    }
  });

  it("is made all the same when nobody is left in any: then all are asked again", () => {
    const names = ["", "|north", "|south", "|east"].map((datacenter) => `outbound|ledger|http${datacenter}`);
    for (const each of names.map((name) => cluster(north, "billing", name))) {
      assert.deepEqual(fieldsNamed(each.common_lb_config, "healthy_panic_threshold"), [{ value: 1 }]);
    }
  });

  it("leaves out for what they answer all but the last, after whom there is nobody", () => {
    const kinds = ["consecutive_gateway_failure", "consecutive_local_origin_failure"];
    const enforced = ["ledger|http|north", "ledger|http|south", "ledger|http|east", "archive|http"].map((name) =>
      kinds.map(
        (kind) => fieldsNamed(cluster(north, "billing", `outbound|${name}`).outlier_detection, `enforcing_${kind}`)[0],
      ),
    );
    assert.deepEqual(enforced, [
      [100, 100],
      [100, 100],
      [0, 100],
      [100, 100],
    ]);
  });

  it("may be tried again as often at once as a share of what may be under way, which is counted by the clusters below", () => {
    assert.deepEqual(fieldsNamed(above.circuit_breakers, "max_requests"), [4096]);
    assert.deepEqual(fieldsNamed(above.circuit_breakers, "min_retry_concurrency"), [820]);
    const declared = datacentersDocument();
    const traffic = { retries: { budget: { percent: 1, minConcurrency: 60 } }, circuitBreaker: { maxRequests: 1000 } };
    Object.assign(declared.services[0]?.calls?.[0] ?? assert.fail(), { traffic });
    const mesh = resolveMesh(validateDocument(declared), { datacenter: "north", keySets: KEY_SETS });
    const least = fieldsNamed(cluster(mesh, "billing", "outbound|ledger|http"), "min_retry_concurrency");
    assert.deepEqual(least, [60]);
  });

  it("is tried again in the next datacenter after its own", () => {
    const listener = listenersOf(north, serviceNamed(north, "billing")).find(
      ({ name }) => name === "outbound|ledger|http",
    );
    assert.deepEqual(fieldsNamed(fieldsNamed(listener, "retry_priority"), "update_frequency"), [2, 2]);
    const once = datacentersDocument();
    Object.assign(once.services[0]?.calls?.[0] ?? assert.fail(), { traffic: { retries: { attempts: 1 } } });
    const mesh = resolveMesh(validateDocument(once), { datacenter: "north", keySets: KEY_SETS });
    const other = listenersOf(mesh, serviceNamed(mesh, "billing")).find(({ name }) => name === "outbound|ledger|http");
    assert.deepEqual(fieldsNamed(fieldsNamed(other, "retry_priority"), "update_frequency"), [1, 1]);
  });

  it("goes the same way as a plain connection", () => {
    const proxy = listenersOf(north, serviceNamed(north, "billing")).find(
      ({ name }) => name === "outbound|lucid-blocks|peers",
    );
    assert.equal(proxy?.address.socket_address.port_value, 9100);
    assert.deepEqual(fieldsNamed(proxy, "hostname"), ["lucid-blocks.lucid.internal:9100"]);
    const order = cluster(north, "billing", "outbound|lucid-blocks|peers");
    assert.deepEqual(fieldsNamed(order.cluster_type, "clusters"), [
      ["outbound|lucid-blocks|peers|north", "outbound|lucid-blocks|peers|east"],
    ]);
  });

  it("is tried as a plain connection until the next datacenter has its turn: whom it can't reach is left out at once", () => {
    const peers = (declared?: object) => {
      const document = datacentersDocument();
      Object.assign(document.services[0]?.calls?.[2] ?? assert.fail(), { traffic: declared });
      const mesh = resolveMesh(validateDocument(document), { datacenter: "north", keySets: KEY_SETS });
      const listeners = listenersOf(mesh, serviceNamed(mesh, "billing"));
      const proxy = listeners.find(({ name }) => name === "outbound|lucid-blocks|peers");
      const failures = ["north", "east"].map((datacenter) => {
        const { outlier_detection: detection } = cluster(mesh, "billing", `outbound|lucid-blocks|peers|${datacenter}`);
        return fieldsNamed(detection, "consecutive_local_origin_failure").concat(
          fieldsNamed(detection, "enforcing_consecutive_local_origin_failure"),
        );
      });
      return [fieldsNamed(proxy, "max_connect_attempts"), fieldsNamed(proxy, "backoff_options"), failures];
    };
    const pauses = { base_interval: "0.025s", max_interval: "0.25s" };
    assert.deepEqual(peers(), [
      [13],
      [pauses],
      [
        [1, 100],
        [3, 100],
      ],
    ]);
    assert.deepEqual(peers({ retries: { attempts: 10 } })[0], [21]);
    assert.deepEqual(peers({ retries: { attempts: 0 } }).slice(0, 2), [[1], []]);
    // Whoever is never to be left out isn't.
    assert.deepEqual(peers({ outlierDetection: { consecutiveLocalErrors: 0 } })[2], [[1, 0], [0]]);
    const requests = cluster(north, "billing", "outbound|ledger|http|north").outlier_detection;
    assert.deepEqual(fieldsNamed(requests, "consecutive_local_origin_failure"), [3]);
  });
});

describe("a call that another datacenter alone answers", () => {
  const north = meshOf("north");

  it("is a cluster by the gateway, at the same name and address as everywhere", () => {
    const only = cluster(north, "billing", "outbound|archive|http");
    assert.deepEqual(endpointsOf(only), ["datacenter-gateway.service.north.discovery.lucid.internal:15443"]);
    assert.deepEqual(identitiesIn(only), ["spiffe://ops.south.lucid.internal/ns/lucid-ops/sa/archive"]);
    assert.deepEqual(fieldsNamed(only, "max_ejection_percent"), [50]);
    const listeners = listenersOf(north, serviceNamed(north, "billing"));
    const dialled = listeners.find(({ name }) => name === "outbound|archive|http");
    const { address } = serviceNamed(meshOf("south"), "archive");
    assert.equal(dialled?.address.socket_address.address, address);
    assert.equal(findService(north, "archive"), undefined);
    const names = fieldsNamed(
      listeners.find(({ name }) => name === "dns"),
      "virtual_domains",
    ).flat() as Message[];
    assert.ok(names.some(({ name }) => name === "archive.lucid.internal"));
  });
});

describe("calls from another datacenter", () => {
  it("have a chain for each of its zones, which trusts that zone there alone", () => {
    const south = chains(meshOf("south"), "ledger");
    assert.deepEqual(south.flatMap(serverNames), ["http.ledger.wallet", "http.ledger.south.ops.north"]);
    const [, arriving] = south;
    const secrets = fieldsNamed(arriving?.transport_socket, "validation_context_sds_secret_config");
    assert.deepEqual(fieldsNamed(secrets, "name"), ["trust/ops.north"]);
    assert.deepEqual(fieldsNamed(secrets, "path").slice(0, 1), ["/etc/envoy/config/..data/ops.north.yaml"]);
    assert.deepEqual(arriving === undefined ? [] : admittedBy(arriving), [
      "spiffe://ops.north.lucid.internal/ns/lucid-ops/sa/billing > http.ledger.south.ops.north",
    ]);
  });

  it("may ask what the call declares, and until when", () => {
    const [, arriving] = chains(meshOf("south"), "ledger");
    assert.deepEqual(fieldsNamed(arriving, "url_path"), [{ path: { prefix: "/entries/" } }]);
    const [peers] = chains(meshOf("east"), "lucid-blocks");
    assert.deepEqual(fieldsNamed(fieldsNamed(peers, "condition"), "string_value"), ["2098-07-01T00:00:00Z"]);
  });

  it("prove themselves by tokens of their own cluster and of no other, whoever a token says issued it", () => {
    const south = meshOf("south");
    const [own, arriving] = chains(south, "ledger");
    const files = (chain: Chain | undefined) =>
      fieldsNamed(fieldsNamed(chain?.filters, "config_discovery"), "path").filter(
        (each) => typeof each === "string" && each.endsWith(".yaml"),
      );
    assert.deepEqual(files(own), ["/etc/envoy/config/..data/tokens.yaml"]);
    assert.deepEqual(files(arriving), ["/etc/envoy/config/..data/tokens.north.yaml"]);
    const rendered = renderSidecar(south, serviceNamed(south, "ledger"), OPTIONS);
    const text = rendered["tokens.north.yaml"] ?? assert.fail();
    const keys = fieldsNamed(fromYaml(text), "local_jwks") as { inline_string: string }[];
    assert.deepEqual(
      keys.map(({ inline_string }) => JSON.parse(inline_string) as unknown),
      [JSON.parse(KEY_SETS["keys/north.json"])],
    );
    assert.deepEqual(fieldsNamed(fromYaml(text), "issuer"), [ISSUER]);
    // Keys of those whose calls don't arrive are nowhere.
    assert.deepEqual(
      Object.keys(rendered).filter((file) => file.startsWith("tokens.")),
      ["tokens.yaml", "tokens.north.yaml"],
    );
  });

  it("are what leaves elsewhere: each way of a caller has its chain at a callee, and each chain a caller", () => {
    const leaving = DATACENTERS.flatMap((from) =>
      meshOf(from).services.flatMap((caller) =>
        clusters(meshOf(from), caller.name)
          .filter((each) => endpointsOf(each).some((address) => address.endsWith(":15443")))
          .map((each) => `${caller.identity} > ${textOf(each, "sni")}`),
      ),
    );
    const arriving = DATACENTERS.flatMap((to) =>
      meshOf(to)
        .services.filter(({ name }) => name !== GATEWAY)
        .flatMap(({ name }) => chains(meshOf(to), name).flatMap(admittedBy))
        .filter((each) => each.split(" > ")[1]?.split(".").length === 5),
    );
    assert.equal(leaving.length, 5);
    assert.deepEqual(leaving.sort(), arriving.sort());
  });
});

describe("the gateway", () => {
  const north = meshOf("north");

  it("passes on TLS for the declared server names alone, to the datacenter that each names", () => {
    const passed = chains(north, GATEWAY, "departure");
    assert.deepEqual(
      passed.map((chain) => [chain.name, chain.filter_chain_match?.transport_protocol, serverNames(chain)]),
      [
        ["link|east", "tls", ["http.ledger.east.ops.north", "peers.lucid-blocks.east.ops.north"]],
        ["link|south", "tls", ["http.archive.south.ops.north", "http.ledger.south.ops.north"]],
      ],
    );
    for (const chain of passed) {
      assert.equal(chain.transport_socket, undefined);
      assert.deepEqual(fieldsNamed(chain.filters, "cluster"), [chain.name]);
      assert.deepEqual(fieldsNamed(chain.filters, "hostname"), ["%REQUESTED_SERVER_NAME%:15001"]);
    }
    const listener = listenersOf(north, serviceNamed(north, GATEWAY)).find(({ name }) => name === "departure");
    assert.equal(listener?.default_filter_chain, undefined);
    assert.equal(listener?.address.socket_address.port_value, 15443);
  });

  it("goes to the gateways that it is linked to, at their addresses, as itself", () => {
    const link = cluster(north, GATEWAY, "link|south");
    assert.deepEqual(endpointsOf(link), ["198.51.100.7:30443"]);
    assert.deepEqual(identitiesIn(link), [`spiffe://edge.south.lucid.internal/ns/lucid-edge/sa/${GATEWAY}`]);
    assert.deepEqual(fieldsNamed(link.transport_socket, "sni"), [`link.${GATEWAY}.south.edge.north`]);
    assert.deepEqual(
      clusters(meshOf("east"), GATEWAY).map(({ name }) => name),
      ["arrival|ledger", "arrival|lucid-blocks"],
    );
    assert.deepEqual(chains(meshOf("east"), GATEWAY, "departure"), []);
  });

  it("lets the gateways in that call, and passes on what is declared to whom it is for", () => {
    const [chain, ...others] = chains(meshOf("south"), GATEWAY);
    assert.ok(chain !== undefined && others.length === 0);
    assert.deepEqual(admittedBy(chain), [
      `spiffe://edge.north.lucid.internal/ns/lucid-edge/sa/${GATEWAY} > link.${GATEWAY}.south.edge.north`,
    ]);
    const routes = (fieldsNamed(chain.filters, "routes").flat() as Message[]).map(({ match, route }) => [
      Object.keys(match as Message),
      fieldsNamed(match, "exact"),
      (route as Message).cluster,
    ]);
    assert.deepEqual(routes, [
      [["connect_matcher", "headers"], ["http.archive.south.ops.north:15001"], "arrival|archive"],
      [["connect_matcher", "headers"], ["http.ledger.south.ops.north:15001"], "arrival|ledger"],
    ]);
    const arrival = cluster(meshOf("south"), GATEWAY, "arrival|ledger");
    assert.deepEqual(endpointsOf(arrival), ["ledger.service.south.discovery.lucid.internal:15001"]);
    assert.equal(arrival.transport_socket, undefined);
  });

  it("takes exactly what the other one sends", () => {
    for (const from of DATACENTERS) {
      const sent = chains(meshOf(from), GATEWAY, "departure").flatMap((chain) =>
        serverNames(chain).map((name) => `${String(chain.name).slice("link|".length)}: ${name}:15001`),
      );
      const taken = DATACENTERS.flatMap((to) =>
        chains(meshOf(to), GATEWAY)
          .filter((chain) => serverNames(chain).join().endsWith(`.edge.${from}`))
          .flatMap((chain) =>
            fieldsNamed(fieldsNamed(chain.filters, "routes"), "exact").map(
              (name) => `${to}: ${typeof name === "string" ? name : ""}`,
            ),
          ),
      );
      assert.deepEqual(sent.sort(), taken.sort());
    }
  });

  it("trusts the gateways' zone of its peers, and nobody else elsewhere", () => {
    assert.deepEqual(trustedZones(north, serviceNamed(north, GATEWAY)), ["ops", "mesh", "edge.east", "edge.south"]);
  });

  it("takes and passes nothing once it is revoked", () => {
    const document = datacentersDocument();
    Object.assign(document.services[6] ?? assert.fail(), { revoked: "Its key was copied" });
    const mesh = resolveMesh(validateDocument(document), { datacenter: "north", keySets: KEY_SETS });
    const gateway = serviceNamed(mesh, GATEWAY);
    assert.deepEqual(clustersOf(mesh, gateway), []);
    assert.ok(!listenersOf(mesh, gateway).some(({ name }) => name === "departure" || name === "inbound"));
    assert.deepEqual(trustedZones(mesh, serviceNamed(mesh, "billing")), ["ops", "chain", "mesh"]);
  });
});

describe("services that have nothing to do with another datacenter", () => {
  it("know of none: neither Wallet's nor those that nobody calls across", () => {
    const north = meshOf("north");
    for (const name of ["payout-router", "prometheus", "mesh-controller"]) {
      const service = serviceNamed(north, name);
      assert.ok(
        trustedZones(north, service).every((zone) => !zone.includes(".")),
        name,
      );
      const files = renderSidecar(north, service, OPTIONS);
      const text = `${files["listeners.yaml"]}${files["clusters.yaml"]}`;
      assert.doesNotMatch(text, /\.(south|east)\b|15443|datacenter-gateway/, name);
    }
  });
});
