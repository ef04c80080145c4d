/** What the rules know of the resources of `@pulumi/consul`. Said here on its own: nothing is shared with what declares them. */
export const CONSUL = {
  aclPolicy: "consul:index/aclPolicy:AclPolicy",
  aclToken: "consul:index/aclToken:AclToken",
  provider: "pulumi:providers:consul",
} as const;
