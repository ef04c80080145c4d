import assert from "node:assert/strict";
import { MeshDocumentError, parseDocument, type Problem } from "../../../mesh";

/** Anything that a document may hold, right or wrong. */
export type Wild = Record<string, unknown>;

/** A document without problems, small enough to see what a test changes in it. */
export function happy(): { apiVersion: string; zones: Record<string, { members: string[] }>; services: Wild[] } {
  return {
    apiVersion: "mesh.lucid.internal/v1",
    zones: {
      ops: { members: ["admin-ui", "prometheus", "jaeger"] },
      chain: { members: ["lucid-blocks"] },
      wallet: { members: ["tron-payment"] },
      mesh: { members: ["mesh-controller"] },
    },
    services: [
      {
        name: "admin-ui",
        plane: "ops",
        image: "fortio/fortio:1.66.2",
        ports: [
          { name: "http", port: 8080 },
          { name: "grpc", port: 8079, protocol: "grpc", dialPort: 81 },
        ],
        calls: [{ service: "lucid-blocks", reason: "Operators watch the chain" }],
      },
      {
        name: "lucid-blocks",
        plane: "chain",
        image: "fortio/fortio:1.66.2",
        ports: [
          { name: "http", port: 8080 },
          { name: "grpc", port: 8079, protocol: "grpc", dialPort: 81 },
          { name: "peers", port: 9000, protocol: "tcp", dialPort: 9100 },
          { name: "events", port: 8090, protocol: "websocket", dialPort: 82 },
        ],
      },
      { name: "tron-payment", plane: "wallet", image: "fortio/fortio:1.66.2", ports: [{ name: "http", port: 8080 }] },
      {
        name: "jaeger",
        plane: "ops",
        component: true,
        ports: [
          { name: "query", port: 16686 },
          { name: "otlp", port: 4317, protocol: "grpc", dialPort: 4317 },
        ],
      },
    ],
  };
}

/** Sets the value at a path (`services.0.ports.1.port`); undefined takes the key away. */
export function put(root: unknown, path: string, value: unknown): void {
  const steps = path.split(".");
  const last = steps.pop() ?? "";
  let place = root as Wild;
  for (const step of steps) place = place[step] as Wild;
  if (value === undefined) Reflect.deleteProperty(place, last);
  else place[last] = value;
}

/** The problems of a document's text; an error of any other kind fails the test. */
export function problemsOf(text: string): readonly Problem[] {
  try {
    parseDocument(text);
  } catch (error) {
    assert.ok(error instanceof MeshDocumentError, `not a MeshDocumentError: ${String(error)}`);
    assert.ok(error.problems.length > 0);
    return error.problems;
  }
  return [];
}

/** One change of a good document (see `put`), and the one problem that it must make. */
export type Row = [title: string, at: string, value: unknown, path: string, message: RegExp, mend: RegExp];

/** A test for each row: the changed document has that one problem, with its path and mend. */
export function refuses(rows: readonly Row[], good: () => object = happy): void {
  for (const [title, at, value, path, message, mend] of rows) {
    it(`${JSON.stringify(title)}: refused at ${path}`, () => {
      const document = good();
      put(document, at, value);
      const problems = problemsOf(JSON.stringify(document));
      assert.equal(problems.length, 1, JSON.stringify(problems));
      const [problem] = problems;
      assert.equal(problem?.path, path);
      assert.match(problem.message, message);
      assert.match(problem.mend, mend);
    });
  }
}
