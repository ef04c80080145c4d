import assert from "node:assert/strict";
import type { JsonObject } from "../../support/edit";
import { app, networkPolicy, ports } from "./objects";

import { CLOSED, OPEN, RED_CLIENT, WEB, letIn, onServer, titled, world } from "./teams";

describe("network reachability: which pods a policy restricts", () => {
  it("none, without a policy: everything is open", () => {
    assert.equal(ports(world(), "blue/client", "red/server"), OPEN);
  });

  it("those that its selector selects, in its own namespace", () => {
    const objects = world(onServer({ policyTypes: ["Ingress"] }));
    assert.equal(ports(objects, "red/client", "red/server"), CLOSED);
    assert.equal(ports(objects, "red/server", "red/client"), OPEN, "another pod");
    assert.equal(ports(objects, "red/client", "blue/server"), OPEN, "a pod of that name elsewhere");
  });

  for (const [title, spec] of titled(
    ["an empty selector", { podSelector: {} }],
    ["no selector", {}],
    ["a selector of nothing", { podSelector: { matchLabels: {}, matchExpressions: [] } }],
  )) {
    it(`all of its namespace, with ${title}`, () => {
      const objects = world(networkPolicy("red", "all", { ...spec, policyTypes: ["Ingress"] }));
      assert.equal(ports(objects, "blue/client", "red/server"), CLOSED);
      assert.equal(ports(objects, "blue/client", "red/client"), CLOSED);
      assert.equal(ports(objects, "red/client", "blue/server"), OPEN);
    });
  }
});

describe("network reachability: directions", () => {
  const cases: readonly (readonly [string, JsonObject, egress: boolean, ingress: boolean])[] = [
    ["no policyTypes: ingress alone", {}, false, true],
    ["no policyTypes, no egress rules: ingress alone", { egress: [] }, false, true],
    ["no policyTypes, an egress rule: both", { egress: [{ to: [RED_CLIENT] }] }, true, true],
    ["empty policyTypes: as if they were missing", { policyTypes: [], egress: [{ to: [RED_CLIENT] }] }, true, true],
    [
      "Ingress: ingress, whatever egress says",
      { policyTypes: ["Ingress"], egress: [{ to: [RED_CLIENT] }] },
      false,
      true,
    ],
    [
      "Egress: egress, whatever ingress says",
      { policyTypes: ["Egress"], ingress: [{ from: [RED_CLIENT] }] },
      true,
      false,
    ],
    ["both", { policyTypes: ["Egress", "Ingress"] }, true, true],
  ];
  for (const [title, spec, egress, ingress] of cases) {
    it(title, () => {
      const objects = world(onServer(spec));
      assert.equal(ports(objects, "red/server", "blue/server") === CLOSED, egress, "out");
      assert.equal(ports(objects, "blue/server", "red/server") === CLOSED, ingress, "in");
    });
  }

  it("a connection needs both: egress of its source and ingress of its destination", () => {
    const out = networkPolicy("red", "out", {
      podSelector: app("client"),
      policyTypes: ["Egress"],
      egress: [{ to: [{ podSelector: app("server") }], ports: [WEB, { port: 81 }] }],
    });
    const into = letIn({ from: [RED_CLIENT], ports: [WEB, { port: 82 }] });
    assert.equal(ports(world(out), "red/client", "red/server"), "80-81/TCP");
    assert.equal(ports(world(into), "red/client", "red/server"), "80/TCP, 82/TCP");
    assert.equal(ports(world(out, into), "red/client", "red/server"), "80/TCP");
  });

  it("an answer needs no rule of its own, and a connection the other way does", () => {
    const objects = world(
      letIn({ from: [RED_CLIENT], ports: [WEB] }),
      networkPolicy("red", "client", { podSelector: app("client"), policyTypes: ["Ingress"] }),
    );
    assert.equal(ports(objects, "red/client", "red/server"), "80/TCP");
    assert.equal(ports(objects, "red/server", "red/client"), CLOSED);
  });
});

describe("network reachability: policies, rules and peers add up", () => {
  it("policies", () => {
    const closed = networkPolicy("red", "default-deny", { policyTypes: ["Ingress", "Egress"] });
    assert.equal(ports(world(closed), "blue/client", "red/server"), CLOSED);
    const first = letIn({ from: [{ namespaceSelector: {} }], ports: [WEB] });
    const second = networkPolicy("red", "second", {
      podSelector: app("server"),
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 53, protocol: "UDP" }] }],
    });
    assert.equal(ports(world(closed, first, second), "blue/client", "red/server"), "80/TCP, 53/UDP");
  });

  it("rules", () => {
    const policy = onServer({
      ingress: [
        { from: [RED_CLIENT], ports: [WEB] },
        { from: [RED_CLIENT], ports: [{ port: 90, endPort: 95 }] },
      ],
    });
    assert.equal(ports(world(policy), "red/client", "red/server"), "80/TCP, 90-95/TCP");
    assert.equal(ports(world(policy), "blue/client", "red/server"), CLOSED);
  });

  for (const [title, rule] of titled(["no list of rules", {}], ["an empty list of rules", { ingress: [] }])) {
    it(`${title} closes`, () => {
      assert.equal(ports(world(onServer(rule)), "red/client", "red/server"), CLOSED);
    });
  }

  it("an empty rule opens everything", () => {
    assert.equal(ports(world(letIn({})), "blue/client", "red/server"), OPEN);
  });

  for (const [title, rule] of titled(
    ["no from", { ports: [WEB] }],
    ["an empty from", { from: [], ports: [WEB] }],
    ["a null from", { from: null, ports: [WEB] }],
  )) {
    it(`${title} is everyone, on the rule's ports`, () => {
      assert.equal(ports(world(letIn(rule)), "blue/client", "red/server"), "80/TCP");
    });
  }

  for (const [title, rule] of titled(
    ["no ports", { from: [RED_CLIENT] }],
    ["empty ports", { from: [RED_CLIENT], ports: [] }],
  )) {
    it(`${title} is every port, to the rule's peers`, () => {
      assert.equal(ports(world(letIn(rule)), "red/client", "red/server"), OPEN);
      assert.equal(ports(world(letIn(rule)), "blue/client", "red/server"), CLOSED);
    });
  }
});
