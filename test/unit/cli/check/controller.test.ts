import { add, describeFaults, find, remove } from "./faults";
import type { RecordedCluster } from "./recorded-cluster";
import { controllerStatus } from "./recorded-cluster";

type Status = ReturnType<typeof controllerStatus>;

/** Has the controller tell something else. */
function tells(cluster: RecordedCluster, change: (status: Status) => void): void {
  const status = controllerStatus(cluster.meshed.map(({ metadata }) => metadata.name));
  change(status);
  cluster.answers.set("mesh-controller/status", { status: 200, body: JSON.stringify(status) });
}

const telling = (change: (status: Status) => void) => (cluster: RecordedCluster) => {
  tells(cluster, change);
};

/** The first of a list. */
function first<T>([item]: readonly T[]): T {
  if (item === undefined) throw new Error("the list is empty");
  return item;
}

/** What a MeshService of a recorded cluster declares. */
const declaredBy = (cluster: RecordedCluster, title: string) =>
  find(cluster, "MeshService", title).spec as { calls: unknown[]; workload: { replicas?: number } };

/** Has the controller say something of payout-router that is not as it should be. */
function amiss(cluster: RecordedCluster, condition: object): void {
  const service = find(cluster, "MeshService", "lucid-wallet/payout-router");
  (service.status as { conditions: object[] }).conditions.push({ reason: "Test", observedGeneration: 1, ...condition });
}

/** A pod at which the controller's canary knocked. */
const knocked = (detail: string) => ({
  namespace: "lucid-wallet",
  pod: "payout-router-0",
  node: "node2",
  layer: "network",
  detail,
});

