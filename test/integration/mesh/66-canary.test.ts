/** The live canary on the deployed mesh: it sees both layers in force at every pod, and a node whose enforcement is gone within a minute or two. */
import assert from "node:assert/strict";
import { CustomObjectsApi } from "@kubernetes/client-node";
import { clusterTools } from "../../../dev/cluster/context";
import { nodeMachine } from "../../../dev/cluster/layout";
import { LIVE_CANARY, WELL_KNOWN, firstPort, isJob } from "../../../mesh";
import { MESH_SERVICE, type MeshServiceStatus } from "../../../mesh/custom-resource";
import type { CanaryCount } from "../../../services/controller/src/canary/model";
import { firing } from "../support/alerts";
import { core, kubeConfig, podsOf } from "../support/cluster";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { podGet } from "../support/http-get";
import { runMesh } from "../support/mesh-command";
import { placedPods } from "../support/nodes";

const custom = kubeConfig.makeApiClient(CustomObjectsApi);
const controller = service(WELL_KNOWN.controller);
const subject = service("tron-payment");
/** Seconds in which every pod was asked: a round, what is added to it by chance, and three tries. */
const ROUND = 100;
/** The same at the sidecar, which is asked in every fifth round; the first time together with the network. */
const FIRST = 40;
/** Seconds more until Prometheus has scraped that, and evaluated its rules. */
const SCRAPED = 60;

interface CanaryStatus {
  readonly counts: readonly CanaryCount[];
  readonly letIn: readonly { readonly pod: string; readonly node: string; readonly layer: string }[];
  readonly blind: readonly { readonly pod: string; readonly detail: string }[];
}

/** What the replica that leads tells. */
async function canary(): Promise<CanaryStatus> {
  for (const pod of await podsOf(controller)) {
    const { canary: told } = JSON.parse(await podGet(pod, firstPort(controller).port, "/status")) as {
      canary: CanaryStatus | null;
    };
    if (told !== null) return told;
  }
  throw new Error("no replica leads");
}

/** Places of alerts that fire: the node that they name, or the zone. */
async function firingAt(name: string): Promise<readonly string[]> {
  return (await firing(name)).map(({ node, zone }) => node ?? zone ?? "");
}

async function drifted(): Promise<{ readonly status: string; readonly message: string }> {
  const { group, version, plural } = MESH_SERVICE;
  const { name, namespace } = subject;
  const object = (await custom.getNamespacedCustomObject({ group, version, plural, namespace, name })) as {
    status?: MeshServiceStatus;
  };
  const found = object.status?.conditions?.find(({ type }) => type === "Drifted");
  return { status: found?.status ?? "absent", message: found?.message ?? "" };
}

const asked = mesh.services.filter(
  (one) => !isJob(one) && one.revoked === undefined && one.name !== WELL_KNOWN.controller,
);

/** Pods that are `enforced` at a layer, over all nodes; none is anything else. */
async function allEnforced(layer: string): Promise<void> {
  const { counts, letIn, blind } = await canary();
  assert.deepEqual({ letIn, blind }, { letIn: [], blind: [] });
  const pods = (await Promise.all(asked.map((one) => podsOf(one)))).flat();
  // Of its own pod the leader tries the way out, and of no other replica's a refusal proves anything.
  const own = layer === "network" ? 1 : 0;
  const known = counts.filter((count) => count.layer === layer && count.outcome === "enforced");
  assert.equal(
    known.reduce((sum, { count }) => sum + count, 0),
    pods.length + own,
    JSON.stringify(counts),
  );
}

