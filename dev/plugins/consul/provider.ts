import type { GetAclTokenSecretIdArgs } from "@pulumi/consul";
import { version } from "@pulumi/consul/package.json";

import { checkFields, type FieldsOf } from "../protocol/fields";
import type { ProviderImplementation } from "../protocol/provider";
import { containsUnknowns, type Properties, reveal, Secret, UNKNOWN } from "../protocol/values";
import { aclResource } from "./acl-resource";
import { policyAttachment } from "./attachment";
import { ConsulClient, consulSettings } from "./client";
import { POLICY, TOKEN } from "./kinds";

const SECRET_ID: FieldsOf<GetAclTokenSecretIdArgs> = {
  accessorId: { type: "string", required: true },
  namespace: { type: "string", notImplemented: true },
  partition: { type: "string", notImplemented: true },
  pgpKey: { type: "string", notImplemented: true },
};

/** The stand-in for the `consul` plugin: AclPolicy, AclToken, AclTokenPolicyAttachment and the function getAclTokenSecretId. */
export function consulProvider(): ProviderImplementation {
  const configured: { client?: ConsulClient } = {};
  const client = (): ConsulClient => {
    if (configured.client === undefined) {
      throw new Error("the consul provider was asked for something before it was configured");
    }
    return configured.client;
  };
  return {
    name: "consul",
    version,
    configKeys: ["address", "scheme", "token", "caPem", "caFile", "insecureHttps", "datacenter"],
    configure: (config) => {
      configured.client = new ConsulClient(consulSettings(config, process.env));
      return Promise.resolve();
    },
    resources: {
      "consul:index/aclPolicy:AclPolicy": aclResource(POLICY, client),
      "consul:index/aclToken:AclToken": aclResource(TOKEN, client),
      "consul:index/aclTokenPolicyAttachment:AclTokenPolicyAttachment": policyAttachment(client),
    },
    functions: {
      "consul:index/getAclTokenSecretId:getAclTokenSecretId": async (args) => await tokenSecret(client, args),
    },
  };
}

async function tokenSecret(client: () => ConsulClient, args: Properties): Promise<Properties> {
  const failures = checkFields(SECRET_ID, args);
  if (failures.length > 0) {
    throw new Error(failures.map(({ reason }) => reason).join("; "));
  }
  if (containsUnknowns(args)) {
    return { ...args, id: UNKNOWN, secretId: new Secret(UNKNOWN), encryptedSecretId: new Secret(UNKNOWN) };
  }
  const { accessorId } = reveal(args);
  if (typeof accessorId !== "string") {
    throw new Error("accessorId must be a string");
  }
  const token = await client().call("GET", `/v1/acl/token/${accessorId}`);
  if (typeof token?.SecretID !== "string") {
    throw new Error(`Consul has no token ${accessorId}, or shows its secret to no one with this provider's token`);
  }
  return { id: accessorId, accessorId, secretId: new Secret(token.SecretID), encryptedSecretId: "", pgpKey: "" };
}
