import assert from "node:assert/strict";
import { CONSUL, SNAPSHOTS, ZONES, podsAtOnce } from "../../../mesh";
import { apps, core, forward, mergePatch, podOf, podsOf } from "../support/cluster";
import { consul, managementToken, registrarToken } from "../support/consul";
import { only, passingInstances } from "../support/discovery";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { httpGet } from "../support/http-get";
import { startLoads } from "../support/load";
import { runMesh } from "../support/mesh-command";
import { resolved } from "../support/resolver";
import { testerIn } from "../support/tester";

const servers = { name: CONSUL.service, namespace: "lucid-mesh" };
const SECRET = `${CONSUL.service}-snapshots`;
const COUNT = 3;
const RATE = 50;

interface Listed {
  readonly name: string;
  readonly server: string;
  readonly problem?: string;
}

only("consul", "snapshots of its state", () => {
  describe("snapshots of Consul", function () {
    this.timeout(900_000);

    it("are there some minutes after the deployment, on a volume of the leader's own, and none is damaged", async () => {
      const found = await eventually("the first snapshot", () => list(), 240);
      assert.deepEqual(
        found.filter(({ problem }) => problem !== undefined),
        [],
      );
      const { items } = await core.listNamespacedPersistentVolumeClaim({ namespace: servers.namespace });
      const bound = items.filter(({ status }) => status?.phase === "Bound").map(({ metadata }) => metadata?.name);
      for (let ordinal = 0; ordinal < COUNT; ordinal += 1)
        for (const claim of ["data", "snapshots"])
          assert.ok(bound.includes(`${claim}-${CONSUL.service}-${String(ordinal)}`), bound.join());
    });

    it("are told of by metrics on the pods' loopback, and nowhere else", async () => {
      const pods = await eventually("all servers", async () => {
        const ready = await podsOf(servers);
        assert.equal(ready.length, COUNT);
        return ready;
      });
      const ages = [];
      for (const pod of pods) {
        const forwarded = await forward(pod, SNAPSHOTS.metricsPort);
        try {
          const text = await httpGet(forwarded.port, "/metrics");
          ages.push(/^lucid_snapshots_newest_age_seconds (\S+)$/m.exec(text)?.[1]);
        } finally {
          forwarded.close();
        }
      }
      assert.ok(ages.some((age) => Number(age) < 7200));
    });

    it("are taken by a token with that one right, which lies in the servers' Secret, and which nobody's log tells", async () => {
      const token = await snapshotToken();
      const { body } = await consul("GET", "/v1/acl/token/self", { token });
      const { Policies } = JSON.parse(body) as { Policies: { ID: string; Name: string }[] };
      assert.deepEqual(
        Policies.map(({ Name }) => Name),
        ["lucid-snapshots"],
      );
      const policy = await consul("GET", `/v1/acl/policy/${Policies[0]?.ID ?? ""}`, { token });
      assert.equal((JSON.parse(policy.body) as { Rules: string }).Rules.trim(), 'acl = "write"');
      for (const { name, namespace } of await podsOf(servers))
        for (const container of [CONSUL.service, SNAPSHOTS.container]) {
          const log = await core.readNamespacedPodLog({ name, namespace, container });
          for (const secret of [token, await managementToken()])
            assert.ok(!log.includes(secret), `${name} ${container}`);
        }
    });

    it("are given to no registrar, and to nobody without a token", async () => {
      const refused = async (who: string, options: { readonly token?: string } = {}) => {
        let answer = await consul("GET", "/v1/snapshot", options);
        // A leader that refuses closes the connection, and the server that passed the question on may not have read why.
        for (let tries = 1; tries < 10 && answer.body.endsWith("connection reset by peer"); tries += 1)
          answer = await consul("GET", "/v1/snapshot", options);
        assert.equal(answer.status, 403, `${who}: ${answer.body}`);
      };
      await refused("nobody");
      for (const zone of ZONES.filter((name) => mesh.services.some((one) => one.zone === name)))
        await refused(zone, { token: await registrarToken(zone) });
    });

    it("are restored by hand, once that is confirmed: what came later is gone, what was before is there", async () => {
      const token = await managementToken();
      const key = "/v1/kv/lucid/snapshot-test";
      const put = (text: string) => consul("PUT", key, { token, body: text });
      assert.equal((await put("before")).status, 200);
      const kept = await take();
      assert.equal((await put("after")).status, 200);
      const asked = await meshSnapshot("restore", kept);
      assert.equal(asked.status, 2);
      assert.match(asked.output, /--yes/);
      assert.equal((await consul("GET", `${key}?raw`, { token })).body, '"after"');
      const { status, output } = await meshSnapshot("restore", kept, "--yes");
      assert.equal(status, 0, output);
      assert.ok(!output.includes(token));
      await eventually("the value from before", async () =>
        assert.equal((await consul("GET", `${key}?raw`, { token })).body, '"before"'),
      );
      assert.equal((await consul("GET", "/v1/acl/token/self", { token: await snapshotToken() })).status, 200);
    });

    it("bring back servers that lost all they had, ACLs and tokens too, and no call fails meanwhile", async () => {
      const kept = await take();
      const [caller, callee] = [service("payout-router"), service("tron-payment")];
      const token = await registrarToken(callee.zone);
      const loads = await startLoads({ from: caller, url: `http://${callee.hostname}/debug`, rate: RATE });
      try {
        await scale(0);
        for (let ordinal = 0; ordinal < COUNT; ordinal += 1)
          await core.deleteNamespacedPersistentVolumeClaim({
            name: `data-${CONSUL.service}-${String(ordinal)}`,
            namespace: servers.namespace,
          });
        await scale(COUNT);
        // No token but the management token is known there: that is what it is to have lost all.
        await eventually("an emptied Consul", async () =>
          assert.equal((await consul("GET", "/v1/acl/token/self", { token })).status, 403),
        );
        const { status, output } = await meshSnapshot("restore", kept, "--yes");
        assert.equal(status, 0, output);
        await eventually("the tokens", async () =>
          assert.equal((await consul("GET", "/v1/acl/token/self", { token })).status, 200),
        );
        for (const one of mesh.services)
          await eventually(`the registration of ${one.name}`, async () => {
            const pods = (await podsOf(one)).map(({ ip }) => ip).sort();
            assert.deepEqual((await passingInstances(one.name, one.zone)).map(({ Address }) => Address).sort(), pods);
          });
      } finally {
        await scale(COUNT);
        await loads.assertUnharmed();
      }
    });

    it("bring names back as well: the node resolvers, which knew the lost servers, follow a pod that goes", async () => {
      const [asker, subject] = [service("payout-router"), service("tron-payment")];
      await core.deleteNamespacedPod(await podOf(subject));
      await eventually(
        "the name of the pod that came",
        async () => {
          const pods = (await podsOf(subject)).map(({ ip }) => ip).sort();
          assert.equal(pods.length, podsAtOnce(subject));
          assert.deepEqual(await resolved(await testerIn(asker), subject), pods);
        },
        120,
      );
    });

    it("go on afterwards", async () => {
      assert.ok((await list()).some(({ name }) => name !== ""));
      await take();
    });
  });
});

