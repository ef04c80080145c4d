import assert from "node:assert/strict";
import { differences, labelDifferences } from "../../src/drift/compare.js";
import { patchTo } from "../../src/drift/repair.js";

type Fields = Readonly<Record<string, unknown>>;

const found = (declared: Fields, live: Fields): string[] =>
  differences(declared, live, { trust: (zone) => (zone === "ops" ? "digest-of-ops" : undefined) }).map(
    ({ path, kind }) => `${kind} ${path}`,
  );

const POLICY = {
  spec: {
    podSelector: { matchLabels: { app: "a" } },
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: "b" } } }], ports: [{ port: 15001, protocol: "TCP" }] }],
  },
};
const edited = (edit: (spec: Record<string, unknown>) => void): Fields => {
  const copy = structuredClone(POLICY);
  edit(copy.spec);
  return copy;
};

describe("controller: what differs from what was declared", () => {
  it("is nothing where nothing does", () => {
    assert.deepEqual(found(POLICY, structuredClone(POLICY)), []);
  });

  for (const [title, live, expected] of [
    ["a changed value", edited((spec) => (spec.policyTypes = ["Ingress", "Ingress"])), ["changed spec.policyTypes[1]"]],
    ["a list that is shorter", edited((spec) => (spec.policyTypes = ["Ingress"])), ["changed spec.policyTypes"]],
    ["an added direction", edited((spec) => (spec.egress = [{}])), ["added spec.egress"]],
    [
      "peers that are everybody",
      edited((spec) => (spec.ingress = [{ ports: [{ port: 15001, protocol: "TCP" }] }])),
      ["removed spec.ingress[0].from"],
    ],
    [
      "ports that are all",
      edited((spec) => (spec.ingress = [{ from: POLICY.spec.ingress[0]?.from }])),
      ["removed spec.ingress[0].ports"],
    ],
    ["a selector of everything", edited((spec) => (spec.podSelector = {})), ["removed spec.podSelector"]],
    [
      "a selector with more labels",
      edited((spec) => (spec.podSelector = { matchLabels: { app: "a", protocol: "TCP" } })),
      ["added spec.podSelector.matchLabels.protocol"],
    ],
    [
      "a peer of every namespace instead of its own",
      edited(
        (spec) =>
          (spec.ingress = [
            {
              ...POLICY.spec.ingress[0],
              from: [{ podSelector: { matchLabels: { app: "b" } }, namespaceSelector: {} }],
            },
          ]),
      ),
      ["added spec.ingress[0].from[0].namespaceSelector"],
    ],
    ["a second rule", edited((spec) => (spec.ingress = [...POLICY.spec.ingress, {}])), ["changed spec.ingress"]],
  ] as const) {
    it(`is ${title}`, () => {
      assert.deepEqual(found(POLICY, live), expected);
    });
  }

  it("is an empty selector of a peer that is gone, and none that stays", () => {
    const from = (peer: Fields): Fields => ({ spec: { egress: [{ to: [peer] }] } });
    const declared = from({ namespaceSelector: {}, podSelector: { matchLabels: { app: "b" } } });
    assert.deepEqual(found(declared, structuredClone(declared)), []);
    assert.deepEqual(found(declared, from({ podSelector: { matchLabels: { app: "b" } } })), [
      "removed spec.egress[0].to[0].namespaceSelector",
    ]);
  });

  it("is an init container that nothing waits for any more", () => {
    const declared = { spec: { containers: [{ name: "a" }], initContainers: [{ name: "gate" }] } };
    const live = { spec: { ...declared.spec, restartPolicy: "Always" } };
    assert.deepEqual(found(declared, live), []);
    const awaited = { spec: { ...live.spec, initContainers: [{ name: "gate", restartPolicy: "Always" }] } };
    assert.deepEqual(found(declared, awaited), ["added spec.initContainers[0].restartPolicy"]);
  });

  it("is not what the API server fills in, and is any other value of that", () => {
    const container = { name: "a", image: "x:1", env: [{ name: "E", value: "" }] };
    const filled = {
      ...container,
      env: [{ name: "E" }],
      imagePullPolicy: "IfNotPresent",
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      resources: {},
    };
    assert.deepEqual(found({ containers: [container] }, { containers: [filled] }), []);
    for (const more of [
      { command: ["sh"] },
      { terminationMessagePath: "/x" },
      { envFrom: [{ secretRef: { name: "s" } }] },
    ])
      assert.equal(found({ containers: [container] }, { containers: [{ ...filled, ...more }] }).length, 1);
  });

  it("is not an amount in another form", () => {
    assert.deepEqual(
      found({ limits: { cpu: "0.5", memory: "1Gi" } }, { limits: { cpu: "500m", memory: "1024Mi" } }),
      [],
    );
    assert.deepEqual(found({ limits: { cpu: "0.5" } }, { limits: { cpu: "5" } }), ["changed limits.cpu"]);
  });

  it("is a false that is gone, where its absence means true", () => {
    assert.deepEqual(found({ allowPrivilegeEscalation: false }, {}), ["removed allowPrivilegeEscalation"]);
    assert.deepEqual(found({ automountServiceAccountToken: false }, {}), ["removed automountServiceAccountToken"]);
    assert.deepEqual(found({ hostNetwork: false }, {}), []);
    assert.deepEqual(found({ hostNetwork: false }, { hostNetwork: true }), ["changed hostNetwork"]);
  });

  it("is a file of another digest, one too few and one too many", () => {
    const declared = { data: { a: { $digest: "1" }, b: { $any: true }, "ops.yaml": { $trust: "ops" } } };
    const live = { a: "1", b: "whatever", "ops.yaml": "digest-of-ops" };
    assert.deepEqual(found(declared, { data: live }), []);
    assert.deepEqual(found(declared, { data: { ...live, a: "2" } }), ["changed data.a"]);
    assert.deepEqual(found(declared, { data: { ...live, c: "3" } }), ["added data.c"]);
    assert.deepEqual(found(declared, { data: { ...live, "ops.yaml": "other" } }), ['changed data["ops.yaml"]']);
    assert.deepEqual(found(declared, { data: { a: "1", "ops.yaml": "digest-of-ops" } }), ["removed data.b"]);
  });

  it("is a declared label that is gone or another, and none that others added", () => {
    assert.deepEqual(
      labelDifferences({ a: "1", b: "2" }, { b: "3", c: "4" }).map(({ kind }) => kind),
      ["removed", "changed"],
    );
    assert.deepEqual(labelDifferences({ a: "1" }, { a: "1", b: "2" }), []);
  });
});

describe("controller: the patch that puts an object right", () => {
  it("sets what is declared, takes out what is not, and lets be what the API server fills in", () => {
    const live = {
      spec: { failurePolicy: "Ignore", matchPolicy: "Equivalent", paramKind: { kind: "X" }, list: [1, 2] },
    };
    assert.deepEqual(patchTo({ spec: { failurePolicy: "Fail", list: [1] } }, live), {
      spec: { failurePolicy: "Fail", list: [1], paramKind: null },
    });
  });
});
