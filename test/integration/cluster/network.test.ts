import assert from "node:assert/strict";
import * as fs from "node:fs";

import {
  apply,
  busybox,
  command,
  eventually,
  field,
  fortio,
  idle,
  inPod,
  kubectl,
  makeNamespace,
  pod,
  ready,
  removeNamespace,
} from "./support";

const namespace = "test-network";
/** Holds a server that no policy protects. */
const openNamespace = "test-network-open";
const server = [
  "server",
  "-http-port",
  "8080",
  "-redirect-port",
  "disabled",
  "-tcp-port",
  "disabled",
  "-udp-port",
  "disabled",
];

/** Whether a connection from a pod to an address is made, within two seconds. */
async function connects(from: string, address: string, port: number): Promise<boolean> {
  return (await inPod(namespace, from, "nc", "-w", "2", address, String(port), "-e", "true")).code === 0;
}

const denyAll = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace, name: "deny-all" },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
};

const port = { port: 8080, protocol: "TCP" };
const allowOne = ["Ingress", "Egress"].map((type) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace, name: `allow-${type.toLowerCase()}` },
  spec: {
    podSelector: { matchLabels: { app: type === "Ingress" ? "server" : "friend" } },
    policyTypes: [type],
    ...(type === "Ingress"
      ? { ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }], ports: [port] }] }
      : { egress: [{ ports: [port] }] }),
  },
}));

describe("the embedded cluster's network", function () {
  this.timeout(60_000);
  let address: string;
  let openAddress: string;

  before(async () => {
    await makeNamespace(namespace);
    await makeNamespace(openNamespace);
    await apply(
      pod(openNamespace, "open", fortio, server),
      pod(namespace, "server", fortio, server),
      pod(namespace, "friend", busybox, idle),
      pod(namespace, "stranger", busybox, idle),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace, name: "local" },
        spec: { selector: { app: "server" }, internalTrafficPolicy: "Local", ports: [{ port: 80, targetPort: 8080 }] },
      },
    );
    await ready(namespace, "server", "friend", "stranger");
    await ready(openNamespace, "open");
    openAddress = await field(openNamespace, "pod/open", "{.status.podIP}");
    address = await field(namespace, "pod/server", "{.status.podIP}");
  });

  after(async () => {
    await removeNamespace(namespace);
    await removeNamespace(openNamespace);
  });

  it("resolves names of services, and says at once that others don't exist", async () => {
    const known = await inPod(namespace, "friend", "nslookup", "kubernetes.default.svc.cluster.local");
    assert.match(known.stdout, /Address: 10\.96\.0\.1\b/);
    const before = Date.now();
    const unknown = await inPod(namespace, "friend", "nslookup", "example.com");
    assert.match(unknown.stdout, /NXDOMAIN/);
    assert.ok(Date.now() - before < 3000, "an unknown name took longer than three seconds");
  });

  it("reaches a service with internalTrafficPolicy Local on the pod's own node", async () => {
    const node = await field(namespace, "pod/server", "{.spec.nodeName}");
    await apply(pod(namespace, "neighbour", busybox, idle, { node }));
    await ready(namespace, "neighbour");
    const answer = await inPod(
      namespace,
      "neighbour",
      "wget",
      "-qO-",
      `http://local.${namespace}.svc.cluster.local/echo`,
    );
    assert.equal(answer.code, 0, answer.stderr);
  });

  it("leads nowhere outside the cluster", async () => {
    const { stdout } = await inPod(namespace, "friend", "ip", "route");
    assert.match(stdout, /^default via 10\.244\./m);
    // The API server's port on the host is that of 127.0.0.1; the host's own addresses are not to be reached at all.
    const addresses = (await command("/usr/bin/hostname", ["-I"])).split(" ").filter((text) => /^\d+\./.test(text));
    for (const host of [...addresses, "198.51.100.1"]) {
      const answer = await inPod(namespace, "friend", "nc", "-w", "2", host, "22");
      assert.match(answer.stderr, /unreachable|timed out/i, `${host} answered: ${answer.stderr}`);
    }
  });

  it("has no IPv6 that would lead around the policies", async () => {
    const { stdout } = await inPod(namespace, "friend", "ip", "-6", "addr", "show", "dev", "eth0");
    assert.equal(stdout.trim(), "");
  });

  it("leaves the host's network alone", async () => {
    const links = await command("/usr/sbin/ip", ["-br", "link"]);
    assert.doesNotMatch(links, /veth|cni|br0|docker|node\d/);
    assert.equal((await command("/usr/sbin/nft", ["list", "ruleset"])).trim(), "");
    assert.doesNotMatch(fs.readFileSync("/proc/self/mountinfo", "utf8"), /kubelet|containerd|overlay .*lucid/);
  });

  describe("NetworkPolicies", () => {
    it("allow everything where there is none", async () => {
      assert.ok(await connects("stranger", address, 8080));
    });

    it("deny what no policy allows, and allow what one does", async () => {
      await apply(denyAll);
      await eventually("deny-all to be enforced", async () => !(await connects("friend", address, 8080)));
      assert.equal(await connects("stranger", address, 8080), false);
      await apply(...allowOne);
      await eventually("the allowed connection", () => connects("friend", address, 8080));
      assert.equal(await connects("stranger", address, 8080), false);
    });

    it("are enforced on a new pod within two seconds of its first process", async () => {
      // From its first moment on a pod tries to connect, and notes how long after it was last let through.
      const script = `now() { read up rest < /proc/uptime; echo "\${up%.*}\${up#*.}0"; }
        began=$(now); last=none
        while [ $(( $(now) - began )) -lt 5000 ]; do
          if nc -w 1 ${openAddress} 8080 -e true 2>/dev/null; then last=$(( $(now) - began )); fi
          usleep 50000
        done
        echo "last=$last"; sleep 3600`;
      const trying = ["sh", "-c", script];
      await apply(
        pod(namespace, "newcomer", busybox, trying),
        pod(namespace, "welcome", busybox, trying, { labels: { app: "friend" } }),
      );
      await ready(namespace, "newcomer", "welcome");
      const lastOf = async (name: string): Promise<string> => {
        let last: string | undefined;
        await eventually(`the report of ${name}`, async () => {
          last = /last=(\w+)/.exec(await kubectl(["-n", namespace, "logs", name]))?.[1];
          return last !== undefined;
        });
        return last ?? "";
      };
      assert.ok(Number(await lastOf("welcome")) > 3000, "the pod that is allowed was not let through");
      const last = await lastOf("newcomer");
      assert.ok(last === "none" || Number(last) < 2000, `let through until ${last} ms after its start`);
      console.log(`        a denied pod was let through until: ${last} (ms after its first process)`);
      assert.equal(await connects("newcomer", openAddress, 8080), false);
    });
  });
});
