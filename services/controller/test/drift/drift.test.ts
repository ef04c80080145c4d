import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { textDigest, type DeclaredObject } from "../../../../mesh/declarations/index.js";
import { Drift } from "../../src/drift/drift.js";
import { DriftRegister } from "../../src/drift/register.js";
import { ZoneDrift } from "../../src/drift/zone-drift.js";
import type { ApiWriter } from "../../src/election/fence.js";
import type { KubernetesApi } from "../../src/kubernetes/api.js";
import { createLog } from "../../src/log.js";
import { declaredMaps, doneMap } from "../support/declaration.js";
import { eventually } from "../support/eventually.js";

const TEXT = "version_info: l1\nresources: []\n";
const FILES: DeclaredObject = {
  kind: "ConfigMap",
  namespace: "lucid-ops",
  name: "admin-ui-envoy",
  labels: { "app.kubernetes.io/name": "admin-ui" },
  fields: { data: { "listeners.yaml": { $digest: textDigest(TEXT) } } },
};
const CONFIG_MAPS = "/api/v1/namespaces/lucid-ops/configmaps";

describe("controller: drift, as the lists come", () => {
  const stop = new AbortController();
  const told: string[] = [];
  const drift = { current: undefined as Drift | undefined };
  let release: (items: readonly object[]) => void = () => undefined;
  let running: Promise<void>;
  let register: DriftRegister;

  const held = new Promise<readonly object[]>((resolve) => {
    release = resolve;
  });
  const declared = (): object[] =>
    [...declaredMaps([FILES]), doneMap([FILES])].map((map) => ({
      ...map,
      metadata: { ...map.metadata, resourceVersion: "1" },
    }));
  const reader = {
    get: async (path: string) => {
      const isDeclaration = path.includes("labelSelector");
      const items =
        path.startsWith(CONFIG_MAPS) && !isDeclaration ? await held : path.startsWith(CONFIG_MAPS) ? declared() : [];
      return { kind: "List", metadata: { resourceVersion: "1" }, items };
    },
    lines: (_path: string, _idle: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          resolve();
        });
      }),
  } as unknown as KubernetesApi;

  before(() => {
    setMaxListeners(0, stop.signal);
    const writer = { create: () => Promise.resolve({}) } as unknown as ApiWriter;
    const log = createLog("error", () => undefined);
    const events = {
      changed: () => undefined,
      found: ({ name, what }: { readonly name: string; readonly what: string }) => told.push(`${name} ${what}`),
      repaired: () => undefined,
      failed: (where: string, error: unknown) => told.push(`${where}: ${String(error)}`),
    };
    register = new DriftRegister(writer, log, events, "one");
    const zone = (name: "ops" | "chain") =>
      new ZoneDrift(
        name,
        `lucid-${name}`,
        () => false,
        () => true,
      );
    drift.current = new Drift(reader, writer, [zone("ops"), zone("chain")], register, log, events, {
      repairs: [],
      settle: 10,
    });
    running = drift.current.run(stop.signal);
  });
  after(async () => {
    stop.abort();
    await running;
  });

  it("takes nothing for removed because another zone's objects were listed", async () => {
    await sleep(500);
    assert.deepEqual(told, []);
    assert.equal(drift.current?.filesOf("ops", "admin-ui"), undefined);
  });

  it("finds what the files of a sidecar say, and which of them nobody declared, once they are", async () => {
    const metadata = {
      name: FILES.name,
      namespace: FILES.namespace,
      uid: "u",
      resourceVersion: "2",
      labels: FILES.labels,
    };
    const data = { "listeners.yaml": TEXT.replace("l1", "evil") };
    release([{ metadata, data }]);
    await eventually(() => {
      assert.deepEqual(told, ["admin-ui-envoy changed"]);
      assert.deepEqual(drift.current?.filesOf("ops", "admin-ui"), {
        files: { "listeners.yaml": { version: "evil", listeners: 0 }, "clusters.yaml": { version: "", listeners: 0 } },
        undeclared: ["listeners.yaml"],
      });
    });
    assert.deepEqual(
      register.of("ops", "admin-ui").map(({ name }) => name),
      ["admin-ui-envoy"],
    );
    assert.deepEqual(register.of("chain", "admin-ui"), []);
  });
});
