import * as assert from "node:assert/strict";
import type { Mesh } from "../../../../mesh/model";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";
import { toolPath } from "../../support/tool-path";
import { runTool } from "../tool";

const TARGET = `${services.blocks.hostname}:81`;
/** Where the real gRPC server (fortio: ping, health, reflection) listens in place of the tests' own. */
const SERVER_PORT = 8077;

/** What ghz reports, as far as it is read here. */
interface Report {
  readonly count: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly errorDistribution: Readonly<Record<string, number>> | null;
  readonly average: number;
  readonly rps: number;
}

/** A gRPC client that nobody wrote for this mesh: it learns the methods by reflection, and calls them through two sidecars. */
export function grpcClient(lab: () => MeshLab): void {
  const ghz = async (method: string, data: unknown, ...more: readonly string[]): Promise<Report> => {
    const args = ["--insecure", "--call", method, "-d", JSON.stringify(data), "-O", "json", ...more, TARGET];
    const { code, output } = await runTool(lab().host("router"), "ghz", args);
    assert.equal(code, 0, output);
    return JSON.parse(output) as Report;
  };
  /** Puts the real server behind the sidecar, and (where given) rules on the edge to it. */
  const mount = (mesh: Mesh) => {
    lab().sidecars.blocks.mountConfig(mesh, (_file, text) =>
      text.replaceAll("port_value: 8079", `port_value: ${String(SERVER_PORT)}`),
    );
  };
  const show = (what: string, { count, rps, average }: Report) => {
    const ms = (average / 1e6).toFixed(2);
    console.log(`      ${what}: ${String(count)} calls, ${rps.toFixed(0)} a second, ${ms} ms each on average`);
  };
  const load = ["-n", "2000", "-c", "20", "--connections", "4"];

  describe("ghz", () => {
    before(async () => {
      const none = ["http", "redirect", "tcp", "udp"].flatMap((name) => [`-${name}-port`, "disabled"]);
      const argv = [toolPath("fortio"), "server", ...none, "-grpc-port", `127.0.0.1:${String(SERVER_PORT)}`];
      lab().host("blocks").spawn(argv, 0, { stdio: "ignore" });
      mount(lab().mesh);
      await until("the server answers", async () => {
        const answer = await lab().host("router").call("callGrpc", { target: TARGET, method: "Ping" });
        return answer.code === undefined;
      });
    });
    after(() => {
      lab().sidecars.blocks.mountConfig(lab().mesh);
    });

    it("calls a method that it knows by reflection alone", async () => {
      const report = await ghz("fgrpc.PingServer.Ping", { payload: "through two sidecars" }, ...load);
      show("unary", report);
      assert.deepEqual(report.statusCodeDistribution, { OK: 2000 });
    });

    it("asks for health", async () => {
      const report = await ghz("grpc.health.v1.Health.Check", { service: "" }, ...load);
      show("health", report);
      assert.deepEqual(report.statusCodeDistribution, { OK: 2000 });
    });

    it("streams both ways", async () => {
      const questions = ["fgrpc.PingServer", "grpc.health.v1.Health"].map((name) => ({ file_containing_symbol: name }));
      const method = "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo";
      const report = await ghz(method, questions, "-n", "500", "-c", "10");
      show("both ways", report);
      assert.deepEqual(report.statusCodeDistribution, { OK: 500 });
    });

    it("is refused a method that the edge does not have, and no other", async () => {
      const paths = ["/fgrpc.PingServer/Ping", "/grpc.reflection.*"];
      const edges = lab().mesh.edges.map((edge) =>
        edge.from === "router" && edge.to === "blocks" && edge.port === "grpc"
          ? { ...edge, rules: [{ methods: ["POST"], paths }] }
          : edge,
      );
      mount({ ...lab().mesh, edges });
      const check = () => ghz("grpc.health.v1.Health.Check", { service: "" }, "-n", "200");
      await until("the rule holds", async () => (await check()).statusCodeDistribution.OK === undefined, 30_000);
      assert.deepEqual((await check()).statusCodeDistribution, { PermissionDenied: 200 });
      const ping = await ghz("fgrpc.PingServer.Ping", { payload: "" }, "-n", "200");
      assert.deepEqual(ping.statusCodeDistribution, { OK: 200 });
    });
  });
}
