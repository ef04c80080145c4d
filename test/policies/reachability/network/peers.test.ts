import assert from "node:assert/strict";
import type { JsonObject } from "../../support/edit";
import { app } from "./objects";

import { CLOSED, callersOf } from "./teams";

describe("network reachability: peers", () => {
  it("a pod selector alone: those pods of the policy's own namespace", () => {
    assert.deepEqual(callersOf({ podSelector: app("client") }), ["80/TCP", CLOSED]);
  });
  it("an empty pod selector alone: every pod of the policy's own namespace", () => {
    assert.deepEqual(callersOf({ podSelector: {} }), ["80/TCP", CLOSED]);
  });
  it("a namespace selector alone: every pod of those namespaces", () => {
    assert.deepEqual(callersOf({ namespaceSelector: { matchLabels: { team: "blue" } } }), [CLOSED, "80/TCP"]);
  });
  it("an empty namespace selector: every pod of every namespace", () => {
    assert.deepEqual(callersOf({ namespaceSelector: {} }), ["80/TCP", "80/TCP"]);
  });
  it("both in one element: those pods of those namespaces", () => {
    const blue = { matchLabels: { team: "blue" } };
    assert.deepEqual(callersOf({ namespaceSelector: blue, podSelector: app("client") }), [CLOSED, "80/TCP"]);
    assert.deepEqual(callersOf({ namespaceSelector: blue, podSelector: app("server") }), [CLOSED, CLOSED]);
  });
  it("in two elements: either, which opens the whole of the policy's own namespace", () => {
    const split: JsonObject[] = [
      { namespaceSelector: { matchLabels: { team: "blue" } } },
      { podSelector: app("client") },
    ];
    assert.deepEqual(callersOf(...split), ["80/TCP", "80/TCP"]);
  });
  it("a namespace by its name, which is a label that no manifest has", () => {
    const named = (name: string) => ({ matchLabels: { "kubernetes.io/metadata.name": name } });
    assert.deepEqual(callersOf({ namespaceSelector: named("blue") }), [CLOSED, "80/TCP"]);
    assert.deepEqual(callersOf({ namespaceSelector: named("green") }), [CLOSED, CLOSED]);
  });
  it("addresses are no pods", () => {
    assert.deepEqual(callersOf({ ipBlock: { cidr: "0.0.0.0/0" } }), [CLOSED, CLOSED]);
  });
});

describe("network reachability: selectors", () => {
  const select = (...matchExpressions: JsonObject[]) => callersOf({ namespaceSelector: { matchExpressions } });
  const cases: readonly (readonly [string, JsonObject[], red: boolean, blue: boolean])[] = [
    ["In: one of the values", [{ key: "team", operator: "In", values: ["green", "red"] }], true, false],
    ["In: a missing label is none of them", [{ key: "stage", operator: "In", values: ["live", "test"] }], true, false],
    ["NotIn: none of the values", [{ key: "team", operator: "NotIn", values: ["red"] }], false, true],
    ["NotIn: a missing label is none of them", [{ key: "stage", operator: "NotIn", values: ["live"] }], false, true],
    ["Exists", [{ key: "stage", operator: "Exists" }], true, false],
    ["Exists with an empty list of values", [{ key: "stage", operator: "Exists", values: [] }], true, false],
    ["DoesNotExist", [{ key: "stage", operator: "DoesNotExist" }], false, true],
    [
      "all of them",
      [
        { key: "team", operator: "Exists" },
        { key: "stage", operator: "DoesNotExist" },
      ],
      false,
      true,
    ],
    [
      "all of them, though they contradict each other",
      [
        { key: "team", operator: "In", values: ["red"] },
        { key: "team", operator: "NotIn", values: ["red"] },
      ],
      false,
      false,
    ],
  ];
  for (const [title, expressions, red, blue] of cases) {
    it(title, () => {
      assert.deepEqual(select(...expressions), [red ? "80/TCP" : CLOSED, blue ? "80/TCP" : CLOSED]);
    });
  }

  it("labels and expressions hold together", () => {
    const namespaceSelector = {
      matchLabels: { team: "red" },
      matchExpressions: [{ key: "stage", operator: "DoesNotExist" }],
    };
    assert.deepEqual(callersOf({ namespaceSelector }), [CLOSED, CLOSED]);
  });

  it("a label's value is compared as a whole", () => {
    assert.deepEqual(callersOf({ podSelector: app("clien") }), [CLOSED, CLOSED]);
    assert.deepEqual(callersOf({ podSelector: app("") }), [CLOSED, CLOSED]);
  });

  it("labels named like a property of every object are labels", () => {
    assert.deepEqual(callersOf({ podSelector: { matchExpressions: [{ key: "constructor", operator: "Exists" }] } }), [
      CLOSED,
      CLOSED,
    ]);
  });
});
