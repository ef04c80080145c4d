import fc from "fast-check";
import { AUTHORITY } from "../envoy/external-fixture";
import type { Wild } from "./fixture";

const PROTOCOLS = ["http", "http2", "grpc", "websocket", "tcp"] as const;

/** How a random service is outside the cluster. */
const outside = fc
  .record({
    addresses: fc.uniqueArray(
      fc.tuple(fc.nat(255), fc.nat(255)).map(([third, last]) => `10.20.${String(third)}.${String(last)}`),
      { minLength: 1, maxLength: 3 },
    ),
    names: fc.constantFrom(["db.example.org"], ["*.example.org", "b.example.org"]),
    serverName: fc.option(fc.constant("a.example.org"), { nil: undefined }),
    alpn: fc.option(fc.constant(["postgresql"]), { nil: undefined }),
    presentCertificate: fc.boolean(),
    isPlain: fc.boolean(),
    health: fc.option(fc.constant({ path: "/healthz" }), { nil: undefined }),
  })
  .map(({ addresses, isPlain, health, ...tls }) => ({
    addresses,
    ...(isPlain
      ? { plaintext: { reason: "a random reason", owner: "somebody", until: "2098-06-30" } }
      : { tls: { ...tls, authorities: AUTHORITY } }),
    ...(health === undefined ? {} : { health }),
  }));

/** How a random service runs: all the time, or as a job. */
const workloads = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  fc.record({ kind: fc.constant("job"), parallelism: fc.constant(1), completions: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    kind: fc.constant("cronjob"),
    schedule: fc.constantFrom("* * * * *", "30 2 * * 1-5", "@daily"),
    concurrencyPolicy: fc.constantFrom("Forbid", "Replace", "Allow"),
  }),
);

/** Random documents that have no problems: up to twelve services and jobs in the open zones and the fixed planes or outside the cluster, with random calls. */
export const documents: fc.Arbitrary<Wild> = fc
  .tuple(
    fc.uniqueArray(fc.stringMatching(/^x[a-z0-9]{1,8}(-[a-z0-9]{1,5})?$/), { minLength: 1, maxLength: 8 }),
    fc.subarray(["lucid-blocks", "tron-payment", "payout-router"]),
    fc.array(
      fc.tuple(
        fc.constantFrom("ops", "mesh", "edge"),
        fc.subarray([...PROTOCOLS]),
        fc.nat(4),
        workloads,
        fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, outside),
      ),
      { minLength: 12, maxLength: 12 },
    ),
    fc.uniqueArray(fc.tuple(fc.nat(11), fc.nat(11), fc.boolean()), {
      selector: ([from, to]) => `${String(from)} ${String(to)}`,
      maxLength: 30,
    }),
  )
  .map(([open, fixed, shapes, calls]) => {
    const members: Record<string, string[]> = { ops: ["jaeger"], chain: [], wallet: [], mesh: [], edge: [] };
    const services = [...open, ...fixed].map((name, index) => {
      const [openPlane, protocols, replicas, workload, external] = shapes[index] ?? [
        "ops",
        [],
        1,
        undefined,
        undefined,
      ];
      const plane = name === "lucid-blocks" ? "chain" : fixed.includes(name) ? "wallet" : openPlane;
      members[plane]?.push(name);
      const ports = ["http", ...protocols].map((protocol, at) => ({
        name: `p${String(at)}`,
        port: 8000 + at,
        protocol,
        dialPort: 80 + at,
      }));
      const runs = workload === undefined ? { replicas, ports } : { workload };
      if (external !== undefined && !fixed.includes(name))
        return { name, plane, ports, replicas, external: offering(external, protocols), calls: [] as Wild[] };
      return { name, plane, image: "a:1", ...runs, calls: [] as Wild[] };
    });
    for (const [from, to, allPorts] of calls) {
      const caller = services[from];
      const callee = services[to];
      if (caller === undefined || "external" in caller || callee?.ports === undefined || caller === callee) continue;
      const ports = allPorts ? { ports: callee.ports.map((port) => port.name) } : {};
      caller.calls.push({ service: callee.name, reason: "a random reason", ...ports });
    }
    const jaeger = {
      name: "jaeger",
      plane: "ops",
      component: true,
      ports: [
        { name: "query", port: 16686 },
        { name: "otlp", port: 4317, protocol: "grpc", dialPort: 4317 },
      ],
      health: { port: 13133 },
    };
    return {
      apiVersion: "mesh.lucid.internal/v1",
      zones: Object.fromEntries(Object.entries(members).map(([zone, names]) => [zone, { members: names }])),
      services: [...services, jaeger],
    };
  });

/** Without protocols for bytes where there are none. */
function offering(external: Wild, protocols: readonly string[]): Wild {
  if (protocols.includes("tcp") || external.tls === undefined) return external;
  return { ...external, tls: { ...external.tls, alpn: undefined } };
}
