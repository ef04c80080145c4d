/** What of Kubernetes' objects says who has a credential, and what etcd's users may do. */
import type { Account } from "../../../consul/acl/login";
import { KEEPER } from "../../../etcd/keeper";
import { Field } from "../../../judgement/field";
import type { Plain } from "../../../judgement/plain";
import { objectTitle } from "../../network/reading/cluster";
import { TEMPLATE_PATHS } from "../../network/reading/workload";
import type { PodTemplate } from "./readers";

/** What a ServiceAccount is called at Consul instead of its name. */
const CALLED_AS = "consul.hashicorp.com/service-name";
/** The document that etcd's users and roles are kept equal to. */
const DOCUMENT = `ConfigMap lucid-mesh/${KEEPER}-document`;

export interface KubernetesReading {
  readonly templates: readonly PodTemplate[];
  readonly accounts: readonly Account[];
  /** What the keeper keeps etcd's users equal to; undefined where there is no such object. */
  readonly document: { readonly title: string; readonly entries: readonly Field[] } | undefined;
}

/** @throws Unjudgeable */
export function readKubernetes(objects: readonly Plain[]): KubernetesReading {
  const typed = objects.map((object) => {
    const field = new Field(object);
    return { field, title: objectTitle(field), type: `${textAt(field, "apiVersion")}/${textAt(field, "kind")}` };
  });
  return {
    templates: typed.flatMap(({ field, title, type }) => {
      const path = TEMPLATE_PATHS[type];
      if (path === undefined) return [];
      return [{ title, namespace: textAt(field, "metadata", "namespace"), spec: field.at(...path, "spec") }];
    }),
    accounts: typed
      .filter(({ type }) => type === "v1/ServiceAccount")
      .map(({ field }) => {
        const calledAs = field.at("metadata", "annotations", CALLED_AS).text();
        const account = { namespace: textAt(field, "metadata", "namespace"), name: textAt(field, "metadata", "name") };
        return calledAs === undefined ? account : { ...account, calledAs };
      }),
    document: typed
      .filter(({ title }) => title === DOCUMENT)
      .map(({ field, title }) => ({
        title,
        entries: field
          .at("data")
          .entries()
          .map(([, entry]) => entry),
      }))[0],
  };
}

function textAt(field: Field, ...keys: readonly string[]): string {
  return field.at(...keys).text() ?? "";
}
