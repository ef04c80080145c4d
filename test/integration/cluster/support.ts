import { execFile } from "node:child_process";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { binDir, kubeconfigPath, stateDir } from "../../../dev/paths";

/** What a command did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; a failure is an outcome like any other. */
export function outcome(
  command: string,
  args: readonly string[],
  input = "",
  env: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { encoding: "utf8", maxBuffer: 32 << 20, env } as const;
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs a command that must succeed and returns its output. */
export async function command(program: string, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await outcome(program, args, input);
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")}: exit code ${String(code)}: ${stderr.trim() || stdout.trim()}`);
  }
  return stdout;
}

export const kubectlProgram = path.join(binDir(), "kubectl");

/** Arguments that lead kubectl to the embedded cluster. */
export const kubectlAccess = ["--kubeconfig", kubeconfigPath, "--cache-dir", path.join(stateDir(), "kubectl-cache")];

/** Runs kubectl, which must succeed. */
export function kubectl(args: readonly string[], input = ""): Promise<string> {
  return command(kubectlProgram, [...kubectlAccess, ...args], input);
}

/** Runs kubectl; a failure is an outcome. */
export function tryKubectl(args: readonly string[], input = ""): Promise<Outcome> {
  return outcome(kubectlProgram, [...kubectlAccess, ...args], input);
}

/** Creates or changes objects. */
export async function apply(...objects: readonly object[]): Promise<void> {
  await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
}

/** A namespace for one test file, under the strictest pod security. */
export async function makeNamespace(name: string): Promise<void> {
  await kubectl(["delete", "namespace", name, "--ignore-not-found", "--wait"]);
  await apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  });
  // Pods are refused until the namespace's account exists.
  await eventually("the default service account", async () => {
    return (await tryKubectl(["-n", name, "get", "serviceaccount", "default"])).code === 0;
  });
}

/** Removes a test's namespace, without waiting for the end of its pods. */
export async function removeNamespace(name: string): Promise<void> {
  await kubectl(["delete", "namespace", name, "--ignore-not-found", "--wait=false"]);
}

export interface PodOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly spec?: object;
  readonly container?: object;
}

/** A pod of one container that passes pod security `restricted`. */
export function pod(
  namespace: string,
  name: string,
  image: string,
  args: readonly string[],
  options: PodOptions = {},
): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels: { app: name, ...options.labels } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      ...(options.node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": options.node } }),
      ...options.spec,
      containers: [{ name: "main", image, args, securityContext: restricted, ...options.container }],
    },
  };
}

/** What pod security `restricted` wants of a container. */
export const restricted = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

export const busybox = "busybox:1.35.0";
export const fortio = "fortio/fortio:1.66.2";
/** Keeps a busybox pod alive. */
export const idle = ["sleep", "3600"];

/** Waits for pods to be ready. */
export async function ready(namespace: string, ...names: readonly string[]): Promise<void> {
  const pods = names.map((name) => `pod/${name}`);
  await kubectl(["-n", namespace, "wait", "--for=condition=Ready", "--timeout=180s", ...pods]);
}

/** Runs a command in a pod. */
export function inPod(namespace: string, name: string, ...args: readonly string[]): Promise<Outcome> {
  return tryKubectl(["-n", namespace, "exec", name, "--", ...args]);
}

/** One field of an object, by jsonpath. */
export async function field(namespace: string, object: string, jsonpath: string): Promise<string> {
  return (await kubectl(["-n", namespace, "get", object, "-o", `jsonpath=${jsonpath}`])).trim();
}

/** Waits until a condition holds. */
export async function eventually(what: string, condition: () => Promise<boolean>, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) {
      throw new Error(`waited ${String(seconds)} s for ${what}`);
    }
    await delay(200);
  }
}
