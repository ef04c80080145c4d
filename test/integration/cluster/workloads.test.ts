import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import { once } from "node:events";

import {
  apply,
  busybox,
  eventually,
  field,
  fortio,
  idle,
  inPod,
  kubectl,
  kubectlAccess,
  kubectlProgram,
  makeNamespace,
  pod,
  ready,
  removeNamespace,
  restricted,
  tryKubectl,
} from "./support";

const namespace = "test-workloads";

function get(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    http
      .get(url, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on("error", reject);
  });
}

describe("workloads on the embedded cluster", function () {
  this.timeout(60_000);

  before(() => makeNamespace(namespace));
  after(() => removeNamespace(namespace));

  it("binds port 80 without privileges, by a safe sysctl", async () => {
    const args = ["server", "-http-port", "80", "-redirect-port", "disabled"];
    const sysctls = [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }];
    await apply(pod(namespace, "low-port", fortio, args, { spec: { securityContext: { sysctls } } }));
    await ready(namespace, "low-port");
    const address = await field(namespace, "pod/low-port", "{.status.podIP}");
    await apply(pod(namespace, "caller", busybox, idle));
    await ready(namespace, "caller");
    assert.equal((await inPod(namespace, "caller", "nc", "-w", "2", address, "80", "-e", "true")).code, 0);
  });

  it("serves exec, logs and port-forward", async () => {
    await apply(pod(namespace, "web", fortio, ["server", "-http-port", "8080", "-redirect-port", "disabled"]));
    await apply(pod(namespace, "shell", busybox, ["sh", "-c", "echo said; sleep 3600"]));
    await ready(namespace, "web", "shell");
    const executed = await inPod(namespace, "shell", "sh", "-c", "echo out; echo err >&2; exit 3");
    assert.deepEqual([executed.stdout, executed.code], ["out\n", 3]);
    assert.match(executed.stderr, /^err\n/);
    assert.equal(await kubectl(["-n", namespace, "logs", "shell"]), "said\n");

    const forward = spawn(kubectlProgram, [...kubectlAccess, "-n", namespace, "port-forward", "pod/web", ":8080"]);
    try {
      const [line] = (await once(forward.stdout, "data")) as [Buffer];
      const port = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
      assert.ok(port !== undefined, line.toString());
      assert.equal(await get(`http://127.0.0.1:${port}/echo`), 200);
    } finally {
      forward.kill();
    }
  });

  it("starts a native sidecar, waits for its start-up probe, and ends it after the application", async () => {
    const script = "sleep 1; echo ready > /shared/ready; trap 'exit 0' TERM; while :; do sleep 0.2; done";
    const volumeMounts = [{ name: "shared", mountPath: "/shared" }];
    await apply(
      pod(namespace, "sidecar", busybox, ["sh", "-c", "cat /shared/ready"], {
        spec: {
          restartPolicy: "Never",
          volumes: [{ name: "shared", emptyDir: {} }],
          initContainers: [
            {
              name: "proxy",
              image: busybox,
              args: ["sh", "-c", script],
              restartPolicy: "Always",
              startupProbe: {
                exec: { command: ["test", "-f", "/shared/ready"] },
                periodSeconds: 1,
                failureThreshold: 30,
              },
              securityContext: restricted,
              volumeMounts,
            },
          ],
        },
        container: { volumeMounts },
      }),
    );
    await kubectl([
      "-n",
      namespace,
      "wait",
      "--for=jsonpath={.status.phase}=Succeeded",
      "--timeout=40s",
      "pod/sidecar",
    ]);
    assert.equal(await kubectl(["-n", namespace, "logs", "sidecar", "-c", "main"]), "ready\n");
  });

  it("gives a claim a volume of the default class that an unprivileged pod can write to, and removes it", async () => {
    await apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { namespace, name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Mi" } } },
    });
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    const mount = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
    const spec = { volumes, securityContext: { fsGroup: 2000 } };
    const write = ["sh", "-c", "echo kept > /data/file && sleep 3600"];
    await apply(pod(namespace, "writer", busybox, write, { spec, container: mount }));
    await ready(namespace, "writer");
    await kubectl(["-n", namespace, "delete", "pod", "writer", "--wait"]);
    await apply(pod(namespace, "reader", busybox, idle, { spec, container: mount }));
    await ready(namespace, "reader");
    assert.equal((await inPod(namespace, "reader", "cat", "/data/file")).stdout, "kept\n");
    const volume = await field(namespace, "pvc/data", "{.spec.volumeName}");
    const path = (await kubectl(["get", "pv", volume, "-o", "jsonpath={.spec.local.path}"])).trim();
    assert.ok(fs.existsSync(path), path);
    await kubectl(["-n", namespace, "delete", "pod/reader", "pvc/data", "--wait"]);
    await eventually("the volume to be removed", async () => {
      return (await tryKubectl(["get", "pv", volume])).code !== 0 && !fs.existsSync(path);
    });
  });

  it("projects a token that the API server accepts for its audience alone", async () => {
    const audience = "mesh.lucid.internal";
    const sources = [{ serviceAccountToken: { audience, expirationSeconds: 600, path: "token" } }];
    await apply(
      pod(namespace, "token", busybox, idle, {
        spec: { volumes: [{ name: "token", projected: { sources } }] },
        container: { volumeMounts: [{ name: "token", mountPath: "/token" }] },
      }),
    );
    await ready(namespace, "token");
    const token = (await inPod(namespace, "token", "cat", "/token/token")).stdout;
    const review = async (
      audiences: readonly string[],
    ): Promise<{ authenticated?: boolean; user?: { username?: string } }> => {
      const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token, audiences } };
      const answer = await kubectl(["create", "-o", "json", "-f", "-"], JSON.stringify(request));
      return (JSON.parse(answer) as { status: { authenticated?: boolean; user?: { username?: string } } }).status;
    };
    const accepted = await review([audience]);
    assert.equal(accepted.user?.username, `system:serviceaccount:${namespace}:default`);
    assert.notEqual((await review(["another"])).authenticated, true);
  });

  it("refuses pods that pod security or an admission policy forbids", async () => {
    const privileged = pod(namespace, "privileged", busybox, idle, {
      container: { securityContext: { privileged: true } },
    });
    assert.match((await tryKubectl(["apply", "-f", "-"], JSON.stringify(privileged))).stderr, /violates PodSecurity/);

    const name = "test-workloads-no-forbidden";
    const selector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
    await apply(
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicy",
        metadata: { name },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] },
            ],
          },
          validations: [{ expression: "object.metadata.name != 'forbidden'", message: "this name is forbidden" }],
        },
      },
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name },
        spec: { policyName: name, validationActions: ["Deny"], matchResources: { namespaceSelector: selector } },
      },
    );
    try {
      await eventually("the policy to be enforced", async () => {
        const made = await tryKubectl(["-n", namespace, "create", "configmap", "forbidden", "--dry-run=server"]);
        return /this name is forbidden/.test(made.stderr);
      });
      assert.equal(
        (await tryKubectl(["-n", namespace, "create", "configmap", "permitted", "--dry-run=server"])).code,
        0,
      );
    } finally {
      const kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings";
      await kubectl(["delete", kinds, name, "--ignore-not-found"]);
    }
  });

  it("keeps a kubelet to its own node", async () => {
    const as = ["--as=system:node:node1", "--as-group=system:nodes", "--as-group=system:authenticated"];
    const secrets = await tryKubectl(["-n", namespace, "get", "secrets", ...as]);
    assert.match(secrets.stderr, /Forbidden|forbidden/);
  });
});
