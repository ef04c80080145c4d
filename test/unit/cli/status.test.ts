import assert from "node:assert/strict";
import { CliError } from "../../../cli/exit-status";
import { run } from "../../../cli/program";
import { controllerPort, readOverview } from "../../../cli/status/controller";
import { overviewText } from "../../../cli/status/report";
import type { Overview } from "../../../mesh/overview/model";
import { HOSTILE, troubledMesh, wellMesh } from "../../integration/page/meshes";
import { recordedContext } from "./check/recorded-cluster";
import type { RecordedCluster } from "./check/recorded-cluster";

const ANSWER = "mesh-controller/api/v1/overview";

describe("mesh status", () => {
  let cluster: RecordedCluster;
  beforeEach(async () => {
    cluster = (await recordedContext()).cluster;
  });
  const answers = (status: number, body: unknown) =>
    cluster.answers.set(ANSWER, { status, body: typeof body === "string" ? body : JSON.stringify(body) });
  const pods = () =>
    cluster.objects.filter(({ kind, metadata }) => kind === "Pod" && metadata.name.startsWith("mesh-controller"));

  it("asks a replica that is ready, where its application listens", async () => {
    const { pod, port } = await controllerPort(cluster);
    assert.deepEqual([pod.namespace, port], ["lucid-mesh", 8080]);
    assert.ok(pods().some(({ metadata }) => metadata.name === pod.name));
  });

  it("says what to do where none is ready", async () => {
    for (const pod of pods()) cluster.objects.splice(cluster.objects.indexOf(pod), 1);
    await assert.rejects(
      readOverview(cluster),
      (error) => error instanceof CliError && /mesh check/.test(error.message),
    );
  });

  it("reads what the controller tells", async () => {
    answers(200, wellMesh());
    assert.deepEqual(await readOverview(cluster), wellMesh());
  });

  for (const [title, status, body] of [
    ["a refusal", 404, { error: "there is no such path" }],
    ["a page", 200, "<html>"],
    ["another version's form", 200, { ...wellMesh(), apiVersion: "v2" }],
    ["a state that there is not", 200, { ...wellMesh(), mesh: { ...wellMesh().mesh, state: "fine" } }],
  ] as const)
    it(`takes ${title} for no answer`, async () => {
      answers(status, body);
      await assert.rejects(readOverview(cluster), CliError);
    });

  it("prints each zone, service and call, what is wrong, and what nobody knows", () => {
    const text = overviewText(troubledMesh());
    assert.match(text, /^The mesh is failing: 6 of 9 services are well/);
    assert.match(text, /^wallet +failing +1 +0 +0 +1$/m);
    assert.match(text, /^payout-router +wallet +well +1\/1 +1 +60 d +not compared$/m);
    assert.match(text, /^tron-payment +wallet +failing +0\/1 +0 +ended +not compared$/m);
    assert.match(text, /^payout-router -> tron-payment +http +failing +8\.00 +5\.60 +1\.25 +12\.0$/m);
    assert.match(text, /^lucid-blocks -> admin-ui \(undeclared\) /m);
    assert.match(text, /^- mesh: failing: calls are made that no declaration has: lucid-blocks to admin-ui$/m);
    assert.match(text, /^- and 248 more$/m);
    assert.match(text, /^Drift: nobody compares/m);
  });

  it("says of a mesh that is well nothing that is not", () => {
    const text = overviewText(wellMesh());
    assert.match(text, /^The mesh is well: 7 of 7/);
    assert.doesNotMatch(text, /Not well|Violations/);
    assert.match(text, /those of the 5 minutes before/);
  });

  it("prints what fires, with what it says and where it is said what to do", () => {
    const text = overviewText(troubledMesh());
    assert.match(text, /^Alerts \(249\):$/m);
    assert.match(
      text,
      /^- critical: LucidEnforcementLost since 2026-06-01T11:48:00\.000Z: In ops something .* \(docs\/runbooks\/enforcement\.md#lucidenforcementlost\)$/m,
    );
    assert.match(text, /^- and 247 more$/m);
    assert.match(text, /can't be evaluated: /);
  });

  it("says that none fires, or that nobody knows", () => {
    const told = (alerts: Partial<Overview["alerts"]>) =>
      overviewText({ ...wellMesh(), alerts: { ...wellMesh().alerts, ...alerts } });
    assert.match(told({}), /^Alerts: none of 36 rules fires\.$/m);
    assert.match(told({ pending: 2 }), /^Alerts: none of 36 rules fires; 2 may soon\.$/m);
    assert.match(told({ rules: 0 }), /^Alerts: Prometheus has no rules\.$/m);
    for (const state of ["off", "never", "stale"] as const) {
      const text = told({ state, error: "Prometheus answers 403" });
      assert.match(text, /^Whether an alert fires is not known: /m);
      assert.doesNotMatch(text, /none/);
    }
    assert.match(told({ state: "never", error: "Prometheus answers 403" }), /\(Prometheus answers 403\)/);
  });

  it("says that rates are not known where they aren't", () => {
    for (const state of ["off", "never", "stale"] as const) {
      const traffic = { state, asOf: null, window: 300, error: null };
      assert.match(overviewText({ ...wellMesh(), traffic }), /What goes over the calls is not known/);
    }
  });

  it("lets nothing of what it is told command the terminal", () => {
    const well = wellMesh();
    const findings = [{ check: "nodes", state: "degraded" as const, message: `\u001B[31m${HOSTILE[5]}\u009B2J` }];
    const text = overviewText({ ...well, mesh: { ...well.mesh, findings } });
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}]/u);
  });

  it("ends with status 2 where no kubeconfig or cluster is there", async () => {
    const { error } = console;
    let said = "";
    console.error = (text: string) => (said += text);
    try {
      assert.equal(await run(["status", "--kubeconfig", "/nowhere/kubeconfig"]), 2);
    } finally {
      console.error = error;
    }
    assert.match(said, /\/nowhere\/kubeconfig, the kubeconfig that --kubeconfig or --context names, is not there/);
  });
});
