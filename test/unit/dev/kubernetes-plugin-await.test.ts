import assert from "node:assert/strict";

import {
  awaitsEndpoints,
  claimVerdict,
  ENDPOINTS_SETTLE,
  quotaVerdict,
  secretVerdict,
  type ServiceSurroundings,
  serviceVerdict,
  volumeVerdict,
} from "../../../dev/plugins/kubernetes/await/others";
import { podProblems } from "../../../dev/plugins/kubernetes/await/pods";
import type { Verdict } from "../../../dev/plugins/kubernetes/await/verdict";
import { parseWaitFor } from "../../../dev/plugins/kubernetes/await/wait-for";
import {
  daemonSetVerdict,
  deploymentVerdict,
  jobVerdict,
  podVerdict,
  statefulSetVerdict,
} from "../../../dev/plugins/kubernetes/await/workloads";
import type { KubeObject } from "../../../dev/plugins/kubernetes/objects";
import type { Properties } from "../../../dev/plugins/protocol/values";

type State = Verdict["state"];

const condition = (type: string, status = "True", rest: KubeObject = {}): KubeObject => ({ type, status, ...rest });

/** A happy object, and what changing one thing about it makes of it. */
function table<Object>(
  title: string,
  verdict: (object: Object) => Verdict,
  happy: Object,
  cases: readonly (readonly [name: string, object: Object, state: State, reason?: RegExp])[],
): void {
  describe(`kubernetes plugin: readiness of a ${title}`, () => {
    it("ready", () => {
      assert.equal(verdict(happy).state, "ready");
    });
    for (const [name, object, state, reason] of cases) {
      it(`${name}: ${state}`, () => {
        const found = verdict(object);
        assert.equal(found.state, state);
        if (reason !== undefined) {
          assert.match(found.state === "ready" ? "" : found.reasons.join("\n"), reason);
        }
      });
    }
  });
}

const REVISION = "deployment.kubernetes.io/revision";
interface Rollout {
  readonly deployment?: Properties;
  readonly status?: Properties;
  readonly replicaSet?: Properties;
  readonly revision?: string;
  readonly claims?: readonly KubeObject[];
}

function rollout({ deployment, status, replicaSet, revision = "1", claims = [] }: Rollout): {
  deployment: KubeObject;
  replicaSets: readonly KubeObject[];
  claims: readonly KubeObject[];
} {
  const volumes = [{ name: "d", persistentVolumeClaim: { claimName: "d" } }];
  return {
    deployment: {
      metadata: { name: "a", uid: "u", generation: 1, annotations: { [REVISION]: revision } },
      spec: { template: { spec: { volumes } } },
      status: {
        observedGeneration: 1,
        conditions: [condition("Available"), condition("Progressing", "True", { reason: "NewReplicaSetAvailable" })],
        ...status,
      },
      ...deployment,
    },
    replicaSets: [
      {
        metadata: { name: "a-1", ownerReferences: [{ uid: "u" }], annotations: { [REVISION]: revision } },
        spec: { replicas: 2 },
        status: { readyReplicas: 2 },
        ...replicaSet,
      },
    ],
    claims,
  };
}

const progressing = (reason: string, status = "True", message = ""): Properties => ({
  conditions: [condition("Available"), condition("Progressing", status, { reason, message })],
});

