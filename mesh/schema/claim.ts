/** What an end user's token must say. */
import { z } from "zod";

const claimName = z
  .string()
  .min(1, { error: "the claim has no name; name it as the token does" })
  .max(200, { error: "a claim's name has 200 characters at most; check it" });

export const claim = z.strictObject({
  claim: claimName.describe("Name of the claim, `roles` or `scope` for example."),
  in: z
    .array(claimName)
    .min(1, { error: "the list is empty; name the object that holds the claim, or leave the key out" })
    .optional()
    .describe("Objects of the token that hold the claim, the outermost first. Default: it stands at the top."),
  values: z
    .array(z.string().min(1, { error: "the value is empty; write what the claim must say" }))
    .min(1, { error: "the list is empty; name a value, for a claim of any value shows nothing" })
    .describe("Values of which the claim must have one: as text, truth value, or element of a list."),
});
