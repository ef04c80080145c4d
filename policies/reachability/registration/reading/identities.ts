import type { Grants } from "../../../consul/acl/objects";
import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";

/** Service and node identities and templated policies of a token or a role, as the provider and Consul's API alike write them. @throws Unjudgeable */
export function readIdentities(
  object: Field,
): Pick<Grants, "nodeIdentities" | "serviceIdentities" | "templatedPolicies"> {
  return {
    serviceIdentities: object
      .at("serviceIdentities")
      .items()
      .map((identity) => ({
        service: requiredText(identity.at("serviceName")),
        datacenters: identity.at("datacenters").texts(),
      })),
    nodeIdentities: object
      .at("nodeIdentities")
      .items()
      .map((identity) => ({
        node: requiredText(identity.at("nodeName")),
        datacenter: requiredText(identity.at("datacenter")),
      })),
    templatedPolicies: object
      .at("templatedPolicies")
      .items()
      .map((policy) => ({
        template: requiredText(policy.at("templateName")),
        name: policy.at("templateVariables", "name").text() ?? "",
        datacenters: policy.at("datacenters").texts(),
      })),
  };
}
