import assert from "node:assert/strict";
import {
  DECLARATION,
  declaredKey,
  kindNamed,
  writtenDown,
  type DeclaredObject,
} from "../../../../mesh/declarations/index.js";
import { accountsOf } from "../../src/drift/about.js";
import { liveAccess } from "../../src/drift/access.js";
import { describeFinding } from "../../src/drift/finding.js";
import { POD } from "../../src/drift/kinds.js";
import { lastWriter, parseLive } from "../../src/drift/live.js";
import { liveKey, PATIENCE, ZoneDrift } from "../../src/drift/zone-drift.js";
import { declarationMap, declaredMaps, doneMap } from "../support/declaration.js";

const BEGIN = Date.parse("2026-06-01T00:00:00Z");
const POLICY: DeclaredObject = {
  kind: "NetworkPolicy",
  namespace: "lucid-ops",
  name: "admin-ui",
  labels: { "app.kubernetes.io/name": "admin-ui" },
  fields: { spec: { podSelector: {}, policyTypes: ["Ingress"] } },
};
const KEY = declaredKey(POLICY);
const network = kindNamed("NetworkPolicy");
assert.ok(network);

const part = (what: string, name: string, data: Readonly<Record<string, string>>) =>
  declarationMap(what, name, data, BEGIN);
const object = (spec: object, manager = "kubectl-edit", name = "admin-ui") => ({
  metadata: {
    name,
    namespace: "lucid-ops",
    uid: "u",
    resourceVersion: "1",
    labels: POLICY.labels,
    managedFields: [{ manager, operation: "Update", time: "2026-06-01T00:10:00Z" }],
  },
  spec,
});

describe("controller: the drift of a zone", () => {
  let zone: ZoneDrift;

  const declare = (objects: readonly DeclaredObject[]): void => {
    for (const map of declaredMaps(objects, BEGIN)) zone.putPart(map.metadata.name, map);
    zone.declarationRead();
  };
  const end = (objects: readonly DeclaredObject[]): void => {
    zone.putPart(DECLARATION.done, doneMap(objects, BEGIN));
  };
  const live = (spec: object, manager?: string, name?: string): string => {
    const parsed = parseLive(network, object(spec, manager, name));
    zone.put(liveKey(parsed), parsed);
    return liveKey(parsed);
  };
  const judged = (key = KEY, now = BEGIN): string => {
    const judgement = zone.judge(key, now);
    return judgement.kind === "drifted" ? judgement.finding.what : judgement.kind;
  };

  beforeEach(() => {
    zone = new ZoneDrift(
      "ops",
      "lucid-ops",
      (name) => name === "joined",
      (name) => name === "admin-ui",
    );
    zone.kindListed(network);
  });

  it("is none before anything was declared", () => {
    live({ policyTypes: [] });
    assert.equal(judged(), "as-declared");
    assert.equal(zone.isDeclared, false);
  });

  it("is what was changed, removed and added", () => {
    declare([POLICY]);
    end([POLICY]);
    assert.equal(judged(), "removed");
    live({ policyTypes: ["Ingress"] });
    assert.equal(judged(), "as-declared");
    live({ policyTypes: ["Egress"] });
    assert.equal(judged(), "changed");
    assert.equal(judged(live({}, "kubectl-edit", "second")), "added");
  });

  it("is none of what was never listed", () => {
    zone = new ZoneDrift(
      "ops",
      "lucid-ops",
      () => false,
      () => true,
    );
    declare([POLICY]);
    end([POLICY]);
    assert.equal(judged(), "as-declared");
  });

  it("is not what an update is changing, for as long as it may take", () => {
    const before: DeclaredObject = { ...POLICY, fields: { spec: { policyTypes: ["Egress"] } } };
    declare([POLICY]);
    end([before]);
    live({ policyTypes: ["Egress"] });
    assert.equal(judged(), "changing");
    assert.equal(judged(KEY, BEGIN + PATIENCE), "changed", "it died over it");
    end([POLICY]);
    assert.equal(judged(), "changed");
  });

  it("is not what an update makes or is about to delete", () => {
    declare([POLICY]);
    end([]);
    assert.equal(judged(), "changing", "not made yet");
    const leaving = live({}, "pulumi-kubernetes-0a1b2c3d", "given-up");
    assert.equal(judged(leaving), "changing");
    assert.equal(judged(leaving, BEGIN + PATIENCE), "added");
    assert.equal(judged(live({}, "pulumi-kubernetes-like", "strange")), "added");
  });

  it("is nobody's to put right while the end of the declaration is missing", () => {
    declare([POLICY]);
    assert.equal(zone.declaration.isWhole, false);
    assert.equal(judged(KEY, BEGIN + PATIENCE), "removed", "it is told of nevertheless");
  });

  it("refuses a declaration under another's key", () => {
    zone.putPart(
      "lucid-declared-0",
      part("objects", "lucid-declared-0", { [KEY]: writtenDown({ ...POLICY, name: "x" }) }),
    );
    assert.throws(() => zone.judge(KEY, BEGIN), /declares NetworkPolicy\.lucid-ops\.x/);
  });

  it("takes no ConfigMap for a declaration that only bears its label", () => {
    assert.equal(zone.putPart("mine", part("objects", "mine", { [KEY]: writtenDown(POLICY) })), false);
    assert.equal(zone.putPart("lucid-declared-x", part("objects", "lucid-declared-x", {})), false);
    assert.equal(zone.isDeclared, false);
  });

  it("is a pod that no workload made, and one without a sidecar but infrastructure's", () => {
    const resolver: DeclaredObject = {
      kind: "DaemonSet",
      namespace: "lucid-ops",
      name: "resolver",
      labels: { "app.kubernetes.io/name": "resolver" },
      fields: { spec: { template: { spec: { containers: [{ name: "a" }] } } } },
    };
    declare([resolver]);
    end([resolver]);
    const pod = (name: string, service: string, init: readonly string[], owned: boolean): string => {
      const parsed = parseLive(POD, {
        metadata: {
          name,
          namespace: "lucid-ops",
          labels: { "app.kubernetes.io/name": service },
          ...(owned ? { ownerReferences: [{ controller: true }] } : {}),
        },
        spec: { initContainers: init.map((container) => ({ name: container })), containers: [] },
      });
      zone.put(liveKey(parsed), parsed);
      const judgement = zone.judge(liveKey(parsed), BEGIN);
      return judgement.kind === "drifted" ? judgement.finding.detail : judgement.kind;
    };
    assert.equal(pod("a", "admin-ui", ["sidecar", "start-gate"], true), "as-declared");
    assert.equal(pod("b", "admin-ui", ["sidecar", "start-gate"], false), "no workload made it");
    assert.equal(pod("c", "admin-ui", ["start-gate"], true), "it has no sidecar");
    assert.equal(pod("d", "resolver", [], true), "as-declared");
    assert.equal(pod("e", "resolver", [], false), "no workload made it");
  });
});

