import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { maxHeapBytes, sidecarResources } from "../../../envoy";
import { DEFAULT_RESOURCES, serviceNamed } from "../../../mesh";
import type { Load, Mesh, Service } from "../../../mesh/model";
import { makeEdge, makeMesh, makeService } from "./fixture";

const HTTP = { name: "http", protocol: "http", port: 8080, dialPort: 80 } as const;
const MIB = 1024 * 1024;

/** A service in a mesh where it has so many callees and callers. */
function meshOf(callees: number, callers: number, load?: Partial<Load>): { mesh: Mesh; service: Service } {
  const plain = makeService("middle", "ops", 1, [HTTP]);
  const service = { ...plain, load: { ...plain.load, ...load } };
  const others = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => makeService(`${prefix}-${String(index)}`, "ops", 2, [HTTP]));
  const to = others("callee", callees);
  const from = others("caller", callers);
  const edges = [
    ...to.map((callee) => makeEdge(service, callee, "http")),
    ...from.map((caller) => makeEdge(caller, service, "http")),
  ];
  return { mesh: makeMesh([service, ...to, ...from], edges), service };
}

function mib(quantity: string): number {
  const [, amount] = /^(\d+)Mi$/.exec(quantity) ?? [];
  assert.ok(amount !== undefined, quantity);
  return Number(amount);
}

describe("resources of a sidecar", () => {
  // Own memory as measured (docs/sidecar.md, Resources), in MiB.
  const measured = [
    { callees: 1, callers: 0, own: 15.0 },
    { callees: 10, callers: 0, own: 17.7 },
    { callees: 50, callers: 0, own: 28.8 },
    { callees: 150, callers: 0, own: 51.1 },
    { callees: 1, callers: 50, own: 18.9 },
    { callees: 1, callers: 150, own: 27.1 },
    { callees: 1, callers: 1, load: { connections: 500 }, own: 33.0 },
    { callees: 1, callers: 1, load: { connections: 1000 }, own: 50.6 },
  ];
  for (const { callees, callers, load, own } of measured) {
    const title = `${String(callees)} callees, ${String(callers)} callers, ${String(load?.connections ?? 100)} connections`;
    it(`${title}: more is asked for than was measured, and it may take twice that`, () => {
      const { mesh, service } = meshOf(callees, callers, load);
      const { requests, limits } = sidecarResources(mesh, service);
      assert.ok(mib(requests.memory) > own, requests.memory);
      assert.ok(maxHeapBytes(mesh, service) > 2 * own * MIB);
      assert.ok(maxHeapBytes(mesh, service) < mib(limits.memory) * MIB, "refused before the kernel ends it");
    });
  }

  it("a small service has little", () => {
    const { mesh, service } = meshOf(3, 3);
    assert.deepEqual(sidecarResources(mesh, service), {
      requests: { cpu: "25m", memory: "32Mi" },
      limits: { memory: "128Mi" },
    });
  });

  it("CPU follows the declared requests", () => {
    const cpu = (requestsPerSecond: number) => {
      const { mesh, service } = meshOf(1, 1, { requestsPerSecond });
      return sidecarResources(mesh, service).requests.cpu;
    };
    assert.deepEqual([1, 100, 1000, 10_000].map(cpu), ["25m", "25m", "175m", "1525m"]);
  });

  it("more edges, more callers' pods or more connections never give less", () => {
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.nat(60),
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom("callee", "caller", "connection"),
        (callees, callers, connections, more) => {
          const before = meshOf(callees, callers, { connections });
          const after = meshOf(callees + Number(more === "callee"), callers + Number(more === "caller"), {
            connections: connections + Number(more === "connection"),
          });
          const memory = ({ mesh, service }: typeof before) => sidecarResources(mesh, service);
          assert.ok(mib(memory(after).requests.memory) >= mib(memory(before).requests.memory));
          assert.ok(mib(memory(after).limits.memory) >= mib(memory(before).limits.memory));
        },
      ),
    );
  });

  it("from 1 to 200 callees the bootstrap, which rolls the pod, changes a few times only", () => {
    const seen = Array.from({ length: 200 }, (_, index) => {
      const { mesh, service } = meshOf(index + 1, 1);
      return JSON.stringify([sidecarResources(mesh, service), maxHeapBytes(mesh, service)]);
    });
    assert.equal(new Set(seen.slice(0, 20)).size, 1, "not for the first twenty");
    assert.ok(new Set(seen).size <= 5, String(new Set(seen).size));
  });

  it("a callee's sidecar has room for each of its callers' pods, whatever is declared", () => {
    const { mesh, service } = meshOf(0, 10, { connections: 1 });
    const many = {
      ...mesh,
      services: mesh.services.map((one) => ({ ...one, workload: { ...one.workload, replicas: 100 } })),
    };
    assert.ok(
      mib(sidecarResources(many, service).requests.memory) > mib(sidecarResources(mesh, service).requests.memory),
    );
  });

  it("counts of a job the pods that run at once, and none of its pods as scraped", () => {
    const { mesh } = meshOf(1, 0);
    const callee = serviceNamed(mesh, "callee-0");
    const scraper = makeService("prometheus", "ops", 3, [HTTP]);
    const withCaller = (workload: Service["workload"]) => {
      const caller = { ...serviceNamed(mesh, "middle"), workload };
      return { ...mesh, services: [callee, caller, scraper] };
    };
    const application = { image: "a:1", args: [], env: {}, resources: DEFAULT_RESOURCES };
    const job = { ...application, kind: "job", completions: 500, parallelism: 500, backoffLimit: 0 } as const;
    const memoryOf = (workload: Service["workload"], service: Service) =>
      mib(sidecarResources(withCaller(workload), service).requests.memory);
    const many = { kind: "component", replicas: 500 } as const;
    const one = { kind: "component", replicas: 1 } as const;
    assert.equal(memoryOf(job, callee), memoryOf(many, callee));
    assert.equal(memoryOf({ ...job, parallelism: 1 }, callee), memoryOf(one, callee));
    assert.equal(memoryOf(job, scraper), memoryOf(one, scraper));
    assert.ok(memoryOf(many, scraper) > memoryOf(one, scraper));
  });
});
