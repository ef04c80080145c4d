import { Findings } from "../../../judgement/finding";
import type { Finding } from "../../../judgement/finding";
import type { Field } from "../../../judgement/field";
import { allContainers } from "../../../kubernetes/pods";
import { checkSidecarVolumes } from "../../../rules/sidecar-volumes";
import { requiredText } from "../../network/reading/fields";

/** Where a sidecar's files are mounted; a pod without it has no sidecar. */
const CONFIG_FOLDER = "/etc/envoy/config";

/** What a pod template says of its sidecar. */
export interface PodSidecar {
  /** The account that the pod runs as: its identity. */
  readonly account: string;
  /** Volumes of the sidecar that are not the account's own. */
  readonly findings: readonly Finding[];
}

/** The sidecar of a pod template; undefined where it has none. @throws Unjudgeable */
export function podSidecarOf(spec: Field): PodSidecar | undefined {
  const mounts = allContainers(spec).flatMap(({ field }) => field.at("volumeMounts").items());
  const isSidecars = (mount: Field) => (mount.at("mountPath").text() ?? "").replace(/\/+$/, "") === CONFIG_FOLDER;
  if (!mounts.some(isSidecars)) return undefined;
  const account = requiredText(spec.at("serviceAccountName"));
  const findings = new Findings();
  checkSidecarVolumes(spec, account, findings);
  return { account, findings: findings.list };
}
