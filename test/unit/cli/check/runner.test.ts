import assert from "node:assert/strict";
import { CHECKS } from "../../../../cli/check/all";
import { failure, ok, warning } from "../../../../cli/check/check";
import type { Check, Result } from "../../../../cli/check/check";
import { ClusterError, UnreachableError } from "../../../../cli/check/cluster/cluster";
import { holds } from "../../../../cli/check/report";
import { runChecks } from "../../../../cli/check/runner";
import type { Outcome } from "../../../../cli/check/runner";
import { selected } from "../../../../cli/check/select";
import { CliError } from "../../../../cli/exit-status";
import { check } from "./made";
import { recordedContext } from "./recorded-cluster";

async function run(checks: readonly Check[], limit?: number): Promise<readonly Outcome[]> {
  return runChecks(checks, (await recordedContext()).context, limit);
}

const statuses = (outcomes: readonly Outcome[]) => outcomes.map(({ check: { id }, result }) => [id, result.status]);

describe("the table of checks", () => {
  it("has unique ids", () => {
    const ids = CHECKS.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[a-z]+(-[a-z]+)*$/);
  });

  it("has what a check needs before it, and of no later phase", () => {
    CHECKS.forEach(({ id, needs = [], phase }, index) => {
      for (const need of needs) {
        const found = CHECKS.findIndex((one) => one.id === need);
        assert.ok(found >= 0 && found < index, `${id} needs ${need}`);
        if (phase === "before") assert.equal(CHECKS[found]?.phase, "before", `${id} needs ${need}`);
      }
    });
  });

  it("says of each what it tells, the remedy and where there is more", () => {
    for (const { id, title, tells, remedy, more } of CHECKS) {
      assert.match(tells, /^[A-Z].*\.$/, id);
      assert.ok(remedy.length > 10 && !remedy.endsWith("."), id);
      assert.ok(!title.endsWith(".") && title.length < 140, id);
      assert.match(more, /^[a-z/-]+\.md#[a-z0-9-]+$/, id);
    }
  });
});

