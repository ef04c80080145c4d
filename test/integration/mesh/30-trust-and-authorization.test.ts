import assert from "node:assert/strict";
import { edgesTo, serverName } from "../../../mesh";
import type { Service } from "../../../mesh";
import { podOf } from "../support/cluster";
import type { PodRef } from "../support/cluster";
import { describeCall, mesh, undeclaredCalls } from "../support/document";
import type { Call } from "../support/document";
import { SYNC_SECONDS, eventually } from "../support/eventually";
import { credentialsOf, describeAnswer, request } from "../support/handshake";
import type { Answer, Credentials } from "../support/handshake";
import { openAuthorization, openTrust, restoreSidecar } from "../support/opened-sidecar";

/** The chains that a callee has, and the one that a caller would ask for. An attacker picks whichever he likes. */
function serverNames({ from, to, port }: Call): string[] {
  const chains = edgesTo(mesh, to).map((edge) => {
    const caller = mesh.services.find(({ name }) => name === edge.from);
    assert.ok(caller);
    return serverName(edge.port, to.name, caller.zone);
  });
  return [
    ...new Set([
      serverName(port.name, to.name, from.zone),
      ...chains.filter((name) => name.startsWith(`${port.name}.`)),
    ]),
  ];
}

/** Ports with at least one chain, by which a callee can be entered at all. */
const hasChain = ({ to, port }: Call) => edgesTo(mesh, to).some((edge) => edge.port === port.name);

describe("trust and authorization, each on its own (through a port-forward: no NetworkPolicy in the way)", function () {
  this.timeout(SYNC_SECONDS * 3000);
  const credentials = new Map<Service, Credentials>();
  const pods = new Map<Service, PodRef>();

  before(async () => {
    for (const service of mesh.services) {
      credentials.set(service, await credentialsOf(service));
      pods.set(service, await podOf(service));
    }
  });

  const present = async (call: Call, name: string): Promise<Answer> => {
    const pod = pods.get(call.to);
    const shown = credentials.get(call.from);
    assert.ok(pod && shown);
    return request({ pod, serverName: name, protocol: call.port.protocol, credentials: shown, path: "/" });
  };

  describe("mutual TLS refuses the valid certificate of every undeclared caller, whichever chain it asks for", () => {
    for (const call of undeclaredCalls) {
      it(describeCall(call), async () => {
        for (const name of serverNames(call)) {
          const answer = await present(call, name);
          assert.ok("refused" in answer, `${name}: ${describeAnswer(answer)}`);
        }
      });
    }
  });

  const enterable = undeclaredCalls.filter(hasChain);
  const callees = [...new Set(enterable.map(({ to }) => to))];
  const enter = (call: Call) => {
    const name = serverNames(call).at(-1);
    assert.ok(name);
    return present(call, name);
  };

  describe("with trust opened, authorization refuses every undeclared caller by itself", () => {
    before(() => Promise.all(callees.map(openTrust)));

    for (const call of enterable) {
      it(describeCall(call), async () => {
        await eventually(
          `403 for ${describeCall(call)}`,
          async () => assertStatus(await enter(call), (status) => status === 403),
          SYNC_SECONDS,
        );
      });
    }
  });

  describe("with trust opened and authorization off, the same requests pass: it was these layers that refused them", () => {
    before(() => Promise.all(callees.map(openAuthorization)));

    for (const call of enterable) {
      it(describeCall(call), async () => {
        await eventually(
          `an answer for ${describeCall(call)}`,
          async () => assertStatus(await enter(call), (status) => status !== 403 && status < 500),
          SYNC_SECONDS,
        );
      });
    }
  });

  describe("put back", () => {
    before(() => Promise.all(callees.map(restoreSidecar)));

    for (const call of enterable) {
      it(`${describeCall(call)} is refused again`, async () => {
        await eventually(
          "the refusal",
          async () => {
            const answer = await enter(call);
            assert.ok("refused" in answer, describeAnswer(answer));
          },
          SYNC_SECONDS,
        );
      });
    }
  });
});

function assertStatus(answer: Answer, holds: (status: number) => boolean): void {
  assert.ok("status" in answer && holds(answer.status), describeAnswer(answer));
}
