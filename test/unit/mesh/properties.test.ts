import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addressOf,
  freeAddress,
  isServiceAddress,
  MeshDocumentError,
  peerZones,
  resolveMesh,
  validateDocument,
  type Mesh,
} from "../../../mesh";
import { nearest } from "../../../mesh/document/suggest";
import type { Wild } from "./fixture";
import { documents } from "./random";

const servicesOf = (document: Wild) =>
  document["services"] as {
    name: string;
    ports?: { name: string }[];
    workload?: object;
    calls?: { service: string; ports?: string[] }[];
  }[];

const resolve = (document: unknown): Mesh => resolveMesh(validateDocument(document), { tracing: true });

describe("any document", function () {
  this.timeout(30_000);

  it("resolves the same every time, and whatever the order of services and members", () => {
    fc.assert(
      fc.property(documents, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (document, noise) => {
        const shuffled = structuredClone(document);
        const places = new Map(servicesOf(document).map(({ name }, index) => [name, noise[index] ?? 0]));
        servicesOf(shuffled).sort((a, b) => (places.get(a.name) ?? 0) - (places.get(b.name) ?? 0));
        for (const zone of Object.values(shuffled["zones"] as Record<string, { members: string[] }>)) {
          zone.members.reverse();
        }
        assert.deepEqual(resolve(document), resolve(structuredClone(document)));
        assert.deepEqual(resolve(shuffled), resolve(document));
      }),
    );
  });

  it("makes exactly one edge per declared call and port, and none but telemetry beside", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const services = servicesOf(document);
        const declared = services.flatMap(({ name, calls = [] }) =>
          calls.flatMap((call) => {
            const callee = services.find((service) => service.name === call.service);
            return (call.ports ?? [callee?.ports?.[0]?.name]).map((port) => `${name} ${call.service} ${String(port)}`);
          }),
        );
        const edges = resolve(document).edges;
        const text = (kind: string) =>
          edges.filter((edge) => edge.kind === kind).map(({ from, to, port }) => `${from} ${to} ${port}`);
        assert.deepEqual(text("call").sort(), declared.sort());
        const traced = services.filter(({ name }) => name !== "jaeger").map(({ name }) => `${name} jaeger otlp`);
        assert.deepEqual(text("telemetry").sort(), traced.sort());
        assert.equal(new Set(edges.map(({ from, to, port }) => `${from} ${to} ${port}`)).size, edges.length);
      }),
    );
  });

  it("gives every service an address, name and identity of its own", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const { services } = resolve(document);
        for (const key of ["name", "address", "identity", "hostname", "discoveryName"] as const) {
          assert.equal(new Set(services.map((service) => service[key])).size, services.length, key);
        }
        for (const service of services) assert.ok(isServiceAddress(service.address), service.address);
      }),
    );
  });

  it("knows for each edge whether it crosses zones, and both ends trust each other's zone", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const mesh = resolve(document);
        const zoneOf = new Map(mesh.services.map((service) => [service.name, service.zone]));
        for (const edge of mesh.edges) {
          const [from, to] = [zoneOf.get(edge.from), zoneOf.get(edge.to)];
          assert.ok(from !== undefined && to !== undefined);
          assert.equal(edge.crossesZones, from !== to);
          assert.ok(!edge.crossesZones || edge.reason !== undefined);
          assert.ok(peerZones(mesh, edge.from).includes(to));
          assert.ok(peerZones(mesh, edge.to).includes(from));
        }
      }),
    );
  });

  it("trusts no zone without an edge to or from it", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const mesh = resolve(document);
        const zoneOf = new Map(mesh.services.map((service) => [service.name, service.zone]));
        for (const { name } of mesh.services) {
          const peers = mesh.edges.flatMap((edge) =>
            edge.from === name ? [zoneOf.get(edge.to)] : edge.to === name ? [zoneOf.get(edge.from)] : [],
          );
          assert.deepEqual(new Set(peerZones(mesh, name)), new Set(peers));
        }
      }),
    );
  });

  it("has nobody call a job, and is refused as soon as somebody does", () => {
    fc.assert(
      fc.property(documents, fc.nat(), fc.nat(), (document, at, from) => {
        const services = servicesOf(document);
        const jobs = services.filter(({ workload }) => workload !== undefined);
        const mesh = resolve(document);
        assert.deepEqual(
          mesh.services.filter(({ ports }) => ports.length === 0).map(({ name }) => name),
          jobs.map(({ name }) => name).sort(),
        );
        for (const { to } of mesh.edges) assert.ok(!jobs.some(({ name }) => name === to), to);
        const job = jobs[at % jobs.length];
        const callers = services.filter((service) => service !== job && service.name !== "jaeger");
        const caller = callers[from % callers.length];
        if (job === undefined || caller === undefined) return;
        caller.calls?.push({ service: job.name });
        assert.throws(() => validateDocument(document), /is a job: it has no port/);
      }),
    );
  });

  it("is refused as soon as one callee is taken out", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const services = servicesOf(document);
        const called = services.flatMap(({ calls = [] }) => calls)[0];
        if (called === undefined) return;
        const without = { ...document, services: services.filter(({ name }) => name !== called.service) };
        assert.throws(() => validateDocument(without), MeshDocumentError);
      }),
    );
  });
});

describe("addresses", function () {
  this.timeout(30_000);

  it("lie in 127.64.0.0/10 and depend on the name alone", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        assert.ok(isServiceAddress(addressOf(name)), addressOf(name));
        assert.equal(addressOf(name), addressOf(name));
      }),
    );
  });

  it("are spread evenly enough: ten thousand names share few", () => {
    const addresses = new Set(Array.from({ length: 10_000 }, (_, index) => addressOf(`service-${String(index)}`)));
    assert.ok(addresses.size > 9_970, String(addresses.size));
  });

  it("are free where they are said to be", () => {
    const first = freeAddress("a", new Set());
    const second = freeAddress("a", new Set([first]));
    assert.notEqual(first, second);
    assert.ok(isServiceAddress(first) && isServiceAddress(second));
  });

  it("that two names share are an error, mended as it says", () => {
    const byAddress = new Map<string, string>();
    let pair: readonly [string, string] | undefined;
    for (let index = 0; pair === undefined; index++) {
      const name = `s${String(index)}`;
      const other = byAddress.get(addressOf(name));
      if (other !== undefined) pair = [other, name];
      byAddress.set(addressOf(name), name);
    }
    const services: Wild[] = pair.map((name) => ({
      name,
      plane: "ops",
      image: "a:1",
      ports: [{ name: "http", port: 8080 }],
    }));
    const document = { apiVersion: "mesh.lucid.internal/v1", zones: { ops: { members: [...pair] } }, services };
    assert.throws(
      () => validateDocument(document),
      (error) => {
        assert.ok(error instanceof MeshDocumentError);
        assert.equal(error.problems.length, 1);
        const mend = /'address: ([0-9.]+)'/.exec(error.problems[0]?.mend ?? "");
        Object.assign(services[1] ?? {}, { address: mend?.[1] });
        return true;
      },
    );
    assert.equal(resolveMesh(validateDocument(document)).services.length, 2);
  });
});

describe("nearest", () => {
  it("finds a misspelling and leaves strangers alone", () => {
    assert.equal(nearest("replica", ["replicas", "ports"]), "replicas");
    assert.equal(nearest("Ops", ["chain", "ops"]), "ops");
    assert.equal(nearest("zzzz", ["replicas", "ports"]), undefined);
    assert.equal(nearest("x".repeat(100_000), ["x"]), undefined);
  });
});
