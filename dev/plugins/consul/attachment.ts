import type { AclTokenPolicyAttachmentArgs } from "@pulumi/consul";

import { diffInputs } from "../protocol/diff";
import { checkFields, type FieldsOf } from "../protocol/fields";
import type { ResourceImplementation } from "../protocol/provider";
import { type Properties, reveal } from "../protocol/values";
import type { ConsulClient } from "./client";
import { linkNames, links } from "./kinds";

const FIELDS: FieldsOf<AclTokenPolicyAttachmentArgs> = {
  tokenId: { type: "string", required: true },
  policy: { type: "string", required: true },
};

/** `consul.AclTokenPolicyAttachment`: one policy of a token that somebody else declares (such as Consul's anonymous token). */
export function policyAttachment(client: () => ConsulClient): ResourceImplementation {
  const read = async (tokenId: string): Promise<Properties | undefined> =>
    await client().call("GET", `/v1/acl/token/${tokenId}`);
  const write = async (tokenId: string, token: Properties, policies: string[]): Promise<void> => {
    await client().call("PUT", `/v1/acl/token/${tokenId}`, { ...token, Policies: links(policies) });
  };

  return {
    check: ({ news }) => Promise.resolve({ inputs: news, failures: checkFields(FIELDS, news) }),

    diff: ({ oldInputs, news }) => Promise.resolve(diffInputs(oldInputs, news, { replaceOn: "all" })),

    create: async ({ inputs, context }) => {
      if (context.preview) {
        return { id: "", outputs: inputs };
      }
      const { tokenId, policy } = textsOf(inputs);
      const token = await read(tokenId);
      if (token === undefined) {
        throw new Error(`Consul has no token ${tokenId}`);
      }
      const attached = linkNames(token.Policies);
      if (attached.includes(policy)) {
        throw new Error(`the policy ${policy} is already attached to the token ${tokenId}`);
      }
      await write(tokenId, token, [...attached, policy]);
      return { id: `${tokenId}:${policy}`, outputs: inputs };
    },

    read: async ({ id, inputs, outputs }) => {
      const [tokenId, policy] = splitId(id);
      const token = await read(tokenId);
      if (token === undefined || !linkNames(token.Policies).includes(policy)) {
        return undefined;
      }
      const there = { tokenId, policy };
      return { id, outputs: { ...there, ...outputs }, inputs: { ...there, ...inputs } };
    },

    delete: async ({ id }) => {
      const [tokenId, policy] = splitId(id);
      const token = await read(tokenId);
      if (token !== undefined) {
        await write(
          tokenId,
          token,
          linkNames(token.Policies).filter((name) => name !== policy),
        );
      }
    },
  };
}

function textsOf(inputs: Properties): { readonly tokenId: string; readonly policy: string } {
  const { tokenId, policy } = reveal(inputs);
  if (typeof tokenId !== "string" || typeof policy !== "string") {
    throw new Error("tokenId and policy must be strings");
  }
  return { tokenId, policy };
}

/** Token and policy of an id; a policy's name may hold a colon. */
function splitId(id: string): [string, string] {
  const colon = id.indexOf(":");
  return [id.slice(0, colon), id.slice(colon + 1)];
}