describe("a run of checks", function () {
  this.timeout(120_000);

  for (const backend of ["consul", "etcd"] as const) {
    it(`of all, on a mesh with ${backend} that is well, finds nothing but plugins of this machine`, async () => {
      const { context } = await recordedContext(backend);
      const outcomes = await runChecks(selected(CHECKS, {}, backend), context);
      const others = outcomes.filter(
        ({ check: { id }, result }) => result.status !== "ok" && id !== "provider-plugins",
      );
      assert.deepEqual(
        others.map(({ check: { id }, result }) => ({ id, result })),
        [],
      );
    });
  }

  it("of all, on a mesh with etcd, tells of what is left of Consul", async () => {
    const { context, cluster } = await recordedContext("etcd");
    const consul = (await recordedContext("consul")).cluster.objects.filter(
      ({ kind, metadata }) => (kind === "Pod" || kind === "NetworkPolicy") && metadata.name.startsWith("consul"),
    );
    cluster.objects.push(...consul);
    const outcomes = await runChecks(selected(CHECKS, {}, "etcd"), context);
    const failed = outcomes.filter(({ result }) => result.status === "failure").map(({ check: { id } }) => id);
    assert.deepEqual(failed, ["network-policies-unknown", "reachability", "pods-unknown"]);
  });

  it("of all, where the stack can't be read, skips what needs it, and says so", async () => {
    const { context } = await recordedContext();
    const outcomes = await runChecks(CHECKS, { ...context, declaration: new CliError("Pulumi.dev.yaml is missing") });
    const failed = outcomes.filter(({ result }) => result.status === "failure").map(({ check: { id } }) => id);
    assert.deepEqual(failed, ["document"]);
    assert.ok(outcomes.filter(({ result }) => result.status === "ok").length >= 10);
    for (const { result } of outcomes)
      if (result.status === "skipped")
        assert.match(result.reason, /it needs [a-z-]+, which (does not hold|was skipped)/);
  });

  it("of all, before installation, skips what needs the mesh and claims nothing of it", async () => {
    const { context, cluster } = await recordedContext();
    const mine = cluster.objects.filter(({ metadata }) => (metadata.namespace ?? metadata.name).startsWith("lucid-"));
    for (const object of mine) cluster.objects.splice(cluster.objects.indexOf(object), 1);
    const outcomes = await runChecks(selected(CHECKS, {}, "consul"), context);
    const claimed = outcomes.filter(({ check: { phase }, result }) => phase !== "before" && result.status === "ok");
    assert.deepEqual(
      claimed.map(({ check: { id } }) => id),
      ["cluster-rights", "other-network-policies", "admission-unknown"],
    );
    const failed = outcomes.filter(({ check: { phase }, result }) => phase === "before" && result.status === "failure");
    assert.deepEqual(failed, []);
  });

  it("of all, by a user who may not read Secrets, skips what needs them and judges the rest", async () => {
    const { context, cluster } = await recordedContext();
    for (const zone of ["ops", "chain", "wallet", "mesh", "edge"])
      cluster.forbidden.add(`/api/v1/namespaces/lucid-${zone}/secrets`);
    const outcomes = await runChecks(selected(CHECKS, {}, "consul"), context);
    const of = (id: string) => outcomes.find(({ check }) => check.id === id)?.result;
    assert.deepEqual(of("certificates-there")?.status, "skipped");
    assert.match(JSON.stringify(of("certificates-there")), /does not let this user ask: .*secrets/);
    assert.deepEqual(of("certificates-key")?.status, "skipped");
    assert.deepEqual(of("reachability")?.status, "ok");
    assert.ok(holds(outcomes));
  });

  it("skips what needs a check that does not hold, or was skipped or not run", async () => {
    const never = () => assert.fail("it was run");
    const outcomes = await run([
      check("first", () => failure("broken")),
      check("second", never, { needs: ["first"] }),
      check("third", never, { needs: ["second"] }),
      check("fourth", never, { needs: ["elsewhere"] }),
      check("fifth", () => warning("old")),
      check("sixth", () => ok(), { needs: ["fifth"] }),
    ]);
    assert.deepEqual(
      statuses(outcomes).map(([, status]) => status),
      ["failure", "skipped", "skipped", "skipped", "warning", "ok"],
    );
    assert.deepEqual(
      outcomes.flatMap(({ result }) => (result.status === "skipped" ? [result.reason] : [])),
      [
        "it needs first, which does not hold",
        "it needs second, which was skipped",
        "it needs elsewhere, which was not run",
      ],
    );
  });

  it("gives up on a check that takes too long, by its own limit or the run's, and goes on", async () => {
    const forever = () => new Promise<Result>(() => undefined);
    const outcomes = await run(
      [check("slow", forever), check("own", forever, { seconds: 0.02 }), check("next", () => ok())],
      0.05,
    );
    assert.deepEqual(statuses(outcomes), [
      ["slow", "failure"],
      ["own", "failure"],
      ["next", "ok"],
    ]);
    assert.match(JSON.stringify(outcomes.map(({ result }) => result)), /within 0\.05 s.*within 0\.02 s/);
  });

  it("takes a refused question for no answer, and an error for a failure", async () => {
    const throws = (error: Error) => () => Promise.reject(error);
    const outcomes = await run([
      check("forbidden", throws(new ClusterError(403, "cannot list"))),
      check("absent", throws(new ClusterError(404, "no such kind"))),
      check("broken", throws(new ClusterError(500, "etcd"))),
      check("defect", throws(new TypeError("nothing there"))),
    ]);
    assert.deepEqual(
      statuses(outcomes).map(([, status]) => status),
      ["skipped", "skipped", "failure", "failure"],
    );
    await assert.rejects(run([check("away", throws(new UnreachableError("no answer")))]), UnreachableError);
  });
});

describe("the selection of checks", () => {
  const checks = [
    check("base", () => ok()),
    check("early", () => ok(), { needs: ["base"], category: "network" }),
    check("late", () => ok(), { needs: ["early"], phase: "after", category: "identity" }),
  ];
  const ids = (selection: Parameters<typeof selected>[1]) => selected(checks, selection).map(({ id }) => id);

  it("is all, what must hold before, or what is named with what it needs", () => {
    assert.deepEqual(ids({}), ["base", "early", "late"]);
    assert.deepEqual(ids({ pre: true }), ["base", "early"]);
    assert.deepEqual(ids({ only: ["network"] }), ["base", "early"]);
    assert.deepEqual(ids({ only: ["late"] }), ["base", "early", "late"]);
  });

  it("leaves out what is about another discovery backend, and refuses its name", () => {
    const both = [
      ...checks,
      ...(["consul", "etcd"] as const).map((backend) => check(backend, () => ok(), { backend })),
    ];
    const chosen = (only: readonly string[] | undefined, backend?: "consul" | "etcd") =>
      selected(both, { ...(only && { only }) }, backend).map(({ id }) => id);
    assert.deepEqual(chosen(undefined, "etcd"), ["base", "early", "late", "etcd"]);
    assert.deepEqual(chosen(["stack"], "consul"), ["base", "consul"]);
    assert.deepEqual(chosen(undefined), ["base", "early", "late", "consul", "etcd"]);
    assert.throws(
      () => chosen(["etcd"], "consul"),
      /--only etcd: it is about etcd, and the stack's discoveryBackend is consul/,
    );
  });

  it("refuses a word that names nothing, and one that leaves nothing", () => {
    assert.throws(() => ids({ only: ["networks"] }), /--only networks: there is no such category/);
    assert.throws(() => ids({ only: ["late"], pre: true }), /leave out --pre/);
  });
});
