import assert from "node:assert/strict";
import type { Direction } from "../../../../policies/reachability/network";
import type { JsonObject } from "../../support/edit";
import { app, container, deployment, namespace, networkPolicy, reachabilityOf, workload } from "./objects";

const WEB = { port: 80 };
const NAME = "kubernetes.io/metadata.name";

function reachability(...policies: JsonObject[]) {
  const server = deployment("red", "server", {
    spec: { containers: [container({ name: "web", containerPort: 8080 })] },
  });
  return reachabilityOf([namespace("red", { team: "red" }), server, ...policies]);
}

function policy(direction: Direction, ...rules: JsonObject[]): JsonObject {
  const type = direction === "egress" ? "Egress" : "Ingress";
  return networkPolicy("red", direction, { podSelector: app("server"), policyTypes: [type], [direction]: rules });
}

function addresses(direction: Direction, ...policies: JsonObject[]): string[] {
  const computed = reachability(...policies);
  return computed
    .addresses(workload(computed, "red/server"), direction)
    .map((reach) => `${reach.addresses.toString()}: ${reach.ports.toString()}`);
}

function strangers(direction: Direction, ...policies: JsonObject[]): string[] {
  const computed = reachability(...policies);
  return computed
    .strangers(workload(computed, "red/server"), direction)
    .map(
      ({ strangers: { namespaces, pods }, ports }) =>
        `[${namespaces.toString()}] [${pods.toString()}]: ${ports.toString()}`,
    );
}

describe("network reachability: addresses outside the cluster", () => {
  const to = (cidr: string, ...except: string[]) => [{ ipBlock: { cidr, except } }];

  it("are all open without a policy, and all closed by an empty one", () => {
    assert.deepEqual(addresses("egress"), ["every address: every port"]);
    assert.deepEqual(addresses("egress", policy("egress")), []);
    assert.deepEqual(addresses("ingress", policy("ingress")), []);
  });
  it("are those of a block, in the policy's direction", () => {
    const egress = policy("egress", { to: to("192.0.2.0/24"), ports: [WEB] });
    assert.deepEqual(addresses("egress", egress), ["192.0.2.0/24: 80/TCP"]);
    assert.deepEqual(addresses("ingress", egress), ["every address: every port"]);
    const ingress = policy("ingress", { from: to("192.0.2.0/24"), ports: [{ port: "web" }] });
    assert.deepEqual(addresses("ingress", ingress), ["192.0.2.0/24: 8080/TCP"]);
  });
  it("are those of a block without its exceptions", () => {
    const rule = { to: to("192.0.2.0/24", "192.0.2.64/26", "192.0.2.255/32"), ports: [WEB] };
    assert.deepEqual(addresses("egress", policy("egress", rule)), ["192.0.2.0/26, 192.0.2.128-192.0.2.254: 80/TCP"]);
  });
  it("may be open by another peer, though one excepts them", () => {
    const rule = { to: [...to("192.0.2.0/24", "192.0.2.64/26"), ...to("192.0.2.64/32")], ports: [WEB] };
    assert.deepEqual(
      addresses("egress", policy("egress", rule)).sort(),
      ["192.0.2.0/26, 192.0.2.128/25: 80/TCP", "192.0.2.64/32: 80/TCP"].sort(),
    );
  });
  it("have the ports of every block that holds them", () => {
    const rules = [
      { to: to("10.0.0.0/8"), ports: [WEB] },
      { to: to("10.1.0.0/16"), ports: [{ port: 53, protocol: "UDP" }] },
    ];
    assert.deepEqual(addresses("egress", policy("egress", ...rules)), [
      "10.1.0.0/16: 80/TCP, 53/UDP",
      "10.0.0.0/16, 10.2.0.0-10.255.255.255: 80/TCP",
    ]);
  });
  it("are all open by a rule without peers, and none by selectors", () => {
    assert.deepEqual(addresses("egress", policy("egress", { ports: [WEB] })), ["every address: 80/TCP"]);
    assert.deepEqual(addresses("egress", policy("egress", { to: [{ namespaceSelector: {} }], ports: [WEB] })), []);
  });
  it("are of IPv6 as well; one family says nothing about the other", () => {
    const v6 = policy("egress", { to: to("2001:db8::/32", "2001:db8:1::/48"), ports: [WEB] });
    assert.deepEqual(addresses("egress", v6), [
      "2001:db8::/48, 2001:db8:2::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff: 80/TCP",
    ]);
    assert.deepEqual(addresses("egress", policy("egress", { to: to("0.0.0.0/0"), ports: [WEB] })), [
      "0.0.0.0/0: 80/TCP",
    ]);
    assert.deepEqual(addresses("egress", policy("egress", { to: to("::/0"), ports: [WEB] })), ["::/0: 80/TCP"]);
  });
  it("ignore the bits below the prefix, as the API does", () => {
    assert.deepEqual(addresses("egress", policy("egress", { to: to("192.0.2.77/24"), ports: [WEB] })), [
      "192.0.2.0/24: 80/TCP",
    ]);
  });
});

