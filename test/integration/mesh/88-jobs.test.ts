import assert from "node:assert/strict";
import type { V1ContainerStatus, V1Job, V1Pod } from "@kubernetes/client-node";
import { LABELS } from "../../../mesh";
import { batch, core, podsOf } from "../support/cluster";
import { membersWith, policyConfig } from "../support/ceiling";
import { mayRegister } from "../support/discovery";
import { service } from "../support/document";
import { eventually } from "../support/eventually";
import { deploy, deployDeclared } from "../support/stacks/variation";
import type { WrittenDocument, WrittenService } from "../support/stacks/variation";

const NAMESPACE = "lucid-ops";
const JOB = "ledger-audit";
const CRONJOB = "ledger-tick";
const RERUN = "ledger-rerun";
const SPIES = { callee: "ledger-spy", path: "ledger-snoop" } as const;
const CALLEE = "admin-ui";

/** Fortio's sum of a run, as far as it is read here. */
interface Report {
  readonly RetCodes: Readonly<Record<string, number>>;
}

/** Calls for some seconds; fails where the first answer is none or not 200. */
function caller(name: string, url: string, more: Partial<WrittenService> = {}): WrittenService {
  return {
    name,
    plane: "ops",
    image: "fortio/fortio:1.66.2",
    args: ["load", "-quiet", "-t", "3s", "-qps", "10", "-c", "1", "-json", "-", url],
    version: "1",
    workload: { kind: "job", activeDeadline: "5m" },
    calls: [{ service: CALLEE, paths: ["/debug"] }],
    ...more,
  };
}

const identityOf = (name: string) => `spiffe://ops.lucid.internal/ns/${NAMESPACE}/sa/${name}`;
const scheduled = caller(CRONJOB, `http://${CALLEE}.lucid.internal/debug`, {
  workload: { kind: "cronjob", schedule: "* * * * *", activeDeadline: "5m" },
});
const ALLOWED = `http://${CALLEE}.lucid.internal/debug`;

/** Deploys the declared document with jobs beside it. */
async function deployWith(...jobs: readonly WrittenService[]): Promise<void> {
  const names = jobs.map(({ name }) => name);
  await deploy({
    document: (document: WrittenDocument) => {
      document.zones.ops?.members.push(...names);
      document.services.push(...jobs);
    },
    policyConfig: policyConfig({ members: membersWith("ops", names) }),
  });
}

async function jobsOf(name: string): Promise<V1Job[]> {
  const labelSelector = `${LABELS.name}=${name}`;
  return (await batch.listNamespacedJob({ namespace: NAMESPACE, labelSelector })).items;
}

/** The one Job of a name. */
async function jobOf(name: string): Promise<V1Job> {
  const [job, ...others] = await jobsOf(name);
  assert.ok(job !== undefined && others.length === 0, `one Job of ${name}, and ${others.length} besides`);
  return job;
}

function is(job: V1Job, condition: "Complete" | "Failed"): boolean {
  return job.status?.conditions?.some(({ type, status }) => type === condition && status === "True") ?? false;
}

async function endedPods(name: string): Promise<V1Pod[]> {
  const { items } = await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: `${LABELS.name}=${name}` });
  return items;
}

/** Containers of a pod, init containers (the sidecar) first. */
function containers(pod: V1Pod): readonly V1ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

function nameOf(object: V1Job | V1Pod): string {
  return object.metadata?.name ?? "";
}

/** Successful calls of a caller, in the records of the callee's sidecars. */
async function recordsOf(name: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const records: Record<string, unknown>[] = [];
  for (const pod of await podsOf(service(CALLEE))) {
    const log = await core.readNamespacedPodLog({
      name: pod.name,
      namespace: pod.namespace,
      container: "sidecar",
      tailLines: 2000,
    });
    const lines = log.split("\n").filter((line) => line.includes(identityOf(name)) && line.includes('"kind":"call"'));
    records.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
  }
  return records;
}

