/** The parts of a mesh as the programs of their stacks declare them, rehearsed. */
import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { ServiceMesh } from "../../../components";
import type { Mesh, OwnPart, PartData, Settings } from "../../../components";
import { ownPart } from "../../../components/parts/own-part";
import type { ZoneName } from "../../../mesh";
import { rehearse } from "../../../proof";
import { TEXT, read } from "../components/parts/told";
import { settings } from "./lucid";

/** A part beside others that told something. */
export function partOf(mesh: Mesh, zone: ZoneName, told: readonly PartData[], under: Settings = settings): OwnPart {
  return ownPart({ mesh, settings: { ...under, part: zone }, text: TEXT }, zone, read(...told));
}

/** What the program of a part's stack would register; without a part, what it proves. */
export function rehearsedPart(mesh: Mesh, under: Settings, part?: OwnPart, opts: pulumi.ComponentResourceOptions = {}) {
  return rehearse(
    () => {
      const cluster = new kubernetes.Provider("kubernetes");
      const isShared = part === undefined || part.zone === "mesh";
      const providers = isShared
        ? { kubernetes: cluster, docker: new docker.Provider("docker") }
        : { kubernetes: cluster };
      const discoveryAddress = "127.0.0.1:18501";
      new ServiceMesh("lucid", { mesh, settings: under, ...(part && { part }), discoveryAddress, providers }, opts);
    },
    { project: "lucid-mesh", stack: "dev" },
  );
}