describe("network reachability: pods of namespaces that aren't among the objects", () => {
  const from = (peer: JsonObject, list: JsonObject[] = [WEB]) => policy("ingress", { from: [peer], ports: list });

  it("reach what no policy restricts, and what a rule without peers opens", () => {
    assert.deepEqual(strangers("ingress"), ["[] []: every port"]);
    assert.deepEqual(strangers("ingress", policy("ingress", { ports: [WEB] })), ["[] []: 80/TCP"]);
    assert.deepEqual(strangers("ingress", policy("ingress")), []);
  });
  it("are none of the policy's own namespace, nor of one that is known by name", () => {
    assert.deepEqual(strangers("ingress", from({ podSelector: {} })), []);
    assert.deepEqual(strangers("ingress", from({ namespaceSelector: { matchLabels: { [NAME]: "red" } } })), []);
  });
  it("are those of another name", () => {
    const dns = { namespaceSelector: { matchLabels: { [NAME]: "kube-system" } }, podSelector: app("dns") };
    assert.deepEqual(strangers("ingress", from(dns)), [`[${NAME}=kube-system] [app=dns]: 80/TCP`]);
  });
  it("may bear any label that a known namespace bears too", () => {
    assert.deepEqual(strangers("ingress", from({ namespaceSelector: { matchLabels: { team: "red" } } })), [
      "[team=red] []: 80/TCP",
    ]);
  });
  it("are none where no labels can fit", () => {
    const expressions = (...matchExpressions: JsonObject[]) =>
      strangers("ingress", from({ namespaceSelector: { matchExpressions } }));
    assert.deepEqual(expressions({ key: NAME, operator: "DoesNotExist" }), []);
    assert.deepEqual(expressions({ key: NAME, operator: "In", values: ["red"] }), []);
    assert.deepEqual(
      expressions({ key: "a", operator: "In", values: ["b"] }, { key: "a", operator: "NotIn", values: ["b", "c"] }),
      [],
    );
    assert.deepEqual(expressions({ key: "a", operator: "Exists" }, { key: "a", operator: "DoesNotExist" }), []);
    assert.deepEqual(expressions({ key: NAME, operator: "In", values: ["red", "blue"] }), [
      `[${NAME} in (red, blue)] []: 80/TCP`,
    ]);
    assert.deepEqual(
      expressions({ key: "a", operator: "NotIn", values: ["b"] }, { key: "a", operator: "DoesNotExist" }),
      ["[a notin (b), !a] []: 80/TCP"],
    );
  });
  it("may give a name to any of their ports, while a known pod's names are known", () => {
    const outwards = policy("egress", { to: [{ namespaceSelector: {} }], ports: [{ port: "web" }] });
    assert.deepEqual(strangers("egress", outwards), ["[] []: every TCP port"]);
    assert.deepEqual(strangers("ingress", from({ namespaceSelector: {} }, [{ port: "web" }])), ["[] []: 8080/TCP"]);
    assert.deepEqual(strangers("ingress", from({ namespaceSelector: {} }, [{ port: "other" }])), []);
  });
});