describe("jobs", function () {
  this.timeout(900_000);
  after(deployDeclared);

  describe("one that is deployed", () => {
    let first: V1Job;
    let rerun: V1Job;
    before(async () => {
      await deployWith(caller(JOB, ALLOWED), caller(RERUN, ALLOWED), scheduled);
      [first, rerun] = [await jobOf(JOB), await jobOf(RERUN)];
    });

    it("has completed when pulumi up is done", () => {
      assert.ok(is(first, "Complete"), JSON.stringify(first.status));
      assert.ok(!is(first, "Failed"));
    });

    it("leaves no container running, and its sidecar ends with its application", async () => {
      const pods = await endedPods(JOB);
      const succeeded = pods.filter(({ status }) => status?.phase === "Succeeded");
      assert.equal(succeeded.length, 1);
      for (const pod of pods) {
        const running = containers(pod).filter(({ state }) => state?.terminated === undefined);
        assert.deepEqual(
          running.map(({ name }) => name),
          [],
        );
      }
      const ended = (name: string) =>
        containers(succeeded[0] ?? {})
          .find((each) => each.name === name)
          ?.state?.terminated?.finishedAt?.getTime();
      const lingered = ((ended("sidecar") ?? Number.NaN) - (ended("app") ?? Number.NaN)) / 1000;
      console.log(`      the sidecar ended ${lingered} s after the application`);
      assert.ok(lingered <= 10, String(lingered));
    });

    it("called its callee through its sidecar, as itself, and got every answer", async () => {
      const [pod] = (await endedPods(JOB)).filter(({ status }) => status?.phase === "Succeeded");
      assert.ok(pod !== undefined);
      const log = await core.readNamespacedPodLog({ name: nameOf(pod), namespace: NAMESPACE, container: "app" });
      // What fortio says besides, on its other output, may stand between two lines of its report; only that is indented.
      const lines = log.split("\n").filter((line) => /^([{}]$| {2})/.test(line));
      const report = JSON.parse(lines.join("\n")) as Report;
      assert.deepEqual(Object.keys(report.RetCodes), ["200"], log);
      const counted = report.RetCodes["200"] ?? 0;
      assert.ok(counted >= 10, String(counted));
      await eventually("the callee's records", async () => {
        const answered = (await recordsOf(JOB)).filter(({ status, callerInstance }) => {
          return Number(status) === 200 && String(callerInstance).includes(nameOf(pod));
        });
        // The first request, by which fortio sees whether there is an answer, is not counted by it.
        assert.equal(answered.length, counted + 1);
      });
    });

    it("can't be registered, not even by who registers for its zone", async () => {
      assert.equal(await mayRegister("ops", JOB), false);
    });

    describe("and deployed again", () => {
      before(() =>
        deployWith(
          caller(JOB, ALLOWED, { load: { requestsPerSecond: 1000 } }),
          caller(RERUN, ALLOWED, { version: "2" }),
          scheduled,
        ),
      );

      it("does not run again with a change of the mesh's own, which its next run will have", async () => {
        assert.equal((await jobOf(JOB)).metadata?.uid, first.metadata?.uid);
      });

      it("runs again where its declaration is another, and the run before is gone", async () => {
        const second = await jobOf(RERUN);
        assert.notEqual(nameOf(second), nameOf(rerun));
        assert.ok(is(second, "Complete"));
      });
    });
  });

  describe("one with a schedule", () => {
    it("runs when its time comes, and calls as itself", async () => {
      const { spec } = await batch.readNamespacedCronJob({ name: CRONJOB, namespace: NAMESPACE });
      assert.deepEqual([spec?.suspend, spec?.concurrencyPolicy, spec?.timeZone], [false, "Forbid", "Etc/UTC"]);
      await eventually(
        "a run that completes",
        async () => assert.ok((await jobsOf(CRONJOB)).some((job) => is(job, "Complete"))),
        180,
      );
      await eventually("the callee's records", async () => {
        assert.ok((await recordsOf(CRONJOB)).some(({ status }) => Number(status) === 200));
      });
    });
  });

  describe("one that may not make its call", () => {
    const refused = { workload: { kind: "job", backoffLimit: 0, activeDeadline: "5m" } };

    before("pulumi up fails with them", async () => {
      const spies = [
        caller(SPIES.callee, "http://lucid-blocks.lucid.internal/debug", refused),
        caller(SPIES.path, `http://${CALLEE}.lucid.internal/fortio/`, refused),
      ];
      await assert.rejects(deployWith(...spies), /BackoffLimitExceeded|backoff limit/);
    });

    for (const [title, name] of [
      ["to a callee that it does not declare", SPIES.callee],
      ["on a path that it does not declare", SPIES.path],
    ] as const) {
      it(`${title} fails`, async () => {
        await eventually("the failed job", async () => {
          const job = await jobOf(name);
          assert.ok(is(job, "Failed") && !is(job, "Complete"), JSON.stringify(job.status));
        });
        const application = (await endedPods(name)).map(
          (pod) => containers(pod).find((container) => container.name === "app")?.state?.terminated,
        );
        assert.deepEqual(
          application.map((ended) => ended?.exitCode),
          [1],
          "it was its application that failed, once",
        );
        assert.deepEqual(
          (await recordsOf(name)).filter(({ status }) => Number(status) === 200),
          [],
        );
      });
    }
  });
});
