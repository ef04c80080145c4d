import * as pulumi from "@pulumi/pulumi";
import type { ZoneTrust } from "../certificate-authority";
import type { AcceptedGenerations } from "../identity/generations";
import type { PushedImage } from "../service-image";
import type { OwnPart } from "./own-part";
import { PART_FORMAT, type PartData } from "./part-data";

export interface TellPartArgs {
  readonly part: OwnPart;
  /** By which others believe this part's zone, and whose generations those are. */
  readonly trust: ZoneTrust;
  readonly generations: AcceptedGenerations;
  /** Known once each sidecar of the part has its files. */
  readonly written: readonly pulumi.Output<unknown>[];
  /** Of part `mesh` alone. */
  readonly shared?: { readonly admission: pulumi.Output<string>; readonly startGate: PushedImage };
}

/** What a part's stack tells the others, once all that it tells of is there. The revocation lists are public, though secret keys sign them. */
export function tellPart({ part, trust, generations, written, shared }: TellPartArgs): pulumi.Output<PartData> {
  const { zone, believes, declaration } = part;
  const basis = pulumi.all([shared?.admission, shared?.startGate.pushed]);
  return pulumi
    .all([trust.rootsPem, trust.revocationsPem, basis, pulumi.all([...written])])
    .apply(([rootsPem, revocationsPem, [admission]]): PartData => {
      const told = { format: PART_FORMAT, part: zone, believes, declaration } as const;
      return {
        ...told,
        trust: { rootsPem, revocationsPem, generations },
        ...(shared === undefined || admission === undefined
          ? {}
          : { shared: { admission, startGate: shared.startGate.reference } }),
      };
    });
}
