/** Pulumi's engine replaced by a recorder: what a program registers, without deploying. */
import * as pulumi from "@pulumi/pulumi";
import { mockAuthority } from "./mock-authority";

export interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly custom: boolean;
}

export const recorded: Recorded[] = [];

/** When all certificates end, as the TLS provider tells it. */
const VALIDITY_END = "2027-02-19T22:31:04.5+02:00";

/** One key and its certificate stand for all, for the program signs revocation lists with them; the line before a PEM tells them apart. */
const authority = { key: "", certificate: "" };

/** Outputs that the components read, by type. PEMs are told apart by their resource's name. */
function outputs(type: string, name: string): Record<string, unknown> {
  switch (type) {
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPemPkcs8: `PRIVATE-${name}\n${authority.key}` };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: `CERTIFICATE-${name}\n${authority.certificate}`, validityEndTime: VALIDITY_END };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: `REQUEST-${name}` };
    case "random:index/randomBytes:RandomBytes":
      return { base64: `BYTES-${name}` };
    case "random:index/randomUuid:RandomUuid":
      return { result: `UUID-${name}` };
    case "consul:index/aclToken:AclToken":
      return { accessorId: `ACCESSOR-${name}` };
    default:
      return {};
  }
}

export async function installMocks(): Promise<void> {
  recorded.length = 0;
  if (authority.key === "") Object.assign(authority, await mockAuthority());
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        recorded.push({
          type: args.type,
          name: args.name,
          inputs: args.inputs as Record<string, unknown>,
          custom: args.custom ?? false,
        });
        return {
          id: `${args.name}-id`,
          state: { ...(args.inputs as Record<string, unknown>), ...outputs(args.type, args.name) },
        };
      },
      call: (args) => ({
        ...(args.inputs as Record<string, unknown>),
        secretId: `SECRET-${String((args.inputs as { accessorId?: string }).accessorId)}`,
      }),
    },
    "lucid-mesh",
    "dev",
    false,
  );
}

/** Waits until every resource that was begun is registered. */
export async function settled(): Promise<void> {
  let before = -1;
  while (before !== recorded.length) {
    before = recorded.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
