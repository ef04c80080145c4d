import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { apps, core, forward, podOf } from "../support/cluster";
import { membersWith, policyConfig } from "../support/ceiling";
import { eventually } from "../support/eventually";
import { deploy, deployDeclared } from "../support/stacks/variation";
import type { WrittenCall, WrittenDocument } from "../support/stacks/variation";

/** Fields of a client's answer; which there are depends on the protocol. */
type Outcome = Readonly<Record<string, unknown>>;

const SERVER = { name: "protocol-server", namespace: "lucid-ops" };
const CLIENT = { name: "protocol-client", namespace: "lucid-ops" };
const CALLER = "spiffe://ops.lucid.internal/ns/lucid-ops/sa/protocol-client";
const HOST = `${SERVER.name}.lucid.internal`;
const DIAL = { http: 80, http2: 81, websocket: 82, tcp: 83, grpc: 84 } as const;

/** An image with Node that the ceiling lists: the controller's own. */
async function nodeImage(): Promise<string> {
  const { spec } = await apps.readNamespacedDeployment({ name: "mesh-controller", namespace: "lucid-mesh" });
  const image = spec?.template.spec?.containers[0]?.image;
  if (image === undefined) throw new Error("the controller's deployment has no image");
  return image;
}

function declare(document: WrittenDocument, image: string): void {
  const program = readFileSync(path.join(__dirname, "..", "support", "protocols", "application.cjs"), "utf8");
  const application = {
    plane: "ops" as const,
    image,
    command: ["node", "-e", program],
    health: { path: "/", port: 8080 },
  };
  const ports = Object.entries(DIAL).map(([protocol, dialPort], index) => ({
    name: protocol,
    port: 8080 + index,
    protocol,
    dialPort,
  }));
  const calls: WrittenCall[] = [
    { service: SERVER.name, ports: ["http", "http2", "websocket"], paths: ["/open/*"] },
    { service: SERVER.name, ports: ["grpc"], paths: ["/echo.Echo/*"] },
    { service: SERVER.name, ports: ["tcp"] },
  ];
  document.zones.ops?.members.push(SERVER.name, CLIENT.name);
  document.services.push(
    { ...application, name: SERVER.name, ports },
    { ...application, name: CLIENT.name, ports: [{ name: "http", port: 8080, protocol: "http" }], calls },
  );
}

/** Tells the client's application to call. */
async function call(protocol: keyof typeof DIAL, target: string): Promise<Outcome> {
  const forwarded = await forward(await podOf(CLIENT), 8080);
  try {
    const response = await fetch(`http://127.0.0.1:${forwarded.port}/call`, {
      method: "POST",
      headers: { connection: "close" },
      body: JSON.stringify({ protocol, host: HOST, port: DIAL[protocol], path: target }),
    });
    return (await response.json()) as Outcome;
  } finally {
    forwarded.close();
  }
}

/** The first call may come before the callee's name is known to the caller's sidecar. */
async function answers(protocol: keyof typeof DIAL, target: string, expected: Outcome): Promise<void> {
  await eventually(`${protocol} ${target}`, async () => {
    assert.deepEqual(await call(protocol, target), expected);
  });
}

describe("every protocol, through two sidecars", function () {
  this.timeout(600_000);
  before(async () => {
    const image = await nodeImage();
    await deploy({
      document: (document) => {
        declare(document, image);
      },
      policyConfig: policyConfig({ members: membersWith("ops", [SERVER.name, CLIENT.name]) }),
    });
  });
  after(deployDeclared);

  it("HTTP/1.1", () => answers("http", "/open/x", { status: 200, caller: CALLER, body: "said" }));
  it("HTTP/1.1, a path that is not declared: refused", async () => {
    assert.equal((await call("http", "/shut")).status, 403);
  });

  it("HTTP/2, streaming both ways, with trailers", () =>
    answers("http2", "/open/x", { status: 200, echoes: ["one", "two"], caller: CALLER, trailer: "of the stream" }));
  it("HTTP/2, a path that is not declared: refused", async () => {
    assert.equal((await call("http2", "/shut")).status, 403);
  });

  it("WebSocket", () => answers("websocket", "/open/x", { status: 101, caller: CALLER, echo: "through" }));
  it("WebSocket, a path that is not declared: refused", async () => {
    assert.equal((await call("websocket", "/shut")).status, 403);
  });

  for (const [method, received] of [
    ["Unary", ["a"]],
    ["ServerStream", ["a1", "a2", "a3"]],
    ["ClientStream", ["ab"]],
    ["Bidirectional", ["a", "b"]],
  ] as const) {
    it(`gRPC, ${method}`, () => answers("grpc", method, { status: 200, grpcStatus: "0", received, caller: CALLER }));
  }
  it("gRPC, a service that is not declared: refused with PERMISSION_DENIED", async () => {
    assert.deepEqual(await call("grpc", "../other.Service/Method"), { status: 200, grpcStatus: "7" });
  });

  it("TCP, where the server speaks first and each side closes its half", () =>
    answers("tcp", "", { seen: "hello, who calls?\nsaid\nbye\n" }));
  it("TCP: the callee's access log names the caller", async () => {
    const { name, namespace } = await podOf(SERVER);
    await eventually("the record of the connection", async () => {
      const log = await core.readNamespacedPodLog({ name, namespace, container: "sidecar", tailLines: 200 });
      const records = log.split("\n").filter((line) => line.includes('"port":"tcp"'));
      assert.ok(records.some((line) => line.includes(CALLER)));
    });
  });

  it("the server, which declares no call, finds no name of the client", async () => {
    const forwarded = await forward(await podOf(SERVER), 8080);
    try {
      const response = await fetch(`http://127.0.0.1:${forwarded.port}/call`, {
        method: "POST",
        headers: { connection: "close" },
        body: JSON.stringify({ protocol: "http", host: `${CLIENT.name}.lucid.internal`, port: 80, path: "/" }),
      });
      assert.match(JSON.stringify(await response.json()), /ENOTFOUND|EAI_AGAIN/);
    } finally {
      forwarded.close();
    }
  });
});
