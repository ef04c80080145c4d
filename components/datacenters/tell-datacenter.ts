import * as pulumi from "@pulumi/pulumi";
import { ZONES, serviceNamed, type Mesh, type ZoneName } from "../../mesh";
import { WELL_KNOWN } from "../../mesh/wire";
import type { ZoneTrust } from "../certificate-authority";
import { DATACENTER_FORMAT, type DatacenterData } from "./datacenter-data";
import type { OwnWithdrawal } from "../identity/revocations";
import type { ToldDatacenters } from "./read-datacenters";

export interface TellDatacenterArgs {
  readonly mesh: Mesh;
  readonly told: ToldDatacenters;
  /** By which others believe this datacenter's zones. */
  readonly trust: Readonly<Record<ZoneName, ZoneTrust>>;
  /** What it withdrew, of any zone. */
  readonly withdrawn: readonly OwnWithdrawal[];
  /** Known once each sidecar has its files. */
  readonly written: readonly pulumi.Output<unknown>[];
}

/** What a datacenter's stack tells the others, once all that it tells of is there. @throws RangeError where the mesh is in one datacenter */
export function tellDatacenter({
  mesh,
  told,
  trust,
  withdrawn,
  written,
}: TellDatacenterArgs): pulumi.Output<DatacenterData> {
  const { datacenters } = mesh;
  if (datacenters === undefined) throw new RangeError("the mesh is in one datacenter, which has nobody to tell");
  const zones = crossingZones(mesh);
  const texts = zones.map((zone) => pulumi.all([trust[zone].rootsPem, trust[zone].revocationsPem]));
  return pulumi.all([pulumi.all(texts), pulumi.all([...written])]).apply(([pems]): DatacenterData => ({
    format: DATACENTER_FORMAT,
    datacenter: datacenters.own,
    trust: Object.fromEntries(
      zones.map((zone, index) => {
        const [rootsPem = "", revocationsPem = ""] = pems[index] ?? [];
        return [zone, { rootsPem, revocationsPem }];
      }),
    ),
    withdrawn: withdrawn.filter(({ zone }) => zones.includes(zone)),
    believes: [...told.told.keys()],
    document: told.document,
  }));
}

/** Zones here whose services others have to prove: who calls there, who is called from there, and the gateway. */
export function crossingZones(mesh: Mesh): readonly ZoneName[] {
  const { departures = [], arrivals = [], peers = [] } = mesh.datacenters ?? {};
  const names = [
    ...departures.map(({ edge }) => edge.from),
    ...arrivals.map(({ edge }) => edge.to),
    ...(peers.length === 0 ? [] : [WELL_KNOWN.gateway]),
  ];
  const zones = new Set(names.map((name) => serviceNamed(mesh, name).zone));
  return ZONES.filter((zone) => zones.has(zone));
}