describeFaults("controller", [
  {
    id: "live-canary",
    title: "a pod that lets in whom it must not",
    make: telling((status) => {
      status.canary?.letIn.push(knocked("port 15021 takes connections"));
      status.canary?.blind.push(knocked("port 15090 does not answer"));
    }),
    says: /pods let in whom they must not[\s\S]*lucid-wallet\/payout-router-0 on node2: port 15021 takes connections/,
  },
  {
    id: "live-canary",
    title: "a pod of which nobody can say",
    make: telling((status) => {
      status.canary?.blind.push(knocked("port 15090 does not answer"));
    }),
    status: "warning",
    says: /of some pods nobody can say[\s\S]*payout-router-0 on node2: port 15090 does not answer/,
  },
  {
    id: "live-canary",
    title: "a canary that has knocked nowhere",
    make: telling((status) => {
      status.canary = null;
    }),
    status: "skipped",
    says: /it has knocked nowhere yet/,
  },
  {
    id: "mesh-service-definition",
    title: "no definition",
    make: (cluster) => {
      remove(cluster, "CustomResourceDefinition", "meshservices.mesh.lucid.internal");
    },
    says: /CustomResourceDefinition meshservices\.mesh\.lucid\.internal is missing/,
  },
  {
    id: "mesh-service-definition",
    title: "a definition whose names another has",
    make: (cluster) => {
      find(cluster, "CustomResourceDefinition", "meshservices.mesh.lucid.internal").status = {
        conditions: [{ type: "NamesAccepted", status: "False", message: "plural name is already in use" }],
      };
    },
    says: /NamesAccepted is not so: plural name is already in use/,
  },
  {
    id: "mesh-services-well",
    title: "a service that the controller never looked at",
    make: (cluster) => {
      find(cluster, "MeshService", "lucid-wallet/payout-router").status = undefined;
    },
    status: "warning",
    says: /lucid-wallet\/payout-router: the controller has said nothing of it/,
  },
  {
    id: "mesh-services-well",
    title: "a service that is not registered",
    make: (cluster) => {
      amiss(cluster, { type: "Registered", status: "False", message: "callers don't find payout-router-0" });
    },
    status: "warning",
    says: /payout-router: Registered is False: callers don't find payout-router-0/,
  },
  {
    id: "mesh-services-well",
    title: "a condition that nobody could judge",
    make: (cluster) => {
      amiss(cluster, { type: "Registered", status: "Unknown", message: "the discovery backend can't be read" });
    },
    status: "warning",
    says: /Registered is Unknown: the discovery backend/,
  },
  {
    id: "mesh-services-well",
    title: "drift",
    make: (cluster) => {
      amiss(cluster, { type: "Drifted", status: "True", message: "a NetworkPolicy was added" });
    },
    status: "warning",
    says: /Drifted is True: a NetworkPolicy was added/,
  },
  {
    id: "mesh-services-well",
    title: "a condition of an older declaration",
    make: (cluster) => {
      find(cluster, "MeshService", "lucid-wallet/payout-router").metadata.generation = 2;
    },
    status: "warning",
    says: /payout-router: Ready is of an older declaration/,
  },
  {
    id: "mesh-services",
    title: "a service that is not declared to the cluster",
    make: (cluster) => {
      remove(cluster, "MeshService", "lucid-wallet/payout-router");
    },
    says: /MeshService lucid-wallet\/payout-router is missing/,
  },
  {
    id: "mesh-services",
    title: "a declaration that somebody changed",
    make: (cluster) => {
      declaredBy(cluster, "lucid-wallet/payout-router").workload.replicas = 7;
    },
    says: /payout-router: spec\.workload\.replicas is 7, not 1/,
  },
  {
    id: "mesh-services",
    title: "a call that somebody added",
    make: (cluster) => {
      declaredBy(cluster, "lucid-wallet/tron-payment").calls.push({ service: "admin-ui", zone: "ops", port: "http" });
    },
    says: /tron-payment: spec\.calls has 2 items, not 1/,
  },
  {
    id: "mesh-services",
    title: "a service that nobody declares",
    make: (cluster) => {
      const stray = structuredClone(find(cluster, "MeshService", "lucid-wallet/payout-router"));
      stray.metadata.name = "stray";
      cluster.objects.push(stray);
    },
    says: /MeshService lucid-wallet\/stray is not declared/,
  },
  {
    id: "controller-health",
    title: "a controller that Consul does not answer",
    make: telling((status) => {
      status.healthy = false;
      status.reasons.push("Consul never answered yet");
    }),
    says: /it is not healthy\nConsul never answered yet/,
  },
  {
    id: "controller-health",
    title: "no controller",
    make: (cluster) => {
      for (const replica of ["0", "1"]) remove(cluster, "Pod", `lucid-mesh/mesh-controller-${replica}`);
    },
    says: /no pod of it is ready/,
  },
  {
    id: "controller-health",
    title: "a replica that could not take over",
    make: (cluster) => {
      const status = {
        ...controllerStatus([]),
        healthy: false,
        reasons: ["the pods of lucid-ops were never listed yet"],
      };
      const body = JSON.stringify({ ...status, leading: false });
      cluster.answers.set("mesh-controller-1/status", { status: 200, body });
    },
    says: /it is not healthy\nthe pods of lucid-ops were never listed yet/,
  },
  {
    id: "controller-leader",
    title: "a leader that is gone",
    make: (cluster) => {
      remove(cluster, "Pod", "lucid-mesh/mesh-controller-0");
      add(cluster, "coordination.k8s.io/v1", "Lease", "lucid-mesh/mesh-controller", {
        spec: { holderIdentity: "mesh-controller-0_x" },
      });
    },
    says: /none of the ready replicas leads\nthe Lease is held by mesh-controller-0_x/,
  },
  {
    id: "controller-leader",
    title: "two leaders",
    make: (cluster) => {
      tells(cluster, () => undefined);
    },
    says: /2 replicas say that they lead/,
  },
  {
    id: "registrations",
    title: "a ready pod that is not registered",
    make: telling(({ services }) => {
      first(first(services).instances).registered = false;
    }),
    says: /is ready, and not registered so/,
  },
  {
    id: "registrations",
    title: "a pod that nobody holds",
    make: telling(({ services }) => {
      first(services).instances.shift();
    }),
    says: /is ready, and not registered so/,
  },
  {
    id: "registrations",
    title: "an instance that is not there",
    make: (cluster) => {
      tells(cluster, () => undefined);
      remove(cluster, "Pod", "lucid-ops/admin-ui-0");
    },
    says: /ops\/admin-ui-0 is registered as ready, and is not/,
  },
  {
    id: "controller-zones",
    title: "a zone that can't be compared",
    make: telling(({ zones }) => {
      first(zones).error = "Consul refused";
    }),
    says: /ops: Consul refused/,
  },
  {
    id: "controller-zones",
    title: "a zone that was compared long ago",
    make: telling(({ zones }) => {
      first(zones).lastSync = new Date(Date.now() - 120_000).toISOString();
    }),
    says: /ops was compared last at/,
  },
  {
    id: "controller-refusals",
    title: "a pod that is refused",
    make: telling(({ zones }) => {
      first(zones).refused = { stranger: "its label names zone wallet" };
    }),
    says: /ops\/stranger: its label names zone wallet/,
  },
  {
    id: "controller-nodes",
    title: "a dead node",
    make: telling(({ nodes }) => {
      nodes.dead.push("node2");
    }),
    says: /nodes count as dead\nnode2/,
  },
  {
    id: "controller-nodes",
    title: "leases that can't be read",
    make: telling(({ nodes }) => {
      nodes.error = "forbidden";
    }),
    says: /leases can't be read: forbidden/,
  },
  {
    id: "sidecars-inspected",
    title: "a sidecar that doesn't answer the controller",
    make: telling(({ inspection }) => {
      inspection.silent["ops/admin-ui-0"] = "it answers 503";
    }),
    says: /sidecars don't answer\nops\/admin-ui-0: it answers 503$/,
  },
  {
    id: "controller-failures",
    title: "what it tries again, and not what is long past",
    make: telling((status) => {
      status.backlog = 2;
      status.failures.push(
        { time: "2020-01-01T00:00:00Z", where: "zone ops", message: "long past" },
        { time: new Date().toISOString(), where: "zone wallet", message: "Consul refused" },
      );
    }),
    status: "warning",
    says: /try again\n2 instances wait\n\S+ zone wallet: Consul refused$/,
  },
]);
