import assert from "node:assert/strict";
import type * as tls from "node:tls";
import { INSPECTED_PATHS, SIDECAR_PORTS, ZONES, serverName } from "../../../mesh";
import { podOf } from "../support/cluster";
import { service } from "../support/document";
import { forge } from "../support/forged";
import type { Forgery } from "../support/forged";
import { credentialsOf, describeAnswer, request, tokenOf } from "../support/handshake";
import type { Answer, Credentials } from "../support/handshake";

const callee = service("tron-payment");
const caller = service("payout-router");
const name = serverName("http", callee.name, caller.zone);
const MINUTE_MS = 60_000;

describe("certificates presented to a callee that the caller may call", () => {
  it("the caller's own certificate is accepted", async () => {
    const answer = await present(await credentialsOf(caller));
    assert.ok("status" in answer && answer.status === 200, describeAnswer(answer));
  });

  it("the right identity, signed by the caller zone's authority, is accepted: what follows is refused for what it says", async () => {
    const leaf = await forge({ signer: caller.zone, uri: caller.identity });
    const answer = await present({ ...leaf, token: await tokenOf(caller) });
    assert.ok("status" in answer && answer.status === 200, describeAnswer(answer));
  });

  for (const signer of ZONES.filter((zone) => zone !== caller.zone)) {
    it(`the right identity, signed by the authority of zone ${signer}, is refused`, () =>
      refused({ signer, uri: caller.identity }));
  }
  it("another service of the right zone is refused", () => refused({ signer: caller.zone, uri: callee.identity }));
  it("an identity that is a prefix of the right one is refused", () =>
    refused({ signer: caller.zone, uri: caller.identity.slice(0, -1) }));
  it("an identity that the right one is a prefix of is refused", () =>
    refused({ signer: caller.zone, uri: `${caller.identity}x` }));
  it("an expired certificate is refused", () =>
    refused({
      signer: caller.zone,
      uri: caller.identity,
      notBefore: new Date(Date.now() - 60 * MINUTE_MS),
      notAfter: new Date(Date.now() - MINUTE_MS),
    }));
  it("no certificate is refused", async () => assertRefused(await present(undefined)));
  it("a chain that is not declared is refused", async () => {
    assertRefused(await present(await credentialsOf(caller), { serverName: serverName("http", callee.name, "chain") }));
  });
  it("TLS 1.2 is refused", async () => {
    assertRefused(await present(await credentialsOf(caller), { tlsOptions: { maxVersion: "TLSv1.2" } }));
  });
});

describe("tokens presented beside the caller's own certificate", () => {
  const status = async (token: string | undefined): Promise<number | undefined> => {
    const { cert, key } = await credentialsOf(caller);
    const answer = await present({ cert, key, ...(token === undefined ? {} : { token }) });
    assert.ok("status" in answer, describeAnswer(answer));
    return answer.status;
  };

  it("its own is accepted: what follows is refused for what it says", async () => {
    assert.equal(await status(await tokenOf(caller)), 200);
  });
  it("none is refused", async () => {
    assert.equal(await status(undefined), 401);
  });
  it("another service's is refused", async () => {
    assert.equal(await status(await tokenOf(callee)), 403);
  });
  it("one for the Kubernetes API is refused", async () => {
    assert.equal(await status(await tokenOf(caller, "https://kubernetes.default.svc.cluster.local")), 403);
  });
  it("its own beside another service's certificate is refused before it is looked at", async () => {
    assertRefused(await present({ ...(await credentialsOf(callee)), token: await tokenOf(caller) }));
  });
});

describe("the inspection listener", () => {
  const inspect = async (who: string, path: string, inspected = callee): Promise<Answer> =>
    request({
      pod: await podOf(inspected),
      port: SIDECAR_PORTS.inspection,
      serverName: `inspection.${service(who).zone}`,
      protocol: "http",
      credentials: await credentialsOf(service(who)),
      path,
    });

  it("shows Prometheus the metrics", async () => {
    const answer = await inspect("prometheus", "/stats/prometheus");
    assert.ok("status" in answer && answer.status === 200, describeAnswer(answer));
  });
  it("shows Prometheus nothing else", async () => {
    const answer = await inspect("prometheus", "/config_dump");
    assert.ok("status" in answer && [403, 404].includes(answer.status), describeAnswer(answer));
  });
  it("takes Prometheus, and neither the controller nor another service, to metrics that an application tells", async () => {
    const controller = service("mesh-controller");
    const told = await inspect("prometheus", "/metrics", controller);
    assert.ok("status" in told && told.status === 200, describeAnswer(told));
    for (const path of ["/status", "/api/v1/overview", "/metrics/../status"]) {
      const other = await inspect("prometheus", path, controller);
      assert.ok("status" in other && [403, 404].includes(other.status), `${path}: ${describeAnswer(other)}`);
    }
    const itself = await inspect("mesh-controller", "/metrics", controller);
    assert.ok("status" in itself && itself.status === 403, describeAnswer(itself));
    assertRefused(await inspect("admin-ui", "/metrics", controller));
  });
  it("takes nobody to an application that declares no metrics", async () => {
    const answer = await inspect("prometheus", "/metrics");
    assert.ok("status" in answer && answer.status === 403, describeAnswer(answer));
  });
  it("shows the controller by which files a sidecar runs and what it serves, and nothing else", async () => {
    for (const path of Object.values(INSPECTED_PATHS)) {
      const answer = await inspect("mesh-controller", path);
      assert.ok("status" in answer && answer.status === 200, `${path}: ${describeAnswer(answer)}`);
      const other = await inspect("prometheus", path);
      assert.ok("status" in other && other.status === 403, `${path}: ${describeAnswer(other)}`);
    }
    for (const path of ["/config_dump", "/config_dump?mask=version_info", "/stats?filter=.", "/stats/prometheus"]) {
      const answer = await inspect("mesh-controller", path);
      assert.ok("status" in answer && answer.status === 403, `${path}: ${describeAnswer(answer)}`);
    }
  });
  it("is closed to a service of the same zone as Prometheus", async () => {
    assertRefused(await inspect("admin-ui", "/stats/prometheus"));
  });
});

async function present(
  credentials: Credentials | undefined,
  change: { readonly serverName?: string; readonly tlsOptions?: tls.ConnectionOptions } = {},
): Promise<Answer> {
  return request({ pod: await podOf(callee), serverName: name, protocol: "http", credentials, path: "/", ...change });
}

async function refused(forgery: Forgery): Promise<void> {
  assertRefused(await present(await forge(forgery)));
}

function assertRefused(answer: Answer): void {
  assert.ok("refused" in answer, describeAnswer(answer));
}
