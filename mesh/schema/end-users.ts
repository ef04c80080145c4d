/** End users of a port: whose tokens they bring, and what these must say. */
import { z } from "zod";
import { methods, paths } from "./rule";
import { claim } from "./claim";

/** Tolerated difference of the clocks of issuer and mesh, in seconds, unless declared. */
const CLOCK_SKEW_SECONDS = 30;

const someText = z
  .string()
  .regex(/^\S(.*\S)?$/, { error: "the text is empty or padded with blanks; write it in full" });

const headerName = z.string().regex(/^[a-z0-9-]+$/, {
  error: "this is no header's name; use lower-case letters, digits and '-'",
});

const cookieName = z.string().regex(/^[A-Za-z0-9_.-]+$/, {
  error: "this is no cookie's name; use letters, digits, '_', '-' and '.'",
});

/** A key set that lies beside the document. */
export const keyFile = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._/-]*$/, { error: "the file lies beside the document; write a path relative to it" })
  .refine((path) => !path.split("/").includes(".."), {
    error: "the path leads out of the document's folder; put the file beside the document",
  });

const endUserRule = z.strictObject({
  methods: methods.optional().describe("HTTP methods that the rule is about. Default: all."),
  paths: paths.optional().describe("Paths that the rule is about; a trailing `*` makes a prefix. Default: all."),
  anonymous: z
    .boolean()
    .default(false)
    .describe("No token is needed here, and none is looked at: a page to log in, for example."),
  claims: z
    .array(claim)
    .default([])
    .describe("What the token must say here, beside the claims that the port asks everywhere."),
});

export const endUsers = z.strictObject({
  issuer: someText.describe("Who issues the tokens, exactly as their claim `iss` says it."),
  audiences: z
    .array(someText)
    .min(1, { error: "without an audience, tokens for other services would be accepted; name this service's own" })
    .describe("Names of this service of which a token's `aud` must hold one."),
  jwks: z
    .strictObject({
      keys: z
        .array(z.record(z.string(), z.unknown()))
        .min(1, { error: "the list is empty; a token needs a key by which it is checked" })
        .describe("Public keys alone; several while the issuer changes its key."),
    })
    .optional()
    .describe("The issuer's keys, a JSON Web Key Set (RFC 7517). Nothing is fetched: the mesh has no way out."),
  jwksFile: keyFile.optional().describe("A file with the key set, beside the document; instead of `jwks`."),
  header: headerName
    .optional()
    .describe("Header with the token alone in it. Default: `Authorization`, after the word `Bearer`."),
  cookie: cookieName.optional().describe("Cookie with the token, instead of a header."),
  forwardToken: z.boolean().default(true).describe("The application gets the token as it came."),
  forwardClaims: z
    .boolean()
    .default(false)
    .describe(
      "The application gets the verified claims in `x-end-user-claims` (base64url of JSON), which nobody else can set.",
    ),
  clockSkewSeconds: z
    .int({ error: "this is no number of seconds; write a whole number" })
    .min(1, { error: "the tolerance is below a second; write 1 or more" })
    .max(300, { error: "the tolerance is above five minutes; set the clocks instead" })
    .default(CLOCK_SKEW_SECONDS)
    .describe("Tolerated difference between the issuer's clock and the mesh's."),
  claims: z.array(claim).default([]).describe("What every token must say; all of it."),
  rules: z
    .array(endUserRule)
    .default([])
    .describe("Exceptions by path and method; the first that fits a request decides."),
});

/** End users of a port as declared. */
export type EndUsersDeclaration = z.output<typeof endUsers>;
