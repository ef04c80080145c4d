/** Random meshes with whatever decides who reaches whom. */
import fc from "fast-check";
import { resolveMesh, validateDocument } from "../../../mesh";
import type { Edge, Mesh } from "../../../mesh";
import type { Wild } from "../../unit/mesh/fixture";
import { documents } from "../../unit/mesh/random";

/** Prometheus asks the controller whom to scrape, so it is there where Prometheus is. */
const INSPECTORS = [
  { name: "mesh-controller", plane: "mesh", component: true, ports: [{ name: "http", port: 8080 }] },
  {
    name: "prometheus",
    plane: "ops",
    component: true,
    ports: [{ name: "http", port: 9090 }],
    calls: [{ service: "mesh-controller", reason: "a random reason" }],
  },
];

/** What a service may say of metrics: nothing, that it has them at its first port, or at one of their own. */
const METRICS: readonly Wild[] = [{ metrics: {} }, { metrics: {} }, { metrics: { port: 9464, path: "/internal" } }];

/** Documents in which somebody may look at sidecars, some services are revoked, and some tell metrics of their own. */
const observed: fc.Arbitrary<Wild> = fc
  .tuple(
    documents,
    fc.nat(INSPECTORS.length).map((count) => INSPECTORS.slice(0, count)),
    fc.array(fc.nat(5), { minLength: 15, maxLength: 15 }),
  )
  .map(([document, inspectors, drawn]) => {
    const { services, zones } = document as {
      readonly services: readonly Wild[];
      readonly zones: Readonly<Record<string, { readonly members: readonly string[] }>>;
    };
    const membersOf = (zone: string) => [
      ...(zones[zone]?.members ?? []),
      ...inspectors.filter(({ plane }) => plane === zone).map(({ name }) => name),
    ];
    return {
      ...document,
      zones: Object.fromEntries(Object.keys(zones).map((zone) => [zone, { members: membersOf(zone) }])),
      services: [...services, ...inspectors].map((service: Wild, index) => ({
        ...service,
        ...(drawn[index] === 0 ? { revoked: "a random reason" } : {}),
        ...(service.workload === undefined && service.external === undefined ? METRICS[drawn[index] ?? 0] : {}),
      })),
    };
  });

const PATHS = ["/a", "/a/b", "/a/*", "/a*", "/*", "/b/c.D/E", "/b/c.D/*"];

/** What an edge may say more: what may be asked, where that can be told, and until when. */
const terms = fc.record({
  rules: fc.array(
    fc
      .record({
        methods: fc.subarray(["GET", "POST", "DELETE"]),
        paths: fc.subarray(PATHS, { maxLength: 3 }),
      })
      .filter(({ methods, paths }) => methods.length + paths.length > 0),
    { maxLength: 3 },
  ),
  until: fc.option(fc.constantFrom("2098-12-31T23:59:59Z", "2099-01-01T00:00:00Z"), { nil: undefined }),
});

export const meshes: fc.Arbitrary<Mesh> = fc
  .tuple(observed, fc.array(terms, { minLength: 8, maxLength: 8 }))
  .map(([document, said]) => {
    const mesh = resolveMesh(validateDocument(document), { tracing: true });
    const protocolOf = ({ to, port }: Edge) =>
      mesh.services.find(({ name }) => name === to)?.ports.find(({ name }) => name === port)?.protocol;
    const edges = mesh.edges.map((edge, index): Edge => {
      const { rules = [], until } = said[index % said.length] ?? {};
      const isCall = edge.kind === "call";
      return {
        ...edge,
        ...(isCall && protocolOf(edge) !== "tcp" ? { rules } : {}),
        ...(isCall && until !== undefined ? { until } : {}),
      };
    });
    return { ...mesh, edges };
  });
