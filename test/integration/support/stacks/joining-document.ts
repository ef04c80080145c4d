/** The document with the service that examples/join brings, as its README tells the mesh's owners to write it. */
import { load } from "js-yaml";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { checkoutDir } from "../../../../dev/paths";
import { LUCID_CEILING } from "../../../../policies/ceiling";
import type { Ceiling } from "../../../../policies/ceiling";
import { membersWith } from "../ceiling";
import type { WrittenCall, WrittenDocument, WrittenService } from "./variation";

export const EXAMPLE = path.join(checkoutDir, "examples", "join");

interface Addition {
  readonly service: WrittenService;
  readonly callers: Readonly<Record<string, readonly WrittenCall[]>>;
}

const addition = load(readFileSync(path.join(EXAMPLE, "service.yaml"), "utf8")) as Addition;

/** The example's service, as the mesh's document declares it. */
export const JOINED: WrittenService = addition.service;

/** Lets the example's service join. */
export function lettingJoin(document: WrittenDocument): void {
  const { service, callers } = structuredClone(addition);
  document.zones[service.plane]?.members.push(service.name);
  document.services.push(service);
  for (const [name, calls] of Object.entries(callers)) {
    const caller = document.services.find((candidate) => candidate.name === name);
    if (caller === undefined) throw new Error(`the document has no service ${name}`);
    caller.calls = [...(caller.calls ?? []), ...calls];
  }
}

/** The ceiling's keys, raised by its owner for the example's service. */
export const RAISED: Pick<Ceiling, "members" | "joined"> = {
  members: membersWith(JOINED.plane, [JOINED.name]),
  joined: {
    ...LUCID_CEILING.joined,
    [`${JOINED.plane}/${JOINED.name}`]: "Cluster 04 brings its pods by a stack of its own",
  },
};
