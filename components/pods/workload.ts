/** What a service's Deployment says, whoever brings its pods: the mesh's own stack, or one that joins. */
import type * as kubernetes from "@pulumi/kubernetes";
import type { ZoneName } from "../../mesh";
import { objectLabels, selectorLabels, spreadOverNodes, workloadLabels } from "./pod";
import type { PodTemplate } from "./pod-template";
import { toTemplateSpec } from "./pod-template";

/** A service, as far as its objects bear it in their names and labels. */
export interface Named {
  readonly name: string;
  readonly namespace: string;
  readonly zone: ZoneName;
}

/** The template under the service's own account. Its token is kept from the application unless that asks the Kubernetes API. */
export function withAccount(
  template: PodTemplate,
  { name }: Named,
  selector: Readonly<Record<string, string>>,
  kubernetesApi = false,
): PodTemplate {
  return {
    ...template,
    spec: {
      topologySpreadConstraints: spreadOverNodes(selector),
      ...template.spec,
      serviceAccountName: name,
      automountServiceAccountToken: kubernetesApi,
      enableServiceLinks: false,
    },
  };
}

export interface DeploymentPlan {
  /** Name of the Deployment: the service's, or that of one of its versions. */
  readonly workload: string;
  readonly version: string;
  readonly replicas: number;
  readonly selector: Readonly<Record<string, string>>;
  /** With its sidecar. */
  readonly template: PodTemplate;
  /** Of the Deployment itself. Default: none. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A new pod is there before an old one goes. */
export function deploymentArgs(service: Named, plan: DeploymentPlan): kubernetes.apps.v1.DeploymentArgs {
  return {
    metadata: {
      name: plan.workload,
      namespace: service.namespace,
      labels: workloadLabels(service.name, service.zone, plan.version),
      ...(plan.annotations === undefined ? {} : { annotations: { ...plan.annotations } }),
    },
    spec: {
      replicas: plan.replicas,
      selector: { matchLabels: { ...plan.selector } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: toTemplateSpec(plan.template),
    },
  };
}

/** Of a service's pods one at most is taken away at a time, when a node is emptied. */
export function disruptionBudgetArgs(service: Named): kubernetes.policy.v1.PodDisruptionBudgetArgs {
  return {
    metadata: {
      name: service.name,
      namespace: service.namespace,
      labels: objectLabels(service.name, service.zone),
    },
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(service.name) } },
  };
}
