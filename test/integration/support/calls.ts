/** The calls of the document, made on the cluster by the applications themselves. */
import assert from "node:assert/strict";
import { SIDECAR_PORTS } from "../../../mesh";
import { core, exec, podOf, podsOf } from "./cluster";
import type { ExecResult } from "../../../components/stack/pod-exec";
import { applications, declaredCalls, describeCall } from "./document";
import type { Call } from "./document";
import { eventually } from "./eventually";

/** Calls from an application that can be told to call, to one that echoes. */
const echoing = declaredCalls.filter(({ from, to }) => applications.includes(from) && applications.includes(to));
/** Declared calls to services that do not echo. */
const others = declaredCalls.filter((call) => !echoing.includes(call) && applications.includes(call.from));

/** Every declared call answers, by its own application and to its own callee; and one that is not declared has neither a name nor a listener. */
export function callsAnswer(): void {
  describe("declared calls answer", () => {
    for (const call of echoing) {
      it(`${describeCall(call)}, and the callee sees who called`, async () => {
        const result = await eventually(describeCall(call), () => succeed(call));
        if (call.port.protocol === "grpc") {
          await eventually("the callee's access log", () => calleeLogged(call));
        } else {
          assert.match(result.stdout, new RegExp(`X-Forwarded-Client-Cert: .*URI=${call.from.identity}`, "i"));
        }
      });
    }

    for (const call of others) {
      it(`${describeCall(call)}, as far as its rules go`, async () => {
        const path = call.to.name === "prometheus" ? "/-/ready" : "/";
        const url = `http://${call.to.hostname}:${call.port.dialPort}${path}`;
        await eventually(describeCall(call), async () => assertSuccess(await curl(call, url)));
        await eventually("the callee's access log", () => calleeLogged(call));
      });
    }

    it("admin-ui -> prometheus: a path that is not declared is refused by the callee's sidecar", async () => {
      const call = declaredCalls.find(({ from, to }) => from.name === "admin-ui" && to.name === "prometheus");
      assert.ok(call);
      const result = await curl(call, `http://${call.to.hostname}/metrics`);
      assert.match(result.stdout + result.stderr, /403/);
    });
  });

  describe("a call that is not declared", () => {
    it("has no name to call", async () => {
      const pod = await podOf({ name: "lucid-blocks", namespace: "lucid-chain" });
      const { code, stderr } = await exec(pod, "app", [
        "fortio",
        "curl",
        "-loglevel",
        "info",
        "http://tron-payment.lucid.internal/",
      ]);
      assert.notEqual(code, 0);
      assert.match(stderr, /no such host|NXDOMAIN|server misbehaving/i);
    });

    it("has no listener to answer it", async () => {
      const pod = await podOf({ name: "lucid-blocks", namespace: "lucid-chain" });
      const callee = declaredCalls.find(({ to }) => to.name === "tron-payment")?.to;
      assert.ok(callee);
      const { code } = await exec(pod, "app", ["fortio", "curl", `http://${callee.address}/`]);
      assert.notEqual(code, 0);
    });
  });
}

/** Makes a declared call to a service that echoes. @throws AssertionError where it does not succeed */
export async function succeed(call: Call): Promise<ExecResult> {
  const target = `${call.to.hostname}:${call.port.dialPort}`;
  if (call.port.protocol !== "grpc") return assertSuccess(await curl(call, `http://${target}/debug`));
  return assertSuccess(await exec(await podOf(call.from), "app", ["fortio", "grpcping", "-n", "1", target]));
}

async function curl(call: Call, url: string): Promise<ExecResult> {
  return exec(await podOf(call.from), "app", ["fortio", "curl", url]);
}

function assertSuccess(result: ExecResult): ExecResult {
  assert.equal(result.code, 0, `exit ${result.code}: ${result.stderr}`);
  return result;
}

/** The callee's sidecar names the caller in its access log. */
async function calleeLogged(call: Call): Promise<void> {
  const logs = await Promise.all(
    (await podsOf(call.to)).map((pod) =>
      core.readNamespacedPodLog({ name: pod.name, namespace: pod.namespace, container: "sidecar", tailLines: 500 }),
    ),
  );
  assert.ok(
    logs.some((log) => log.split("\n").some((line) => line.includes(call.from.identity))),
    `no line with ${call.from.identity} in the log of ${call.to.name}'s sidecar (port ${SIDECAR_PORTS.inbound})`,
  );
}