describe("the live canary on the deployed mesh", function () {
  this.timeout(600_000);

  /**
   * Lets the canary, and nothing else, past whatever filters on a node, before the enforcer's own rules. The enforcer puts its own first again whenever it looks, so this is repeated.
   */
  const openNode = async (node: string, act: () => Promise<void>): Promise<void> => {
    const index = Number(/^node(\d+)$/.exec(node)?.[1]);
    const rule = `FORWARD -p tcp --dport ${String(LIVE_CANARY.closed)} -j ACCEPT`;
    const away = `while iptables -w -D ${rule} 2>/dev/null; do :; done`;
    const { machines } = clusterTools();
    const shell = (script: string) => machines.shell(nodeMachine(index), script);
    const over = new AbortController();
    const keeping = (async () => {
      while (!over.signal.aborted) {
        await shell(`${away}; iptables -w -I ${rule.replace("FORWARD", "FORWARD 1")}`);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    })();
    try {
      await Promise.race([act(), keeping]);
    } finally {
      over.abort();
      await keeping.catch(() => undefined);
      await shell(away);
    }
  };

  it("finds both layers in force at every pod, and says so", async () => {
    await eventually("the network", () => allEnforced("network"), ROUND);
    await eventually("the sidecars", () => allEnforced("sidecar"), FIRST);
    const { status, stdout } = await runMesh("check", "--only", "live-canary");
    assert.equal(status, 0, stdout);
  });

  it("tells of a node whose pods are open, and of no other, by alert, Event, condition and check; and of its end", async () => {
    const [pod] = await placedPods(subject);
    assert.ok(pod);
    await openNode(pod.node, async () => {
      await eventually(
        "the loss",
        async () => {
          const { letIn } = await canary();
          assert.ok(
            letIn.some((one) => one.pod === pod.name && one.layer === "network"),
            JSON.stringify(letIn),
          );
          assert.deepEqual([...new Set(letIn.map(({ node }) => node))], [pod.node]);
        },
        ROUND,
      );
      await eventually(
        "LucidCanaryLetIn",
        async () => {
          assert.deepEqual(await firingAt("LucidCanaryLetIn"), [pod.node]);
          assert.ok((await firingAt("LucidEnforcementLost")).includes(subject.zone));
        },
        SCRAPED,
      );
      const message = new RegExp(`Pod ${pod.namespace}/${pod.name} on node ${pod.node} is not held apart: port 15021`);
      await eventually("the condition", async () => {
        const found = await drifted();
        assert.equal(found.status, "True");
        assert.match(found.message, message);
      });
      const { items } = await core.listNamespacedEvent({
        namespace: pod.namespace,
        fieldSelector: `reason=EnforcementLost,involvedObject.name=${pod.name}`,
      });
      assert.ok(
        items.some((event) => message.test(event.message ?? "")),
        items.map((event) => event.message).join("\n"),
      );
      const { status, stdout } = await runMesh("check", "--only", "live-canary");
      assert.equal(status, 1, stdout);
      assert.match(stdout, new RegExp(`${pod.name} on ${pod.node}`));
    });
    await eventually("all in force again", () => allEnforced("network"), ROUND);
    await eventually(
      "silence",
      async () => {
        assert.deepEqual([await firingAt("LucidCanaryLetIn"), await firingAt("LucidEnforcementLost")], [[], []]);
        assert.equal((await drifted()).status, "False");
      },
      SCRAPED,
    );
  });

  it("says nothing when its leader goes", async () => {
    const before = (await core.listEventForAllNamespaces({ fieldSelector: "reason=EnforcementLost" })).items.length;
    const leaders = await Promise.all(
      (await podsOf(controller)).map(async (pod) => {
        const { leading } = JSON.parse(await podGet(pod, firstPort(controller).port, "/status")) as {
          leading: boolean;
        };
        return leading ? [pod] : [];
      }),
    );
    const [leader] = leaders.flat();
    assert.ok(leader);
    await core.deleteNamespacedPod(leader);
    await eventually("the next one's first round", () => allEnforced("network"), ROUND);
    assert.deepEqual([await firingAt("LucidCanaryLetIn"), await firingAt("LucidCanaryBlind")], [[], []]);
    const after = (await core.listEventForAllNamespaces({ fieldSelector: "reason=EnforcementLost" })).items.length;
    assert.equal(after, before);
  });
});
