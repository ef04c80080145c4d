/** A service outside the cluster: where it is, and by what it proves itself. */
import { z } from "zod";
import { addressProblem } from "../external/addresses";
import { authoritiesProblem } from "../external/authorities";
import { endOf } from "../instant";
import { portName, without } from "./values";
import { httpPath, owner } from "./workload";

const dnsName = z
  .string()
  .max(253, { error: "a DNS name has 253 characters at most; shorten it" })
  .regex(/^(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, {
    error: "this is no DNS name; write it in full and in lower case, as 'db.example.org'",
  });

const certificateName = z
  .string()
  .max(253, { error: "a DNS name has 253 characters at most; shorten it" })
  .regex(/^(\*\.)?(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, {
    error:
      "this is no DNS name; write it in lower case as it stands in the certificate, as 'db.example.org' or '*.example.org'",
  });

const alpn = z.string().regex(/^[!-~]{1,255}$/, { error: "this is no name of a protocol; write it as 'postgresql'" });

const tls = z.strictObject({
  names: z
    .array(certificateName)
    .min(1, { error: "without a name every certificate of these authorities would do; write the service's own" })
    .describe("DNS names of which its certificate must bear one, to the letter; `*.example.org` is that name alone."),
  serverName: dnsName
    .optional()
    .describe(
      "Server name asked for, and the host that HTTP requests are for. Default: the first of `names` without `*`.",
    ),
  authorities: without(authoritiesProblem).describe(
    "PEM certificates of the authorities that sign it. They are believed for this service alone.",
  ),
  presentCertificate: z
    .boolean()
    .default(false)
    .describe("Whether it is shown the service's own certificate of the mesh, where it asks for one."),
  alpn: z.array(alpn).default([]).describe("Protocols offered on `tcp` ports (ALPN). Default: none."),
});

const plaintext = z.strictObject({
  reason: z
    .string()
    .regex(/\S.*\S/s, { error: "the reason is empty; say why it can't have TLS" })
    .max(300, { error: "a reason has 300 characters at most; shorten it" })
    .describe("Why it can't have TLS."),
  owner: owner.describe("Who answers for it, and sees that it gets TLS."),
  until: z
    .string({ error: "this is no date; write '2026-12-31' (that day included)" })
    .refine((text) => endOf(text) !== undefined, {
      error: "this is no date of UTC; write '2026-12-31' (that day included)",
    })
    .describe(
      "Until when it may be (UTC): a date, that day included, or a date and time. Calls are refused from then on.",
    ),
});

export const external = z.strictObject({
  addresses: z
    .array(without(addressProblem))
    .min(1, { error: "the list is empty; write where the service is" })
    .describe("IPv4 addresses at which it is, each an instance with all of the ports."),
  tls: tls.optional().describe("By what it proves itself: TLS 1.2 or 1.3. Required, but for `plaintext`."),
  plaintext: plaintext.optional().describe("Instead of `tls`, for what can't have it: the ceiling must let it, too."),
  health: z
    .strictObject({
      path: httpPath.default("/health").describe("Asked by GET every 30 s; 200 means well."),
      port: portName.optional().describe("Name of the port that is asked. Default: the first that speaks HTTP."),
    })
    .optional()
    .describe("What is asked whether it is well. Default: each port is connected to, TLS included."),
});

/** A service outside the cluster as declared. */
export type ExternalDeclaration = z.output<typeof external>;