table("Deployment", ({ deployment, ...surroundings }) => deploymentVerdict(deployment, surroundings), rollout({}), [
  ["not seen by its controller", rollout({ status: { observedGeneration: 0 } }), "waiting", /controller/],
  ["without a revision", rollout({ deployment: { metadata: { generation: 1 } } }), "waiting", /controller/],
  [
    "not available",
    rollout({ status: { conditions: [condition("Available", "False", { message: "does not have minimum" })] } }),
    "waiting",
    /Minimum number of live Pods was not attained: does not have minimum/,
  ],
  ["first revision, no rollout to complete", rollout({ status: progressing("ReplicaSetUpdated") }), "ready"],
  [
    "second revision, rollout on its way",
    rollout({ revision: "2", status: progressing("ReplicaSetUpdated") }),
    "waiting",
  ],
  ["second revision, rolled out", rollout({ revision: "2" }), "ready"],
  [
    "stuck",
    rollout({ status: progressing("ProgressDeadlineExceeded", "False", "timed out") }),
    "waiting",
    /\[ProgressDeadlineExceeded\] timed out/,
  ],
  [
    "pods refused by admission",
    rollout({
      status: { conditions: [condition("Available"), condition("ReplicaFailure", "True", { message: "forbidden" })] },
    }),
    "waiting",
    /Pods can't be created: forbidden/,
  ],
  [
    "pods of the revision not ready",
    rollout({ replicaSet: { status: { readyReplicas: 1 } } }),
    "waiting",
    /1 of 2 Pods/,
  ],
  ["scaled to none", rollout({ replicaSet: { spec: { replicas: 0 }, status: {} } }), "ready"],
  ["no ReplicaSet of the revision", rollout({ replicaSet: { metadata: { name: "b" } } }), "waiting"],
  [
    "a mounted claim is pending",
    rollout({ claims: [{ metadata: { name: "d" }, status: { phase: "Pending" } }] }),
    "waiting",
    /PersistentVolumeClaim d is Pending/,
  ],
  [
    "another's claim is pending",
    rollout({ claims: [{ metadata: { name: "x" }, status: { phase: "Pending" } }] }),
    "ready",
  ],
]);

const statefulSet = (status: Properties, rest: Properties = {}): KubeObject => ({
  metadata: { generation: 2 },
  spec: { replicas: 3 },
  status: {
    observedGeneration: 2,
    replicas: 3,
    readyReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: "b",
    updateRevision: "b",
    ...status,
  },
  ...rest,
});
const onDelete: Properties = { spec: { replicas: 3, updateStrategy: { type: "OnDelete" } } };

table("StatefulSet", statefulSetVerdict, statefulSet({}), [
  ["not seen by its controller", statefulSet({ observedGeneration: 1 }), "waiting", /controller/],
  ["a replica not ready", statefulSet({ readyReplicas: 2 }), "waiting", /2 of 3 replicas are ready/],
  ["too many replicas", statefulSet({ replicas: 4 }), "waiting"],
  [
    "an update on its way",
    statefulSet({ currentReplicas: 1, updatedReplicas: 2, currentRevision: "a" }),
    "waiting",
    /2 of 3/,
  ],
  ["revision not advanced", statefulSet({ currentRevision: "a" }), "waiting", /from revision "a" to "b"/],
  ["no revision yet", statefulSet({ currentRevision: "", updateRevision: "" }), "waiting"],
  [
    "changed OnDelete, pods of the old revision",
    statefulSet({ currentReplicas: 0, currentRevision: "a" }, onDelete),
    "ready",
  ],
  ["changed OnDelete, a pod not ready", statefulSet({ readyReplicas: 2 }, onDelete), "waiting"],
]);

const daemonSet = (status: Properties): KubeObject => ({
  metadata: { generation: 1 },
  status: {
    observedGeneration: 1,
    desiredNumberScheduled: 2,
    currentNumberScheduled: 2,
    updatedNumberScheduled: 2,
    numberAvailable: 2,
    numberReady: 2,
    ...status,
  },
});

table("DaemonSet", daemonSetVerdict, daemonSet({}), [
  ["not seen by its controller", daemonSet({ observedGeneration: 0 }), "waiting", /controller/],
  ["no node that should run it", daemonSet({ desiredNumberScheduled: 0 }), "ready"],
  ["not scheduled", daemonSet({ currentNumberScheduled: 1 }), "waiting", /1 of 2 Pods are scheduled/],
  ["old revision", daemonSet({ updatedNumberScheduled: 1 }), "waiting", /present revision/],
  ["not available", daemonSet({ numberAvailable: 0 }), "waiting", /0 of 2 Pods are available/],
  ["not ready", daemonSet({ numberReady: 1 }), "waiting", /ready/],
]);

const job = (status: Properties): KubeObject => ({ status: { startTime: "t", ...status } });

