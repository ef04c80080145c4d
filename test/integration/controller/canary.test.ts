/** The live canary of the bundled controller, at pods that the test itself plays on loopback: what is told, of whom, and what is not. */
import assert from "node:assert/strict";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import { createServer as createTls } from "node:tls";
import type { CanaryCount, Layer, Outcome } from "../../../services/controller/src/canary/model";
import { Authority } from "../envoy/pki";
import { eventually } from "../support/eventually";
import { BACKENDS, type Backend } from "./backends";
import { ControllerLab } from "./lab";
import type { Replica } from "./replica";

const POD = "admin-ui-a";
const ADDRESS = "127.77.15.1";
const CLOSED = 15021;
const OPEN = 15090;

interface Told {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid?: string };
}

interface CanaryStatus {
  readonly counts: readonly CanaryCount[];
  readonly letIn: readonly { readonly pod: string; readonly layer: string; readonly detail: string }[];
  readonly blind: readonly { readonly pod: string; readonly layer: string; readonly detail: string }[];
}

describe("the live canary of the controller", function () {
  this.timeout(300_000);
  let backend: Backend;
  let lab: ControllerLab;
  let leader: Replica;
  let sidecar: () => Promise<Server>;
  const servers = new Map<number, Server>();

  before(async () => {
    const authority = await Authority.create("ops");
    const leaf = await authority.issue(
      "admin-ui.lucid.internal",
      "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui",
    );
    const { roots: ca } = await authority.bundle();
    sidecar = () => listening(OPEN, createTls({ cert: leaf.certificate, key: leaf.key, ca, requestCert: true }));
    backend = await (BACKENDS.etcd as () => Promise<Backend>)();
    lab = await ControllerLab.start(backend, {
      LUCID_NAMESPACES: "lucid-ops=ops,lucid-chain=chain,lucid-mesh=mesh",
      CANARY_INTERVAL: "1",
    });
    leader = await lab.replica();
    await eventually("a leader", async () => {
      assert.ok((await leader.status()).leading);
    });
    await sidecar();
    await lab.pod(POD, ADDRESS);
  });
  after(async () => {
    for (const port of servers.keys()) close(port);
    await lab.stop();
    await backend.stop();
  });

  const listening = async (port: number, server: Server): Promise<Server> => {
    server.on("error", () => undefined);
    // It is knocked at, and left.
    for (const knocked of ["connection", "secureConnection"])
      server.on(knocked, (socket: Socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => server.listen(port, ADDRESS, resolve));
    servers.set(port, server);
    return server;
  };
  const close = (port: number) => {
    servers.get(port)?.close();
    servers.delete(port);
  };
  const knows = (layer: Layer, outcome: Outcome, count: number) =>
    eventually(
      `${String(count)} pods ${outcome} at the ${layer}`,
      async () => {
        const labels = [`layer="${layer}"`, `outcome="${outcome}"`];
        assert.equal(await leader.counted("lucid_controller_canary", ...labels), count, leader.output.slice(-2000));
      },
      40,
    );
  const events = async (): Promise<readonly Told[]> => {
    const path = "/api/v1/namespaces/lucid-ops/events?fieldSelector=reason%3DEnforcementLost";
    return ((await lab.api.ask({ method: "GET", path })) as unknown as { items: Told[] }).items;
  };
  const drifted = (expected: string, message: RegExp) =>
    eventually(
      `Drifted ${expected}`,
      async () => {
        const { status } = await lab.meshService("lucid-ops", "admin-ui");
        const found = status?.conditions?.find(({ type }) => type === "Drifted");
        assert.equal(found?.status, expected, found?.message);
        assert.match(found.message, message);
      },
      40,
    );
  const told = async (): Promise<CanaryStatus> => {
    const { canary } = (await leader.status()) as unknown as { canary: CanaryStatus };
    return canary;
  };

  it("finds both layers in force, and tells of nothing", async () => {
    await knows("network", "enforced", 1);
    await knows("sidecar", "enforced", 1);
    await drifted("False", /as it was declared/);
    assert.deepEqual(await events(), []);
    assert.deepEqual((await told()).letIn, []);
  });

  it("tells of a pod whose network lets in what no policy opens, once, and of its end", async () => {
    await listening(CLOSED, createTcp());
    await knows("network", "let-in", 1);
    await knows("network", "enforced", 0);
    await drifted("True", /Pod lucid-ops\/admin-ui-a on node unknown is not held apart: port 15021/);
    assert.equal(await leader.counted("lucid_controller_drift", 'zone="ops"', 'class="enforcement"'), 1);
    const [event, ...others] = await eventually("an Event", async () => {
      const found = await events();
      assert.ok(found.length > 0);
      return found;
    });
    assert.deepEqual(others, []);
    assert.equal(`${String(event?.involvedObject.kind)} ${String(event?.involvedObject.name)}`, `Pod ${POD}`);
    assert.ok(event?.involvedObject.uid, "by the uid `kubectl describe` finds it");
    assert.match(event.message, /port 15021, which no NetworkPolicy opens/);
    assert.deepEqual(
      (await told()).letIn.map(({ pod, layer }) => `${pod} ${layer}`),
      [`${POD} network`],
    );

    close(CLOSED);
    await knows("network", "enforced", 1);
    await knows("network", "let-in", 0);
    await drifted("False", /as it was declared/);
    assert.equal(await leader.counted("lucid_controller_drift", 'class="enforcement"'), 0);
    assert.equal((await events()).length, 1);
  });

  it("tells of a sidecar that serves whoever comes", async () => {
    close(OPEN);
    await listening(
      OPEN,
      createTcp((socket) => {
        socket.on("data", () => socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"));
      }),
    );
    await knows("sidecar", "let-in", 1);
    await drifted("True", /port 15090 of the sidecar answers without TLS/);
    close(OPEN);
    await sidecar();
    await knows("sidecar", "enforced", 1);
  });

  it("is blind where the port beside doesn't answer, and takes that neither for enforced nor for lost", async () => {
    const before = (await events()).length;
    close(OPEN);
    await knows("network", "blind", 1);
    await knows("network", "enforced", 0);
    assert.match((await told()).blind[0]?.detail ?? "", /15090.*does not answer/);
    assert.equal(await leader.counted("lucid_controller_drift", 'class="enforcement"'), 0);
    await sidecar();
    await knows("network", "enforced", 1);
    assert.equal((await events()).length, before);
  });

  it("is blind while the controller's own policy is not as declared: that may be what refuses", async () => {
    const path = "/apis/networking.k8s.io/v1/namespaces/lucid-mesh/networkpolicies/mesh-controller";
    const { spec } = (await lab.api.ask({ method: "GET", path })) as unknown as { spec: { egress: unknown } };
    const put = (egress: unknown) =>
      lab.api.ask({
        method: "PATCH",
        path,
        body: { spec: { egress } },
        contentType: "application/merge-patch+json",
      });
    await put([]);
    await knows("network", "blind", 1);
    assert.match((await told()).blind[0]?.detail ?? "", /the controller's own NetworkPolicy is not as declared/);
    await put(spec.egress);
    await knows("network", "enforced", 1);
  });

  it("forgets a pod that is not ready, or gone, and a change of leader is no alarm", async () => {
    const before = (await events()).length;
    const other = await lab.replica();
    await other.ready("following");
    assert.equal(await other.counted("lucid_controller_canary"), 0, "the replica that leads tells");
    await leader.end();
    leader = other;
    await knows("network", "enforced", 1);
    await knows("sidecar", "enforced", 1);
    await lab.report(POD, false, ADDRESS);
    await knows("network", "enforced", 0);
    assert.deepEqual((await told()).counts, []);
    await lab.report(POD, true, ADDRESS);
    await knows("network", "enforced", 1);
    await lab.removePod(POD);
    await knows("network", "enforced", 0);
    assert.equal((await events()).length, before);
  });
});
