import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { NODE_RESOLVER, SIDECAR_PORTS, WELL_KNOWN, edgesFrom, edgesTo, namespaceOf } from "../../../mesh";
import type { Service } from "../../../mesh";
import { withoutAdmission } from "../support/admission";
import { pauseRepairs, resumeRepairs } from "../support/drift";
import { networking, podOf } from "../support/cluster";
import { computedNetwork } from "../support/computed-network";
import type { Computed, Party } from "../support/computed-network";
import { INFRASTRUCTURE, credentials } from "../support/discovery";
import { mesh } from "../support/document";
import { eventually } from "../support/eventually";
import { liveObjects } from "../support/live-objects";
import { connects, testerIn } from "../support/tester";
import type { Tester } from "../support/tester";

const OPEN = "opened-by-test";

/** Whoever has pods in the mesh's namespaces, with the TCP ports that listen on the pods' addresses. */
interface Listening extends Party {
  readonly namespace: string;
  readonly ports: readonly number[];
}

const services = mesh.services.map((service): Listening => {
  const { name, zone, namespace } = service;
  return { name, zone, namespace, ports: listening(service) };
});
const infrastructure = INFRASTRUCTURE.map((listener) => ({
  ...listener,
  zone: "mesh" as const,
  namespace: namespaceOf("mesh"),
}));
const parties: readonly Listening[] = [...services, ...infrastructure];
const pairs = parties.flatMap((from) => parties.filter((to) => to !== from).map((to) => ({ from, to })));
type Pair = (typeof pairs)[number];

/** Ports of a sidecar that listen on the pod's address: a service that nobody may call has no inbound listener. */
function listening(to: Service): number[] {
  const { inbound, inspection, health } = SIDECAR_PORTS;
  return edgesTo(mesh, to).length > 0 ? [inbound, inspection, health] : [inspection, health];
}

/** What the document lets through between services: the edges, and the two services that look into every sidecar. And what the mesh itself needs: names, discovery. */
function allowed({ from, to }: Pair): number[] {
  const caller = mesh.services.find(({ name }) => name === from.name);
  const listener = infrastructure.find((one) => one === to);
  if (listener !== undefined) {
    const names = listener.name === NODE_RESOLVER.service && caller !== undefined ? [NODE_RESOLVER.dnsPort] : [];
    return [...names, ...(listener.openTo[from.name] ?? [])];
  }
  if (caller === undefined) return [];
  const inspects = caller.name === WELL_KNOWN.prometheus || caller.name === WELL_KNOWN.controller;
  return [
    ...(edgesFrom(mesh, caller).some((edge) => edge.to === to.name) ? [SIDECAR_PORTS.inbound] : []),
    ...(inspects ? [SIDECAR_PORTS.inspection] : []),
  ];
}

describe("NetworkPolicy, on its own (a TCP connection, before any other layer)", () => {
  const testers = new Map<Listening, Tester>();
  const addresses = new Map<Listening, string>();
  let computed: Computed;

  const compute = async () => {
    computed = await computedNetwork();
  };

  before(async function () {
    this.timeout(300_000);
    for (const party of parties) {
      testers.set(party, await testerIn(party));
      addresses.set(party, (await podOf(party)).ip);
    }
    await compute();
  });

  const reached = async ({ from, to }: Pair): Promise<number[]> => {
    const tester = testers.get(from);
    const address = addresses.get(to);
    assert.ok(tester && address);
    const results = await Promise.all(to.ports.map((port) => connects(tester, address, port)));
    return to.ports.filter((_, index) => results[index]);
  };
  /** All pairs: each party asks the others one after the other, all parties at once, since a refusal is told by time alone. */
  const reachedByAll = async (): Promise<ReadonlyMap<Pair, readonly number[]>> => {
    const askedBy = async (from: Listening) => {
      const found: [Pair, readonly number[]][] = [];
      for (const pair of pairs.filter((one) => one.from === from)) found.push([pair, await reached(pair)]);
      return found;
    };
    return new Map((await Promise.all(parties.map(askedBy))).flat());
  };
  const reachable = ({ from, to }: Pair): number[] => to.ports.filter((port) => computed(from, to, port));

  it("the evaluator finds in the cluster's objects exactly what the document declares", async function () {
    this.timeout(120_000);
    const { status, output } = await judge(await liveObjects());
    assert.equal(status, 0, output);
    assert.match(output, /exactly what is declared can be reached/);
  });

  describe("as deployed", () => {
    let live: ReadonlyMap<Pair, readonly number[]>;
    before(async function () {
      this.timeout(300_000);
      live = await reachedByAll();
    });

    for (const pair of pairs) {
      const expected = allowed(pair);
      it(`${pair.from.name} reaches ${expected.length === 0 ? "no port" : expected.join(" and ")} of ${pair.to.name}, as computed`, () => {
        assert.deepEqual(reachable(pair), expected);
        assert.deepEqual(live.get(pair), expected);
      });
    }
  });

  describe("taken out", () => {
    before(openNetwork);
    before(compute);
    after(closeNetwork);

    it("every port of every pair connects, as computed: it was this layer that refused it", async () => {
      for (const pair of pairs) {
        assert.deepEqual(reachable(pair), pair.to.ports);
        await eventually(`${pair.from.name} -> ${pair.to.name} without NetworkPolicies`, async () => {
          assert.deepEqual(await reached(pair), pair.to.ports);
        });
      }
    });

    it("the evaluator finds each of them with its policy", async function () {
      this.timeout(120_000);
      const { status, output } = await judge(await liveObjects());
      assert.equal(status, 1, output);
      for (const { from, to } of pairs.filter((pair) => allowed(pair).length < pair.to.ports.length)) {
        assert.match(output, new RegExp(`/${from.name} can reach \\w+/${to.name} on .*${OPEN}`));
      }
    });
  });

  describe("put back", () => {
    before(compute);

    it("refuses again, as computed", async function () {
      this.timeout(300_000);
      for (const pair of pairs) assert.deepEqual(reachable(pair), allowed(pair));
      await eventually("the refusal of every pair that is not declared", async () => {
        const live = await reachedByAll();
        for (const pair of pairs)
          assert.deepEqual(live.get(pair), allowed(pair), `${pair.from.name} -> ${pair.to.name}`);
      });
    });
  });
});

/** What `npm run mesh -- reachability` says of objects. */
async function judge(objects: string): Promise<{ status: number | null; output: string }> {
  const acl = await credentials();
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-acl-"));
  const file = path.join(folder, "acl.json");
  if (acl !== undefined) writeFileSync(file, acl);
  const args = ["cli/mesh.cjs", "reachability", "--objects", "-", ...(acl === undefined ? [] : ["--acl", file])];
  try {
    return await new Promise((resolve, reject) => {
      const options = { cwd: checkoutDir, maxBuffer: 2 ** 26 };
      const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => {
        resolve({ status: child.exitCode, output: stdout + stderr });
      });
      child.on("error", reject);
      // Whoever ends early reads no more of it; what it printed says why.
      child.stdin?.on("error", () => undefined).end(objects);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Policies are additive: one that allows everything takes the layer out, whatever the others say. */
async function openNetwork(): Promise<void> {
  const body = {
    metadata: { name: OPEN },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] },
  };
  await pauseRepairs();
  await withoutAdmission(() =>
    Promise.all(mesh.zones.map(({ namespace }) => networking.createNamespacedNetworkPolicy({ namespace, body }))),
  );
}

async function closeNetwork(): Promise<void> {
  for (const { namespace } of mesh.zones) await networking.deleteNamespacedNetworkPolicy({ name: OPEN, namespace });
  await resumeRepairs();
}
