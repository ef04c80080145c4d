import assert from "node:assert/strict";
import { core, apps, podOf } from "../support/cluster";
import { service } from "../support/document";
import { kubectl, tryKubectl } from "../cluster/support";

const WALLET = "lucid-wallet";

/** Asserts that kubectl is refused by a policy, and says what it was told. */
async function refused(
  policy: string,
  says: RegExp,
  args: readonly string[],
  input: object | string = "",
): Promise<void> {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  const { code, stderr } = await tryKubectl(args, text);
  assert.notEqual(code, 0);
  assert.ok(stderr.includes(`ValidatingAdmissionPolicy '${policy}'`), stderr);
  assert.match(stderr, says);
}

const patch = (kind: string, name: string, body: object) => [
  "-n",
  WALLET,
  "patch",
  kind,
  name,
  "--type=json",
  "-p",
  JSON.stringify(body),
];
const image = "/spec/template/spec/containers/0/image";

/** Past Pulumi, with all the rights that Kubernetes knows. */
describe("kubectl on the deployed mesh", () => {
  it("is refused an opened NetworkPolicy, a removed default deny, and a policy of its own", async () => {
    await refused(
      "lucid-network",
      /opens the pods to everyone/,
      patch("networkpolicy", "payout-router", [{ op: "add", path: "/spec/ingress/-", value: {} }]),
    );
    await refused("lucid-kept", /take the pods away first/, ["-n", WALLET, "delete", "networkpolicy", "default-deny"]);
    await refused("lucid-network", /one member/, ["apply", "-f", "-"], {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "open", namespace: WALLET },
      spec: { podSelector: {}, ingress: [{}] },
    });
  });

  it("is refused another image, a missing sidecar and the node's IPC, and may scale", async () => {
    await refused(
      "lucid-images",
      /busybox/,
      patch("deployment", "payout-router", [{ op: "replace", path: image, value: "busybox:1.35.0" }]),
    );
    await refused(
      "lucid-sidecars",
      /has no sidecar/,
      patch("deployment", "payout-router", [{ op: "remove", path: "/spec/template/spec/initContainers" }]),
    );
    await refused(
      "lucid-pod-security",
      /IPC/,
      patch("deployment", "payout-router", [{ op: "add", path: "/spec/template/spec/hostIPC", value: true }]),
    );
    const { spec } = await apps.readNamespacedDeployment({ name: "payout-router", namespace: WALLET });
    await kubectl(["-n", WALLET, "scale", "deployment/payout-router", `--replicas=${String(spec?.replicas ?? 1)}`]);
  });

  it("is refused a changed label, and may annotate", async () => {
    const { name } = await podOf(service("payout-router"));
    await refused("lucid-members", /something else/, [
      "-n",
      WALLET,
      "label",
      "--overwrite",
      "pod",
      name,
      "app.kubernetes.io/name=tron-payment",
    ]);
    await kubectl(["-n", WALLET, "annotate", "--overwrite", "pod", name, "example.org/note=1"]);
  });

  it("is refused to get into a sidecar, and may get into the application", async () => {
    const { name } = await podOf(service("payout-router"));
    const cat = ["cat", "/etc/envoy/certificate/tls.key"];
    await refused("lucid-exec", /private key/, ["-n", WALLET, "exec", name, "-c", "sidecar", "--", ...cat]);
    await refused("lucid-ephemeral-containers", /call as the pod's service/, [
      "-n",
      WALLET,
      "debug",
      name,
      "--image=fortio/fortio:1.66.2",
      "--profile=restricted",
      "--attach=false",
      "--",
      "fortio",
      "version",
    ]);
    await kubectl(["-n", WALLET, "exec", name, "-c", "app", "--", "fortio", "version"]);
  });

  it("is refused a NodePort, an Ingress and a namespace that enforces nothing", async () => {
    const metadata = { name: "door", namespace: WALLET };
    const ports = [{ port: 80 }];
    await refused("lucid-services", /make it a ClusterIP/, ["apply", "-f", "-"], {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { type: "NodePort", selector: { "app.kubernetes.io/name": "payout-router" }, ports },
    });
    await refused("lucid-kinds", /models a Ingress/, ["apply", "-f", "-"], {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata,
      spec: { defaultBackend: { service: { name: "door", port: { number: 80 } } } },
    });
    await refused("lucid-zones", /restricted profile/, [
      "label",
      "--overwrite",
      "namespace",
      WALLET,
      "pod-security.kubernetes.io/enforce=privileged",
    ]);
  });

  it("has a pod that was deleted made anew", async () => {
    const before = await podOf(service("tron-payment"));
    await core.deleteNamespacedPod(before);
    await kubectl(["-n", WALLET, "rollout", "status", "deployment/tron-payment", "--timeout=120s"]);
  });
});