table("Job", jobVerdict, job({ conditions: [condition("Complete")] }), [
  ["running", job({ active: 1 }), "waiting", /1 Pods active/],
  [
    "failed",
    job({ conditions: [condition("Failed", "True", { reason: "BackoffLimitExceeded", message: "limit" })] }),
    "failed",
    /\[BackoffLimitExceeded\] limit/,
  ],
]);

const pod = (status: Properties): KubeObject => ({ metadata: { name: "p", namespace: "n" }, status });
const conditions = (ready: string, initialized = "True", scheduled = "True"): KubeObject[] => [
  condition("PodScheduled", scheduled),
  condition("Initialized", initialized),
  condition("Ready", ready),
];

table("Pod", podVerdict, pod({ conditions: conditions("True") }), [
  ["not scheduled", pod({ conditions: conditions("False", "False", "False") }), "waiting", /not scheduled/],
  ["not initialized", pod({ conditions: conditions("False", "False") }), "waiting", /not initialized/],
  ["not ready", pod({ conditions: conditions("False") }), "waiting", /not ready/],
  ["succeeded", pod({ phase: "Succeeded", conditions: conditions("False") }), "ready"],
]);

const service = (spec: Properties): KubeObject => ({
  spec: { selector: { app: "a" }, clusterIP: "10.0.0.1", ...spec },
});
const endpoints = (subset: Properties): KubeObject => ({ subsets: [subset] });
const settled = { endpoints: endpoints({ addresses: [{}] }), settledFor: ENDPOINTS_SETTLE };

type ServiceCase = readonly [service: KubeObject, surroundings: ServiceSurroundings];

table<ServiceCase>(
  "Service",
  ([object, around]) => serviceVerdict(object, around),
  [service({}), settled],
  [
    ["no endpoints yet", [service({}), { endpoints: undefined, settledFor: ENDPOINTS_SETTLE }], "waiting", /settled/],
    ["endpoints that are new", [service({}), { ...settled, settledFor: 1 }], "waiting", /settled/],
    ["endpoints without pods", [service({}), { ...settled, endpoints: {} }], "ready"],
    [
      "pods not ready",
      [service({}), { ...settled, endpoints: endpoints({ notReadyAddresses: [{}] }) }],
      "waiting",
      /not ready/,
    ],
    ["headless", [service({ clusterIP: "None" }), { endpoints: undefined, settledFor: 0 }], "ready"],
    ["ExternalName", [service({ type: "ExternalName" }), { endpoints: undefined, settledFor: 0 }], "ready"],
    ["without selector", [service({ selector: {} }), { endpoints: undefined, settledFor: 0 }], "ready"],
    ["load balancer without address", [service({ type: "LoadBalancer" }), settled], "waiting", /IP address/],
  ],
);

describe("kubernetes plugin: readiness of other kinds", () => {
  it("asks for the endpoints of a Service that selects pods only", () => {
    assert.equal(awaitsEndpoints(service({})), true);
    assert.equal(awaitsEndpoints(service({ clusterIP: "None" })), false);
  });

  const claims: readonly (readonly [phase: string, mode: string, isUpdate: boolean, state: State])[] = [
    ["Bound", "Immediate", false, "ready"],
    ["Pending", "Immediate", false, "waiting"],
    ["Pending", "WaitForFirstConsumer", false, "ready"],
    ["", "WaitForFirstConsumer", false, "waiting"],
    ["Bound", "WaitForFirstConsumer", true, "ready"],
    ["Lost", "Immediate", true, "waiting"],
  ];
  for (const [phase, mode, isUpdate, state] of claims) {
    it(`a claim that is ${phase || "new"}, ${mode}, ${isUpdate ? "changed" : "created"}: ${state}`, () => {
      assert.equal(claimVerdict({ status: { phase } }, mode, isUpdate).state, state);
    });
  }

  it("a volume is ready when available or bound", () => {
    assert.equal(volumeVerdict({ status: { phase: "Available" } }).state, "ready");
    assert.equal(volumeVerdict({ status: { phase: "Pending" } }).state, "waiting");
  });

  it("a quota is ready when its limits are in force", () => {
    assert.equal(quotaVerdict({ spec: { hard: { pods: "1" } }, status: { hard: { pods: "1" } } }).state, "ready");
    assert.equal(quotaVerdict({ spec: { hard: { pods: "2" } }, status: { hard: { pods: "1" } } }).state, "waiting");
  });

  it("a token Secret is ready when it has been filled, any other at once", () => {
    assert.equal(secretVerdict({ type: "kubernetes.io/service-account-token" }).state, "waiting");
    assert.equal(secretVerdict({ type: "kubernetes.io/service-account-token", data: { token: "t" } }).state, "ready");
    assert.equal(secretVerdict({ type: "Opaque" }).state, "ready");
  });
});

