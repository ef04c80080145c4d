import * as assert from "node:assert/strict";
import fc from "fast-check";
import { renderSidecar } from "../../../envoy";
import { ZONES, type Edge, type Service, type ZoneName } from "../../../mesh/model";
import type { Message } from "../../../envoy/message";
import { serverName } from "../../../mesh/wire";
import { everyProtocol, makeEdge, makeMesh, makeService, OPTIONS, services } from "./fixture";
import { admittedBy, clustersOf, fieldsNamed, identitiesIn, listenersOf, messagesOf, type Listener } from "./walk";

const TLS = "envoy.extensions.transport_sockets.tls.v3";
const HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const all = everyProtocol.services.map((service) => ({ service, listeners: listenersOf(everyProtocol, service) }));
const every = all.flatMap(({ listeners }) => listeners);

const addressOf = (listener: Listener): string => listener.address.socket_address.address;
const isLoopback = (listener: Listener): boolean => addressOf(listener).startsWith("127.");

describe("the security of rendered listeners", () => {
  it("nothing but inbound, inspection and kubelet's health port is reached from outside the pod", () => {
    const open = every
      .filter((listener) => !isLoopback(listener))
      .map((listener) => `${listener.name}:${port(listener)}`);
    assert.deepEqual([...new Set(open)].sort(), ["health:15021", "inbound:15001", "inspection:15090"]);
  });

  it("every listener that is reached from outside wants a client certificate, but for health", () => {
    for (const listener of every.filter((candidate) => !isLoopback(candidate) && candidate.name !== "health")) {
      assert.equal(listener.default_filter_chain, undefined);
      for (const chain of listener.filter_chains ?? assert.fail("no chains")) {
        const socket = chain.transport_socket?.typed_config ?? assert.fail("no TLS");
        assert.equal(socket["@type"], `type.googleapis.com/${TLS}.DownstreamTlsContext`);
        assert.equal(socket.require_client_certificate, true);
        assert.equal(socket.require_sni, true);
        assert.equal(socket.disable_stateless_session_resumption, true);
      }
    }
  });

  it("speaks TLS 1.3 alone, as server and as client", () => {
    const parameters = everyProtocol.services.flatMap((service) => [
      ...fieldsNamed(listenersOf(everyProtocol, service), "tls_params"),
      ...fieldsNamed(clustersOf(everyProtocol, service), "tls_params"),
    ]);
    assert.ok(parameters.length > 20);
    for (const item of parameters) {
      assert.deepEqual(item, { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" });
    }
  });

  it("has a chain for each declared server name and for no other", () => {
    const names = (
      listenersOf(everyProtocol, services.blocks).find(({ name }) => name === "inbound")?.filter_chains ?? []
    )
      .map((chain) => chain.filter_chain_match?.server_names?.join())
      .sort();
    assert.deepEqual(names, [
      "feed.blocks.ops",
      "grpc.blocks.wallet",
      "http.blocks.ops",
      "http.blocks.wallet",
      "peer.blocks.wallet",
      "stream.blocks.wallet",
    ]);
  });

  it("trusts in each chain the roots of the caller's zone alone, and exactly its callers", () => {
    for (const listener of every.filter(({ name }) => name === "inbound")) {
      for (const chain of listener.filter_chains ?? []) {
        const zone = chain.filter_chain_match?.server_names?.[0]?.split(".").at(-1) ?? "";
        const secrets = fieldsNamed(chain.transport_socket, "validation_context_sds_secret_config");
        assert.deepEqual(fieldsNamed(secrets, "name"), [`trust/${zone}`]);
        const sans = identitiesIn(chain.transport_socket);
        assert.ok(sans.length > 0 && sans.every((san) => san.startsWith(`spiffe://${zone}.lucid.internal/`)));
        assert.deepEqual(identitiesIn(fieldsNamed(chain.filters, "principal_name")), sans);
      }
    }
  });

  it("takes certificates with one URI SAN alone: every principal asks for that one, of all that the connection noted", () => {
    let principals = 0;
    for (const listener of every.filter(({ name }) => name === "inbound" || name === "inspection")) {
      for (const chain of listener.filter_chains ?? []) {
        const [noted, ...others] = messagesOf(
          chain.filters,
          "envoy.extensions.filters.network.set_filter_state.v3.Config",
        );
        assert.deepEqual(others, []);
        assert.deepEqual(fieldsNamed(noted, "inline_string"), ["%DOWNSTREAM_PEER_URI_SAN%"]);
        const [key] = fieldsNamed(noted, "object_key");
        for (const principal of fieldsNamed(chain.filters, "principals").flat() as Message[]) {
          const [state, ...more] = fieldsNamed(principal, "filter_state") as { key: string }[];
          assert.deepEqual(more, []);
          assert.equal(state?.key, key);
          assert.deepEqual(identitiesIn(state), identitiesIn(fieldsNamed(principal, "principal_name")));
          principals += 1;
        }
      }
    }
    assert.ok(principals > 20);
  });

  it("authorizes nobody by 'any'", () => {
    const rbac = messagesOf(every, "envoy.extensions.filters.http.rbac.v3.RBAC");
    assert.ok(rbac.length > 10);
    assert.deepEqual(fieldsNamed(rbac, "any"), []);
  });

  it("puts the check of the token first, and RBAC before the router, in every chain with mutual TLS", () => {
    for (const listener of every.filter(({ name }) => name === "inbound" || name === "inspection")) {
      for (const chain of listener.filter_chains ?? []) {
        const [filters] = fieldsNamed(chain.filters, "http_filters") as { name: string }[][];
        assert.deepEqual(
          filters?.slice(0, 2).map(({ name }) => name),
          ["identity-token", "envoy.filters.http.rbac"],
        );
        assert.equal(filters.at(-1)?.name, "envoy.filters.http.router");
      }
    }
  });

  it("normalizes paths, believes no x-envoy- header and checks no cluster on load, everywhere", () => {
    const managers = messagesOf(every, HCM);
    assert.ok(managers.length > 40);
    for (const manager of managers) {
      assert.equal(manager.normalize_path, true);
      assert.equal(manager.merge_slashes, true);
      assert.equal(manager.path_with_escaped_slashes_action, "REJECT_REQUEST");
      assert.deepEqual(fieldsNamed(manager.internal_address_config, "address_prefix"), ["255.255.255.255"]);
      assert.deepEqual(fieldsNamed(manager, "validate_clusters"), [false]);
    }
    for (const listener of every.filter(({ name }) => name === "inbound" || name === "inspection")) {
      for (const manager of messagesOf(listener, HCM)) {
        assert.deepEqual(fieldsNamed(manager, "max_connection_duration"), ["45s"]);
      }
    }
  });

  it("tells the application who calls, and lets nobody say it himself", () => {
    for (const { listeners } of all) {
      for (const manager of messagesOf(
        listeners.filter(({ name }) => name === "inbound"),
        HCM,
      )) {
        assert.equal(manager.forward_client_cert_details, "SANITIZE_SET");
        assert.deepEqual(manager.set_current_client_cert_details, { uri: true });
      }
      for (const manager of messagesOf(
        listeners.filter(({ name }) => name !== "inbound"),
        HCM,
      )) {
        assert.ok([undefined, "SANITIZE"].includes(manager.forward_client_cert_details as string | undefined));
      }
    }
  });

  it("shares no port", () => {
    assert.ok(every.every((listener) => !listener.enable_reuse_port));
    for (const { listeners } of all) {
      const sockets = listeners.map((listener) => `${addressOf(listener)}:${port(listener)}`);
      assert.equal(new Set(sockets).size, sockets.length);
    }
  });

  it("serves of the admin interface only what each listener may show, by GET", () => {
    const shown = (name: string): unknown[] =>
      fieldsNamed(
        listenersOf(everyProtocol, services.blocks).find((listener) => listener.name === name),
        "routes",
      )
        .flatMap((routes) => fieldsNamed(routes, "match"))
        .flatMap((match) => fieldsNamed(match, "path"));
    assert.deepEqual(shown("admin"), ["/ready", "/stats", "/stats/prometheus"]);
    assert.deepEqual(shown("health"), ["/ready", "/health"]);
    assert.deepEqual(shown("inspection"), ["/stats/prometheus", "/metrics", "/stats", "/certs"]);
  });

  it("answers the controller two questions, queries included, and none of its configuration", () => {
    const inspection = listenersOf(everyProtocol, services.blocks).find(({ name }) => name === "inspection");
    const chainNamed = (reader: string) =>
      inspection?.filter_chains?.find(({ name }) => name === `inspection|${reader}`);
    const chain = chainNamed("mesh-controller");
    const get = { name: ":method", string_match: { exact: "GET" } };
    const state = { name: ":path", string_match: { exact: "/stats?filter=_manager." } };
    assert.deepEqual(
      (fieldsNamed(chain, "routes")[0] as Message[]).map(({ match }) => match),
      [{ path: "/stats", headers: [get, state] }, { path: "/certs", headers: [get] }, { prefix: "/" }],
    );
    // What it is refused is recorded, and every question of Prometheus.
    const recorded = (reader: string) => fieldsNamed(chainNamed(reader), "access_log").flat() as Message[];
    assert.deepEqual(
      recorded("mesh-controller").map(({ filter }) => fieldsNamed(filter, "default_value")),
      [[400]],
    );
    assert.deepEqual(
      recorded("prometheus").map(({ filter }) => filter),
      [undefined],
    );
    assert.deepEqual(fieldsNamed(fieldsNamed(chain, "permissions")[0], "rules").at(-1), [
      { header: state },
      { url_path: { path: { exact: "/certs" } } },
    ]);
  });

  it("lets Prometheus alone ask for an application's metrics, by one path and by GET, where they are declared", () => {
    const inspection = (service: Service) =>
      listenersOf(everyProtocol, service).find(({ name }) => name === "inspection") ?? assert.fail();
    const chainOf = (service: Service, reader: string) =>
      inspection(service).filter_chains?.find(({ name }) => name === `inspection|${reader}`);
    const routes = (service: Service, reader: string) =>
      (fieldsNamed(chainOf(service, reader), "routes")[0] as Message[]).filter(({ route }) => route !== undefined);
    const allowed = (service: Service, reader: string) =>
      fieldsNamed(chainOf(service, reader), "url_path").flatMap((path) => fieldsNamed(path, "exact"));

    assert.deepEqual(routes(services.blocks, "prometheus").at(-1), {
      match: { path: "/metrics", headers: [{ name: ":method", string_match: { exact: "GET" } }] },
      route: { cluster: "application|http", timeout: "9s", prefix_rewrite: "/internal/metrics" },
    });
    assert.deepEqual(allowed(services.blocks, "prometheus"), ["/stats/prometheus", "/metrics"]);
    assert.deepEqual(allowed(services.blocks, "mesh-controller"), ["/certs"]);
    assert.ok(routes(services.blocks, "mesh-controller").every(({ route }) => (route as Message).cluster === "admin"));
    assert.equal(routes(services.router, "prometheus").length, 1);
    assert.deepEqual(allowed(services.router, "prometheus"), ["/stats/prometheus"]);
  });

  it("has Prometheus's sidecar fetch metrics of applications only from zones where some are declared", () => {
    const paths = (zone: ZoneName) =>
      fieldsNamed(
        listenersOf(everyProtocol, services.prometheus).find(({ name }) => name === `scrape|${zone}`),
        "match",
      ).flatMap((match) => fieldsNamed(match, "path"));
    assert.deepEqual(paths("chain"), ["/stats/prometheus", "/metrics"]);
    assert.deepEqual(paths("wallet"), ["/stats/prometheus"]);
  });

  it("holds no key and no certificate in a file", () => {
    for (const service of everyProtocol.services) {
      assert.ok(
        !/BEGIN|trusted_ca|inline_bytes/.test(Object.values(renderSidecar(everyProtocol, service, OPTIONS)).join()),
      );
    }
  });

  it("gives a service that nobody may call no inbound listener", () => {
    const names = listenersOf(everyProtocol, services.console).map(({ name }) => name);
    assert.ok(!names.includes("inbound"));
    assert.ok(names.includes("outbound|blocks|http"));
  });

  it("knows nothing of a service that is not its callee", () => {
    const text = Object.values(renderSidecar(everyProtocol, services.console, OPTIONS)).join("\n");
    assert.ok(!/sa\/(router|payment)|(router|payment)\.(lucid|service)/.test(text));
  });

  it("admits exactly the edges, whatever they are", () => {
    const zones = fc.constantFrom(...ZONES);
    const ports = [
      { name: "http", protocol: "http", port: 8080, dialPort: 80 },
      { name: "raw", protocol: "tcp", port: 8081, dialPort: 81 },
    ] as const;
    const meshes = fc.array(zones, { minLength: 2, maxLength: 6 }).chain((placed) => {
      const made = placed.map((zone, index) => makeService(`s${index}`, zone, index + 1, ports));
      const pairs = made.flatMap((from) =>
        made.flatMap((to) => (from === to ? [] : ports.map((p) => [from, to, p.name] as const))),
      );
      return fc.subarray(pairs).map((edges) =>
        makeMesh(
          made,
          edges.map(([from, to, name]) => makeEdge(from, to, name)),
        ),
      );
    });
    fc.assert(
      fc.property(meshes, (mesh) => {
        const byName = new Map(mesh.services.map((service) => [service.name, service]));
        const find = (name: string): Service => byName.get(name) ?? assert.fail(name);
        const declared = mesh.edges.map((edge: Edge) => {
          const caller = find(edge.from);
          return `${caller.identity} > ${serverName(edge.port, edge.to, caller.zone)}`;
        });
        const admitted = mesh.services.flatMap((service) =>
          listenersOf(mesh, service).flatMap((listener) =>
            listener.name === "inbound" ? (listener.filter_chains ?? []).flatMap(admittedBy) : [],
          ),
        );
        assert.deepEqual(admitted.sort(), declared.sort());
      }),
      { numRuns: 50 },
    );
  });
});

function port(listener: Listener): string {
  return String(listener.address.socket_address.port_value);
}
