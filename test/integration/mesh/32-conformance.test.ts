import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { SIDECAR_PORTS } from "../../../mesh";
import { IDENTITY_TOKEN, serverName } from "../../../mesh/wire";
import { toolPath } from "../support/tool-path";
import { forward, podOf } from "../support/cluster";
import { service } from "../support/document";
import { judgeHttp2 } from "../support/h2spec";
import { credentialsOf } from "../support/handshake";
import type { Credentials } from "../support/handshake";
import { sidecarStat } from "../support/sidecar-stats";

const caller = service("payout-router");
const callee = service("lucid-blocks");

interface Open {
  readonly port: number;
  close(): void;
}

/** A local port in plain text that speaks to the callee's 15001 with the caller's certificate: neither tool can show one and leave SNI and ALPN to us. */
async function openTo(port: string, credentials: Credentials): Promise<Open> {
  const forwarded = await forward(await podOf(callee), SIDECAR_PORTS.inbound);
  const server = createServer((plain) => {
    const secured = connect({
      host: "127.0.0.1",
      port: forwarded.port,
      servername: serverName(port, callee.name, caller.zone),
      cert: credentials.cert,
      key: credentials.key,
      ALPNProtocols: ["h2"],
      // Who the callee is is tried elsewhere.
      rejectUnauthorized: false,
    });
    const end = () => {
      plain.destroy();
      secured.destroy();
    };
    for (const socket of [plain, secured]) socket.setNoDelay(true).on("error", end).on("close", end);
    plain.pipe(secured).pipe(plain);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      forwarded.close();
    },
  };
}

/** What ghz reports, as far as it is read here. */
interface Report {
  readonly count: number;
  readonly rps: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>> | null;
}

const run = promisify(execFile);

/** Tools that others wrote judge the deployed sidecars. */
describe("sidecars under conformance tools", function () {
  this.timeout(300_000);
  let credentials: Credentials;
  let open: Open | undefined;

  before(async () => {
    credentials = await credentialsOf(caller);
  });
  afterEach(() => open?.close());

  it("h2spec fails in no case but the listed ones", async () => {
    const { port } = (open = await openTo("http", credentials));
    // Its exit code counts the failed cases, listed ones too.
    await judgeHttp2(port, (args) => run(toolPath("h2spec"), args).catch((error: unknown) => error));
  });

  const ghz = async (method: string, data: unknown, metadata: Readonly<Record<string, string>>): Promise<Report> => {
    const { port } = (open = await openTo("grpc", credentials));
    const carried = JSON.stringify(metadata);
    const token = JSON.stringify({ [IDENTITY_TOKEN.header]: credentials.token });
    const args = ["--insecure", "--call", method, "-d", JSON.stringify(data), "-O", "json", "-n", "1000", "-c", "10"];
    const { stdout } = await run(toolPath("ghz"), [
      ...args,
      "-m",
      carried,
      // The methods are learnt by whoever may; it is the call that is under test.
      "--reflect-metadata",
      token,
      `127.0.0.1:${String(port)}`,
    ]);
    return JSON.parse(stdout) as Report;
  };

  /**
   * What the callee's sidecar let through and refused on its port of gRPC. Of a stream that is refused while it is still being sent, ghz reports about one in
   * 3,000 as `OK`, so the sidecar is who counts.
   */
  const judged = async () => {
    const pod = await podOf(callee);
    const [allowed, denied] = await Promise.all(
      ["allowed", "denied"].map(async (verdict) =>
        sidecarStat(pod, `http.inbound|grpc|${caller.zone}.jwt_authn.${verdict}`),
      ),
    );
    return { allowed: allowed ?? 0, denied: denied ?? 0 };
  };

  for (const [title, method, data] of [
    ["a method known by reflection alone", "fgrpc.PingServer.Ping", { payload: "through a sidecar" }],
    ["health", "grpc.health.v1.Health.Check", { service: "" }],
    [
      "a method that streams both ways",
      "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo",
      [{ file_containing_symbol: "fgrpc.PingServer" }, { file_containing_symbol: "grpc.health.v1.Health" }],
    ],
  ] as const) {
    it(`ghz calls ${title}, and is refused it without an identity token`, async () => {
      const report = await ghz(method, data, { [IDENTITY_TOKEN.header]: credentials.token ?? "" });
      console.log(`      ${method}: ${String(report.count)} calls, ${report.rps.toFixed(0)} a second`);
      assert.deepEqual(report.statusCodeDistribution, { OK: 1000 });
      open?.close();
      const before = await judged();
      const { Unauthenticated: refused = 0 } = (await ghz(method, data, {})).statusCodeDistribution ?? {};
      const after = await judged();
      // The one that is allowed is ghz's question for the methods.
      assert.deepEqual(
        { allowed: after.allowed - before.allowed, denied: after.denied - before.denied },
        { allowed: 1, denied: 1000 },
      );
      assert.ok(refused >= 990, `ghz counts ${String(refused)} of 1000 as refused`);
    });
  }
});