describe("kubernetes plugin: why a pod isn't ready", () => {
  const unready = [condition("Ready", "False", { reason: "ContainersNotReady", message: "unready: [c]" })];

  it("says nothing of a ready pod", () => {
    assert.deepEqual(podProblems(pod({ conditions: conditions("True") })), []);
  });

  it("names the image that can't be pulled", () => {
    const waiting = { reason: "ImagePullBackOff", message: 'Back-off pulling image "nope:1"' };
    const problems = podProblems(
      pod({ conditions: unready, containerStatuses: [{ name: "c", ready: false, state: { waiting } }] }),
    );
    assert.deepEqual(problems, [
      "[Pod n/p]: [ContainersNotReady] unready: [c]",
      '[Pod n/p]: container c waits: [ImagePullBackOff] Back-off pulling image "nope:1"',
    ]);
  });

  it("names a native sidecar that crashes, and how it ended", () => {
    const state = { waiting: { reason: "CrashLoopBackOff", message: "back-off" } };
    const lastState = { terminated: { exitCode: 1, reason: "Error", message: "bad configuration" } };
    const problems = podProblems(pod({ initContainerStatuses: [{ name: "sidecar", ready: false, state, lastState }] }));
    assert.deepEqual(problems, [
      "[Pod n/p]: container sidecar waits: [CrashLoopBackOff] back-off",
      "[Pod n/p]: container sidecar had ended before with exit code 1: [Error] bad configuration",
    ]);
  });

  it("is silent about init containers that did their work and containers being made", () => {
    const problems = podProblems(
      pod({
        initContainerStatuses: [
          { name: "i", ready: false, state: { terminated: { exitCode: 0, reason: "Completed" } } },
        ],
        containerStatuses: [{ name: "c", ready: false, state: { waiting: { reason: "ContainerCreating" } } }],
      }),
    );
    assert.deepEqual(problems, []);
  });

  it("says why a pod isn't scheduled", () => {
    const scheduled = condition("PodScheduled", "False", { reason: "Unschedulable", message: "0/1 nodes" });
    assert.deepEqual(podProblems(pod({ conditions: [scheduled] })), ["[Pod n/p]: [Unschedulable] 0/1 nodes"]);
  });
});

describe("kubernetes plugin: pulumi.com/waitFor", () => {
  const object: KubeObject = {
    status: { phase: "Running", ports: [{ number: 80 }], conditions: [condition("Ready", "False")] },
  };
  const cases: readonly (readonly [annotation: string, state: State])[] = [
    ["condition=Ready", "waiting"],
    ["condition=Ready=False", "ready"],
    ["condition=Gone", "waiting"],
    ["jsonpath={.status.phase}", "ready"],
    ["jsonpath={.status.phase}=Running", "ready"],
    ["jsonpath={.status.phase}=Failed", "waiting"],
    ["jsonpath={.status.ports[0].number}=80", "ready"],
    ["jsonpath={.status.none}", "waiting"],
    ['["jsonpath={.status.phase}=Running", "condition=Ready"]', "waiting"],
  ];
  for (const [annotation, state] of cases) {
    it(`${annotation}: ${state}`, () => {
      assert.equal(parseWaitFor(annotation)(object).state, state);
    });
  }

  for (const annotation of ["Ready", "jsonpath={.status[?@ == 1]}", "[]"]) {
    it(`${annotation} is refused`, () => {
      assert.throws(() => parseWaitFor(annotation), /pulumi\.com\/waitFor/);
    });
  }
});