describe("controller: the drift of who may do what at the discovery backend", () => {
  const rules = 'service "admin-ui" {\n  policy = "write"\n}\n';
  const policy: DeclaredObject = { kind: "AclPolicy", name: "lucid-registrar-ops", labels: {}, fields: { rules } };
  const other: DeclaredObject = { ...policy, name: "lucid-others" };
  let zone: ZoneDrift;

  /** The zone that declares ACLs, with no service of its own. */
  const sharedZone = () =>
    new ZoneDrift(
      "mesh",
      "lucid-mesh",
      () => false,
      () => false,
    );
  const declare = (objects: readonly DeclaredObject[], time = BEGIN): void => {
    for (const map of declaredMaps(objects, time)) zone.putPart(map.metadata.name, map);
  };
  const end = (objects: readonly DeclaredObject[]): void => {
    zone.putPart(DECLARATION.done, doneMap(objects, BEGIN));
  };
  const live = (fields: object, name = policy.name): string => {
    const object = liveAccess({
      kind: "AclPolicy",
      name,
      version: "1/a",
      fields: { datacenters: [], ...fields },
      gives: "what its rules say",
    });
    zone.put(liveKey(object), object);
    return liveKey(object);
  };
  /** All was read since the declaration changed. */
  const look = (): void => {
    zone.access = { revision: zone.revision, refused: undefined, isOld: false };
  };
  const judged = (key: string, now = BEGIN): string => {
    const judgement = zone.judge(key, now);
    return judgement.kind === "drifted" ? describeFinding(judgement.finding) : judgement.kind;
  };
  const key = declaredKey(policy);
  const byWhom = "the discovery backend does not note by whom";

  beforeEach(() => {
    zone = sharedZone();
    declare([policy, other]);
    end([policy, other]);
    look();
  });

  it("is what was changed, removed and added, of the class that is an alert by itself", () => {
    assert.equal(judged(key), `AclPolicy lucid-registrar-ops was removed, ${byWhom}`);
    live({ rules });
    assert.equal(judged(key), "as-declared");
    live({ rules: 'acl = "write"' });
    assert.equal(judged(key), `AclPolicy lucid-registrar-ops was changed (rules), ${byWhom}`);
    live({ rules, datacenters: ["dc2"] });
    assert.equal(judged(key), `AclPolicy lucid-registrar-ops was changed (datacenters added), ${byWhom}`);
    const added = live({ rules }, "lucid-wide");
    assert.equal(
      judged(added),
      `AclPolicy lucid-wide was added (nobody declares it, and it gives what its rules say), ${byWhom}`,
    );
    const judgement = zone.judge(added, BEGIN);
    assert.equal(judgement.kind === "drifted" && judgement.finding.class, "enforcement");
  });

  it("is nothing before all was read", () => {
    const fresh = sharedZone();
    for (const map of declaredMaps([policy], BEGIN)) fresh.putPart(map.metadata.name, map);
    assert.equal(fresh.judge(key, BEGIN).kind, "unseen");
  });

  it("is nothing that was read before the declaration changed", () => {
    live({ rules });
    for (const change of [declare, end]) {
      change([policy]);
      assert.equal(judged(key), "unseen");
      look();
      assert.equal(judged(key), "as-declared");
      change([policy]);
      assert.equal(judged(key), "as-declared", "listed again, it is the same declaration");
    }
  });

  it("is not what an update changes, and not what it declares no more and is about to delete, for as long as it may take", () => {
    const leaving = live({ rules }, other.name);
    live({ rules });
    declare([{ ...policy, fields: { rules: 'acl = "read"' } }]);
    look();
    assert.equal(judged(key), "changing");
    assert.equal(judged(leaving), "changing", "it stands in what the last update ended with");
    end([policy]);
    look();
    assert.equal(judged(leaving), "changing", "it was declared a moment ago");
    assert.match(judged(leaving, BEGIN + PATIENCE), /lucid-others was added/);
    declare([policy, other]);
    end([policy, other]);
    look();
    assert.equal(judged(leaving), "as-declared");
  });

  it("is not what an update is about to delete that began before anybody looked", () => {
    zone = sharedZone();
    declare([policy]);
    end([policy, other]);
    const [leaving, wide] = [live({ rules }, other.name), live({ rules }, "lucid-wide")];
    look();
    assert.equal(judged(leaving), "changing");
    end([policy]);
    look();
    assert.equal(judged(leaving), "changing", "Pulumi deletes last of all");
    assert.match(judged(wide), /lucid-wide was added/);
    assert.match(judged(leaving, BEGIN + PATIENCE), /lucid-others was added/);
  });

  it("is what was added meanwhile, whatever an update does", () => {
    declare([policy]);
    look();
    assert.match(judged(live({ rules }, "lucid-wide")), /lucid-wide was added/);
  });
});

