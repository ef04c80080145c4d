import assert from "node:assert/strict";
import type { JsonObject } from "../../support/edit";
import { app, container, deployment, namespace, networkPolicy, ports, reachabilityOf, workload } from "./objects";

import { CLOSED, RED_CLIENT, letIn, world } from "./teams";

describe("network reachability: ports", () => {
  const opened = (...list: JsonObject[]) =>
    ports(world(letIn({ from: [RED_CLIENT], ports: list })), "red/client", "red/server");
  const cases: readonly (readonly [string, JsonObject[], string])[] = [
    ["a number: TCP", [{ port: 80 }], "80/TCP"],
    ["UDP", [{ port: 53, protocol: "UDP" }], "53/UDP"],
    ["SCTP", [{ port: 38412, protocol: "SCTP" }], "38412/SCTP"],
    ["a protocol alone: every port of it", [{ protocol: "UDP" }], "every UDP port"],
    ["an empty port: every port of TCP", [{}], "every TCP port"],
    ["a null port: every port of the protocol", [{ protocol: "SCTP", port: null }], "every SCTP port"],
    ["a range", [{ port: 8000, endPort: 8010 }], "8000-8010/TCP"],
    ["a range of one", [{ port: 8000, endPort: 8000 }], "8000/TCP"],
    ["ranges that touch", [{ port: 1, endPort: 9 }, { port: 10 }, { port: 5 }], "1-10/TCP"],
    ["one number for two protocols", [{ port: 53 }, { port: 53, protocol: "UDP" }], "53/TCP, 53/UDP"],
  ];
  for (const [title, list, expected] of cases) it(title, () => assert.equal(opened(...list), expected));
});

describe("network reachability: named ports", () => {
  const web = (containerPort: number) => ({ name: "web", containerPort });
  const named = letIn({ from: [RED_CLIENT], ports: [{ port: "web" }] });
  const withServer = (spec: JsonObject, ...policies: JsonObject[]) => [
    namespace("red"),
    deployment("red", "client"),
    deployment("red", "server", { spec }),
    ...policies,
  ];
  const reached = (spec: JsonObject) => ports(withServer(spec, named), "red/client", "red/server");

  it("are the destination's: the same name is another number on another pod", () => {
    const egress = networkPolicy("red", "client", {
      podSelector: app("client"),
      policyTypes: ["Egress"],
      egress: [{ to: [{ podSelector: {} }], ports: [{ port: "web" }] }],
    });
    const objects = [
      ...withServer({ containers: [container(web(8080))] }, egress),
      deployment("red", "other", { spec: { containers: [container(web(9090))] } }),
      deployment("red", "nameless", { spec: { containers: [container({ containerPort: 8080 })] } }),
    ];
    assert.equal(ports(objects, "red/client", "red/server"), "8080/TCP");
    assert.equal(ports(objects, "red/client", "red/other"), "9090/TCP");
    assert.equal(ports(objects, "red/client", "red/nameless"), CLOSED);
  });
  it("are looked up in every container", () => {
    assert.equal(reached({ containers: [container(), container(web(8080))] }), "8080/TCP");
  });
  it("are looked up in native sidecars", () => {
    assert.equal(reached({ initContainers: [{ ...container(web(15001)), restartPolicy: "Always" }] }), "15001/TCP");
  });
  it("are not looked up in init containers that are gone when the pod is ready", () => {
    assert.equal(reached({ initContainers: [container(web(15001))] }), CLOSED);
  });
  it("are those of the rule's protocol", () => {
    assert.equal(reached({ containers: [container({ ...web(53), protocol: "UDP" })] }), CLOSED);
    const both = container({ ...web(53), protocol: "UDP" }, web(8080));
    assert.equal(reached({ containers: [both] }), "8080/TCP");
  });
  it("stand for no port of an address", () => {
    const egress = networkPolicy("red", "client", {
      podSelector: app("client"),
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ port: "web" }] }],
    });
    const reachability = reachabilityOf(withServer({ containers: [container(web(80))] }, egress));
    assert.deepEqual(reachability.addresses(workload(reachability, "red/client"), "egress"), []);
  });
});
