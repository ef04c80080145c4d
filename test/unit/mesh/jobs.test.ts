import assert from "node:assert/strict";
import { isJob, podsAtOnce, resolveMesh, serviceNamed, validateDocument, type Service } from "../../../mesh";
import { seconds } from "../../../mesh/jobs/duration";
import type { JobWorkload } from "../../../mesh/model";
import { jobRevision } from "../../../mesh/jobs/revision";
import { scheduleProblem, timeZoneProblem } from "../../../mesh/jobs/schedule";
import { jobsDocument, jobsMesh } from "../envoy/jobs-fixture";
import { problemsOf, put, refuses, type Row } from "./fixture";

const JOB = "services.migration";
const CRON = "services.nightly";
const [JOB_AT, CRON_AT] = ["services.3", "services.4"];

const rows: Row[] = [
  // what a service has and a job has not
  ["replicas", `${JOB_AT}.replicas`, 2, `${JOB}.replicas`, /no pods that are kept/, /completions/],
  ["ports", `${JOB_AT}.ports`, [{ name: "http", port: 8080 }], `${JOB}.ports`, /nobody calls it/, /'workload'/],
  ["versions", `${JOB_AT}.versions`, [{ name: "a", image: "a:1" }], `${JOB}.versions`, /no versions/, /'image'/],
  ["metrics", `${JOB_AT}.metrics`, {}, `${JOB}.metrics`, /nobody scrapes/, /take it out/],
  ["health", `${JOB_AT}.health`, { path: "/up" }, `${JOB}.health`, /nobody asks/, /exit status/],
  ["traffic", `${JOB_AT}.traffic`, { timeout: "1s" }, `${JOB}.traffic`, /no traffic to it/, /each of its calls/],
  ["a question", `${JOB_AT}.askAuthentication`, true, `${JOB}.askAuthentication`, /no callers/, /take it out/],
  // what it says
  ["no kind", `${JOB_AT}.workload.kind`, undefined, `${JOB}.workload.kind`, /missing/, /job or cronjob/],
  ["kind", `${JOB_AT}.workload.kind`, "cronjo", `${JOB}.workload.kind`, /'cronjo' is not job/, /mean 'cronjob'/],
  ["unknown key", `${JOB_AT}.workload.backofLimit`, 1, `${JOB}.workload.backofLimit`, /unknown/, /'backoffLimit'/],
  ["no map", `${JOB_AT}.workload`, "job", `${JOB}.workload`, /text 'job'/, /map/],
  ["schedule of a job", `${JOB_AT}.workload.schedule`, "@daily", `${JOB}.workload.schedule`, /runs once/, /cronjob/],
  ["zone of a job", `${JOB_AT}.workload.timeZone`, "Etc/UTC", `${JOB}.workload.timeZone`, /runs once/, /cronjob/],
  [
    "concurrency of a job",
    `${JOB_AT}.workload.concurrencyPolicy`,
    "Allow",
    `${JOB}.workload.concurrencyPolicy`,
    /runs once/,
    /cronjob/,
  ],
  ["no schedule", `${CRON_AT}.workload.schedule`, undefined, `${CRON}.workload.schedule`, /when/, /@daily/],
  ["odd schedule", `${CRON_AT}.workload.schedule`, "2 30 * * *", `${CRON}.workload.schedule`, /its hour/, /30 2/],
  ["schedule as number", `${CRON_AT}.workload.schedule`, 5, `${CRON}.workload.schedule`, /the number 5/, /text/],
  ["odd zone", `${CRON_AT}.workload.timeZone`, "Mars/Base", `${CRON}.workload.timeZone`, /no such time zone/, /IANA/],
  [
    "odd concurrency",
    `${CRON_AT}.workload.concurrencyPolicy`,
    "forbid",
    `${CRON}.workload.concurrencyPolicy`,
    /'forbid' is not Forbid/,
    /mean 'Forbid'/,
  ],
  ["no pods", `${JOB_AT}.workload.completions`, 0, `${JOB}.workload.completions`, /too few/, /1 to 1000/],
  ["half a pod", `${JOB_AT}.workload.completions`, 2.5, `${JOB}.workload.completions`, /no number of pods/, /whole/],
  ["many at once", `${JOB_AT}.workload.parallelism`, 4, `${JOB}.workload.parallelism`, /4 .* at once, and 3/, /lower/],
  ["negative tries", `${JOB_AT}.workload.backoffLimit`, -1, `${JOB}.workload.backoffLimit`, /too few/, /0 to 100/],
  ["no time", `${JOB_AT}.workload.activeDeadline`, "0s", `${JOB}.workload.activeDeadline`, /no duration/, /'15m'/],
  ["odd time", `${JOB_AT}.workload.activeDeadline`, "250ms", `${JOB}.workload.activeDeadline`, /no duration/, /whole/],
  ["no image", `${JOB_AT}.image`, undefined, `${JOB}.image`, /needs its image/, /tag/],
  // who is called
  [
    "called",
    "services.0.calls",
    [{ service: "migration" }],
    "services.ledger.calls[0].service",
    /'migration' is a job: it has no port .* nobody can call it/,
    /take the call out/,
  ],
  [
    "called at a port",
    "services.0.calls",
    [{ service: "nightly", ports: ["http"] }],
    "services.ledger.calls[0].service",
    /is a job/,
    /let the job make the call/,
  ],
  ["asked", "authentication", { service: "migration" }, "authentication.service", /answers nobody/, /another/],
  ["component", "services.2.workload", { kind: "job" }, "services.mesh-controller.workload", /a component/, /take it/],
];