describe("controller: whom a binding concerns", () => {
  const accounts = (subjects: readonly object[], name = "b", role = "view"): readonly string[] =>
    accountsOf({ name, fields: JSON.stringify({ roleRef: { kind: "ClusterRole", name: role }, subjects }) });

  it("is an account of a zone in whatever way it is named, and everybody", () => {
    assert.deepEqual(accounts([{ kind: "ServiceAccount", namespace: "lucid-ops", name: "a" }]), ["lucid-ops/a"]);
    assert.deepEqual(accounts([{ kind: "User", name: "system:serviceaccount:lucid-ops:a" }]), ["lucid-ops/a"]);
    assert.deepEqual(accounts([{ kind: "Group", name: "system:serviceaccounts:lucid-chain" }]), ["lucid-chain/"]);
    for (const name of ["system:serviceaccounts", "system:authenticated", "system:unauthenticated"])
      assert.deepEqual(accounts([{ kind: "Group", name }]), ["/"]);
  });

  it("is nobody of other namespaces, and everybody of what Kubernetes gives everybody", () => {
    assert.deepEqual(
      accounts([
        { kind: "ServiceAccount", namespace: "lucid", name: "a" },
        { kind: "User", name: "eve" },
      ]),
      [],
    );
    const everybody = [{ kind: "Group", name: "system:authenticated" }];
    assert.deepEqual(accounts(everybody, "system:discovery", "system:discovery"), []);
    assert.deepEqual(accounts(everybody, "system:discovery", "cluster-admin"), ["/"]);
  });
});

describe("controller: who wrote an object last", () => {
  it("is the latest manager but Kubernetes' own and those of its status", () => {
    assert.deepEqual(
      lastWriter([
        { manager: "pulumi-kubernetes", time: "2026-01-01T00:00:00Z" },
        { manager: "kubectl-edit", time: "2026-01-02T00:00:00Z" },
        { manager: "kube-controller-manager", time: "2026-01-03T00:00:00Z" },
        { manager: "kubelet-like", time: "2026-01-04T00:00:00Z", subresource: "status" },
      ]),
      { manager: "kubectl-edit", time: "2026-01-02T00:00:00Z" },
    );
    assert.equal(lastWriter([]), undefined);
  });
});
