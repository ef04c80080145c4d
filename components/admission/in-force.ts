import type { KubeConfig } from "@kubernetes/client-node";
import { ApiException, CoreV1Api } from "@kubernetes/client-node";
import { PROBE } from "../../admission";
import type { AwaitAdmission } from "./admission-control";

const NAMESPACE = "lucid-mesh";
const TIMEOUT_SECONDS = 60;
const PAUSE_MS = 250;
/** Answers in a row that must tell of the generation: a cluster may have several API servers, each with its own knowledge. */
const ANSWERS = 3;

/**
 * Asks the API server until it holds requests against a generation of the mesh's admission policies: by a dry run of an object that they refuse, and by what
 * they say to it.
 *
 * @returns a function that throws where the generation is not in force after a minute
 */
export function admissionOf(kubeConfig: KubeConfig): AwaitAdmission {
  return async (generation) => {
    const core = kubeConfig.makeApiClient(CoreV1Api);
    const deadline = Date.now() + TIMEOUT_SECONDS * 1000;
    let answers = 0;
    while (answers < ANSWERS) {
      const answer = await probe(core);
      if (answer === "no-namespace") return;
      answers = answer.includes(generation) ? answers + 1 : 0;
      if (answers === 0 && Date.now() > deadline) {
        throw new Error(
          `the API server does not enforce the mesh's admission policies of this run after ${TIMEOUT_SECONDS} s (it said: ${answer}); look at \`kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings\`, and run \`pulumi up\` again`,
        );
      }
      if (answers < ANSWERS) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
}

/** What the API server says to the probe. Where the namespace isn't there, nothing is that could be refused. */
async function probe(core: CoreV1Api): Promise<string> {
  try {
    await core.createNamespacedConfigMap({
      namespace: NAMESPACE,
      body: { metadata: { name: PROBE } },
      dryRun: "All",
    });
    return "that the probe may be made";
  } catch (error) {
    if (!(error instanceof ApiException)) return error instanceof Error ? error.message : String(error);
    if (error.code === 404) return "no-namespace";
    return String(error.body);
  }
}