describe("jobs that can't be kept", () => {
  refuses(rows, jobsDocument);

  it("routes, as there are no versions either", () => {
    const document = jobsDocument();
    put(document, `${JOB_AT}.routes`, [{ version: "a", paths: ["/a"] }]);
    const problems = problemsOf(JSON.stringify(document));
    assert.deepEqual([...new Set(problems.map(({ path }) => path))], [`${JOB}.routes`]);
  });

  it("a service without ports that is none", () => {
    const document = jobsDocument();
    put(document, `${JOB_AT}.workload`, undefined);
    const [problem, ...others] = problemsOf(JSON.stringify(document));
    assert.deepEqual(others, []);
    assert.equal(problem?.path, `${JOB}.ports`);
    assert.match(problem.mend, /declare one, or a 'workload'/);
  });
});

describe("jobs", () => {
  const workloadOf = (service: Service): JobWorkload => {
    assert.ok(service.workload.kind === "job");
    return service.workload;
  };

  it("have every default of Kubernetes, and run one at a time", () => {
    const nightly = serviceNamed(jobsMesh(), "nightly");
    assert.deepEqual(workloadOf(nightly), {
      kind: "job",
      image: "fortio/fortio:1.66.2",
      args: [],
      env: {},
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
      schedule: { cron: "30 2 * * 1-5", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid" },
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
    });
    assert.deepEqual([nightly.ports, nightly.health], [[], undefined]);
  });

  it("take what they say", () => {
    const migration = serviceNamed(jobsMesh(), "migration");
    const { schedule, completions, parallelism, backoffLimit, activeDeadlineSeconds } = workloadOf(migration);
    assert.deepEqual(
      { schedule, completions, parallelism, backoffLimit, activeDeadlineSeconds },
      { schedule: undefined, completions: 3, parallelism: 2, backoffLimit: 0, activeDeadlineSeconds: 900 },
    );
    assert.equal(podsAtOnce(migration), 2);
  });

  it("are told from services", () => {
    const jobs = jobsMesh().services.filter(isJob);
    assert.deepEqual(
      jobs.map(({ name }) => name),
      ["migration", "nightly"],
    );
  });

  it("call, and their spans go to the collector", () => {
    const document = jobsDocument();
    document.zones.ops.members.push("jaeger");
    const ports = [
      { name: "query", port: 16686 },
      { name: "otlp", port: 4317, protocol: "grpc", dialPort: 4317 },
    ];
    const services = [...document.services, { name: "jaeger", plane: "ops", component: true, ports }];
    const mesh = resolveMesh(validateDocument({ ...document, services }), { tracing: true });
    const called = mesh.edges.filter(({ from }) => from === "nightly").map(({ to, kind }) => `${kind} ${to}`);
    assert.deepEqual(called, ["telemetry jaeger", "call ledger", "call lucid-blocks"]);
    assert.deepEqual(
      mesh.edges.filter(({ to }) => ["nightly", "migration"].includes(to)),
      [],
    );
  });
});

describe("the revision of a job", () => {
  const revision = (change: (document: ReturnType<typeof jobsDocument>) => void = () => undefined) => {
    const document = jobsDocument();
    change(document);
    const service = serviceNamed(resolveMesh(validateDocument(document)), "migration");
    assert.ok(service.workload.kind === "job");
    return jobRevision(service, service.workload);
  };

  it("stays from release to release: another one would run every job again", () => {
    assert.equal(revision(), "df2339dfee");
  });

  for (const [what, at, value] of [
    ["image", "image", "fortio/fortio:1.66.3"],
    ["arguments", "args", ["load"]],
    ["environment", "env", { A: "1" }],
    ["version", "version", "1.0.1"],
    ["limits", "workload.backoffLimit", 1],
    ["resources", "resources", { limits: { memory: "256Mi" } }],
  ] as const) {
    it(`is another with another ${what}`, () => {
      const changed = revision((document) => {
        put(document, `${JOB_AT}.${at}`, value);
      });
      assert.notEqual(changed, revision());
      assert.match(changed, /^[0-9a-f]{10}$/);
    });
  }

  for (const [what, at, value] of [
    ["its calls", `${JOB_AT}.calls`, []],
    ["other services", "services.0.version", "2.0.0"],
    ["a default that is written out", `${JOB_AT}.env`, {}],
  ] as const) {
    it(`is the same with a change of ${what}`, () => {
      assert.equal(
        revision((document) => {
          put(document, at, value);
        }),
        revision(),
      );
    });
  }
});

describe("schedules", () => {
  for (const schedule of [
    "* * * * *",
    "30 2 * * 1-5",
    "*/5 0-23/2 1,15,31 jan-MAR,12 sun,6",
    "59 23 31 12 0",
    "5/15  * * * *",
    "@daily",
    "@hourly",
  ]) {
    it(`${schedule}: taken`, () => {
      assert.equal(scheduleProblem(schedule), undefined);
    });
  }
  for (const [schedule, problem] of [
    ["", /1 fields, not 5/],
    ["* * * *", /4 fields/],
    ["0 * * * * *", /6 fields/],
    ["TZ=Europe/Berlin 0 0 * * *", /6 fields/],
    ["60 * * * *", /minute .* 0 to 59/],
    ["* 24 * * *", /hour .* 0 to 23/],
    ["* * 0 * *", /day of the month .* 1 to 31/],
    ["* * * 13 *", /month .* 1 to 12/],
    ["* * * * 7", /day of the week .* 0 to 6/],
    ["* * * mon *", /its month/],
    ["5-1 * * * *", /minute/],
    ["1-2-3 * * * *", /minute/],
    ["*/0 * * * *", /minute/],
    ["*/ * * * *", /minute/],
    ["1, * * * *", /minute/],
    ["-1 * * * *", /minute/],
    ["1.5 * * * *", /minute/],
    ["@every 5m", /none of @yearly/],
    ["@reboot", /none of/],
  ] as const) {
    it(`${JSON.stringify(schedule)}: refused`, () => {
      assert.match(scheduleProblem(schedule) ?? "", problem);
    });
  }
  for (const zone of [
    "Etc/UTC",
    "UTC",
    "Europe/Berlin",
    "America/Argentina/Buenos_Aires",
    "Asia/Kolkata",
    "Etc/GMT+1",
  ]) {
    it(`in the time zone ${zone}: taken`, () => {
      assert.equal(timeZoneProblem(zone), undefined);
    });
  }
  for (const [zone, problem] of [
    ["", /no such/],
    ["Local", /no such/],
    ["+01:00", /no such/],
    ["Europe/Nowhere", /no such/],
    ["../etc/passwd", /no such/],
    ["europe/berlin", /spelt 'Europe\/Berlin'/],
  ] as const) {
    it(`in the time zone ${JSON.stringify(zone)}: refused`, () => {
      assert.match(timeZoneProblem(zone) ?? "", problem);
    });
  }
});

describe("a job's duration", () => {
  for (const [text, expected] of [
    ["90s", 90],
    ["15m", 900],
    ["6h", 21_600],
  ] as const) {
    it(`${text} is ${String(expected)} seconds`, () => {
      assert.equal(seconds(text), expected);
    });
  }
  it("is nothing else", () => {
    for (const text of ["0s", "1.5h", "1d", "15", "-1s", "015m"]) assert.throws(() => seconds(text), RangeError, text);
  });
});