async function list(): Promise<readonly Listed[]> {
  const { status, output } = await meshSnapshot("list", "--json");
  assert.equal(status, 0, output);
  return JSON.parse(output) as Listed[];
}

/** Takes one. @returns its name */
async function take(): Promise<string> {
  const { status, output } = await meshSnapshot("take");
  assert.equal(status, 0, output);
  const name = /^(\S+\.snap) is on consul-\d/.exec(output)?.[1];
  assert.ok(name !== undefined, output);
  return name;
}

async function snapshotToken(): Promise<string> {
  const { data } = await core.readNamespacedSecret({ name: SECRET, namespace: servers.namespace });
  return Buffer.from(data?.[SNAPSHOTS.tokenFile] ?? "", "base64").toString();
}

/** Waits until so many servers are ready, and no other pod of theirs is left. */
async function scale(replicas: number): Promise<void> {
  await apps.patchNamespacedStatefulSetScale({ ...servers, body: { spec: { replicas } } }, mergePatch);
  await eventually(
    `${String(replicas)} servers`,
    async () => {
      const { items } = await core.listNamespacedPod({
        namespace: servers.namespace,
        labelSelector: `app.kubernetes.io/name=${servers.name}`,
      });
      assert.equal(items.length, replicas);
      assert.equal((await podsOf(servers)).length, replicas);
    },
    180,
  );
}

/** What `mesh snapshot` says, both streams together, and its exit status. */
async function meshSnapshot(...args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const { status, stdout, stderr } = await runMesh("snapshot", ...args);
  return { status, output: `${stdout}${stderr}` };
}
