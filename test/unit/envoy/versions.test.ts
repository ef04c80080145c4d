import * as assert from "node:assert/strict";
import type { Mesh } from "../../../mesh/model";
import { serviceNamed } from "../../../mesh";
import type { Message } from "../../../envoy/message";
import { everyProtocol, services } from "./fixture";
import { versionsMesh, type VersionsDocument } from "./versions-fixture";
import { clustersOf, fieldsNamed, listenersOf } from "./walk";

/** The cluster of every request, and the order in which versions are tried for it. */
const CLUSTER = "outbound|shop|http";
const prefer = (...order: string[]) => ({
  metadata_match: {
    filter_metadata: { "envoy.lb": { fallback_list: [...order.map((version) => ({ version })), {}] } },
  },
});
const STABLE = prefer("stable", "canary");
const CANARY = prefer("canary", "stable");

function routesOf(changes: VersionsDocument): Message[] {
  const mesh = versionsMesh(changes);
  const listener = listenersOf(mesh, serviceNamed(mesh, "console")).find(({ name }) => name === "outbound|shop|http");
  return fieldsNamed(listener, "routes").flat() as Message[];
}

/** Where what no route takes goes. */
function shareOf(changes: VersionsDocument): unknown {
  const route = routesOf(changes).at(-1)?.route as Message;
  return route.weighted_clusters ?? { cluster: route.cluster, metadata_match: route.metadata_match };
}

describe("versions", () => {
  const weights: [title: string, changes: VersionsDocument, expected: unknown][] = [
    [
      "by the callee's weights",
      { versions: { stable: 90, canary: 10 } },
      {
        clusters: [
          { name: CLUSTER, weight: 90, ...STABLE },
          { name: CLUSTER, weight: 10, ...CANARY },
        ],
      },
    ],
    [
      "by the call's weights instead",
      { versions: { stable: 90, canary: 10 }, call: { weights: { canary: 60, stable: 40 } } },
      {
        clusters: [
          { name: CLUSTER, weight: 40, ...STABLE },
          { name: CLUSTER, weight: 60, ...CANARY },
        ],
      },
    ],
    ["to the only one with a weight", { versions: { stable: 100, canary: 0 } }, { cluster: CLUSTER, ...STABLE }],
    ["to a version that the call names alone", { call: { weights: { canary: 100 } } }, { cluster: CLUSTER, ...CANARY }],
    [
      "to all instances alike without weights",
      { versions: { stable: undefined }, routes: [] },
      { cluster: CLUSTER, metadata_match: undefined },
    ],
  ];
  for (const [title, changes, expected] of weights) {
    it(`share calls ${title}`, () => {
      assert.deepEqual(shareOf(changes), expected);
    });
  }

  it("take requests by header, method and path, each path a route of its own, before the weights", () => {
    const matches = routesOf({}).map(({ match, route }) => ({ match, to: (route as Message).metadata_match }));
    const method = { name: ":method", string_match: { safe_regex: { regex: "POST|PUT" } } };
    assert.deepEqual(matches, [
      {
        match: { prefix: "/", headers: [{ name: "x-canary", string_match: { exact: "yes" } }] },
        to: CANARY.metadata_match,
      },
      { match: { path: "/next", headers: [method] }, to: CANARY.metadata_match },
      { match: { prefix: "/v2/", headers: [method] }, to: CANARY.metadata_match },
      { match: { prefix: "/" }, to: undefined },
    ]);
  });

  it("are routed as the call says, where it says", () => {
    const routes = routesOf({ call: { routes: [{ version: "stable", paths: ["/old"] }] } });
    assert.deepEqual(
      routes.map(({ match }) => match),
      [{ path: "/old" }, { prefix: "/" }],
    );
  });

  it("share the connections of a TCP port by weight, and know no routes there", () => {
    const mesh = versionsMesh();
    const listener = listenersOf(mesh, serviceNamed(mesh, "console")).find(({ name }) => name === "outbound|shop|feed");
    assert.deepEqual(fieldsNamed(listener, "weighted_clusters"), [
      {
        clusters: [
          { name: "outbound|shop|feed", weight: 90, ...STABLE },
          { name: "outbound|shop|feed", weight: 10, ...CANARY },
        ],
      },
    ]);
    assert.deepEqual(fieldsNamed(listener, "cluster"), []);
  });

  const clusterOf = (mesh: Mesh) =>
    clustersOf(mesh, serviceNamed(mesh, "console")).find(({ name }) => name === CLUSTER) ?? assert.fail();

  it("are one cluster, whatever the weights, so that a changed weight changes none", () => {
    const expected = clusterOf(versionsMesh());
    for (const changes of [
      { versions: { stable: 100, canary: 0 }, routes: [] },
      { versions: { stable: undefined, canary: undefined }, routes: [] },
    ]) {
      assert.deepEqual(clusterOf(versionsMesh(changes)), expected);
    }
  });

  it("are looked up each by its own name, before the service's whole one, whose instances have no version", () => {
    const endpoints = fieldsNamed(clusterOf(versionsMesh()), "lb_endpoints").flat() as Message[];
    assert.deepEqual(
      endpoints.map((endpoint) => [fieldsNamed(endpoint.endpoint, "address").at(-1), fieldsNamed(endpoint, "version")]),
      [
        ["v-stable.shop.service.discovery.lucid.internal", ["stable"]],
        ["v-canary.shop.service.discovery.lucid.internal", ["canary"]],
        ["shop.service.discovery.lucid.internal", []],
      ],
    );
  });

  it("may all be left out, each before its weight's share is lost, and whoever stands there by the whole name then may not", () => {
    const cluster = clusterOf(versionsMesh());
    const priorities = fieldsNamed(cluster, "endpoints").flat() as Message[];
    assert.deepEqual(
      priorities.map(({ priority, lb_endpoints: hosts }) => [priority ?? 0, (hosts as Message[]).length]),
      [
        [0, 2],
        [1, 1],
      ],
    );
    // By the whole name there are as many instances as by those of the versions together, or more.
    assert.deepEqual(fieldsNamed(cluster, "max_ejection_percent"), [50]);
    assert.deepEqual(fieldsNamed(cluster.common_lb_config, "healthy_panic_threshold"), [{ value: 0 }]);
    assert.deepEqual(fieldsNamed(cluster, "overprovisioning_factor"), [10_000]);
  });

  it("leave a service without versions as it is", () => {
    const { lb_subset_config: subsets, common_lb_config: panic } =
      clustersOf(everyProtocol, services.console).find(({ name }) => name === "outbound|blocks|http") ?? assert.fail();
    assert.deepEqual([subsets, panic], [undefined, undefined]);
  });
});
