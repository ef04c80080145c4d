/** Who may call whom. */
import { findService, type Edge } from "../../mesh";
import { isOver } from "../../mesh/instant";
import { SIDECAR_PORTS } from "../../mesh/wire";
import { columns } from "../columns";
import { doorFor } from "../enforced/sidecar";
import { entriesAt, listAt, textAt } from "../enforced/values";
import type { Enforced } from "../enforced/world";
import type { PlaceOf } from "./explain";
import { revokedEnds, revokedText } from "./revoked";
import { rulesText } from "./rules-text";
import { inspectionServerName } from "../../envoy";

/** One permission. */
export interface AccessRow {
  readonly from: string;
  readonly to: string;
  /** Name of the callee's port. */
  readonly port: string;
  /** `call`: declared; the others are infrastructure, computed. */
  readonly kind: Edge["kind"] | "inspection";
  readonly allows: string;
  /** Instant (UTC) from which it is refused; absent: it has no end. */
  readonly until?: string;
  /** The end has come. */
  readonly ended: boolean;
  /** `payout-router is revoked: its key was lost`: the call is declared and closed; absent: no end of it is revoked. */
  readonly revoked?: string;
  readonly reason: string;
  /** `mesh.yaml:47`, or what computed it. */
  readonly place: string;
}

/** Every permission of a mesh, or those in which one service takes part, sorted by caller, callee and port. */
export function accessRows(enforced: Enforced, placeOf: PlaceOf, now: string, service?: string): readonly AccessRow[] {
  const { mesh } = enforced;
  const rows = [
    ...mesh.edges.map((edge) => edgeRow(edge, placeOf, now)),
    ...mesh.closed.map((edge) => ({
      ...edgeRow(edge, placeOf, now),
      revoked: revokedEnds(mesh, edge).map(revokedText).join("; "),
    })),
    ...mesh.services.flatMap((callee) => inspectionRows(enforced, callee.name)),
  ];
  return rows
    .filter(({ from, to }) => service === undefined || from === service || to === service)
    .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to) || compare(a.port, b.port));
}

function edgeRow(edge: Edge, placeOf: PlaceOf, now: string): AccessRow {
  const { from, to, port, kind, until } = edge;
  return {
    from,
    to,
    port,
    kind,
    allows: rulesText(edge),
    ...(until === undefined ? {} : { until }),
    ended: until !== undefined && isOver(until, now),
    reason: edge.reason ?? "",
    place: placeOf(edge.source),
  };
}

/** Readers of a sidecar's inspection listener, as it is rendered. */
function inspectionRows(enforced: Enforced, name: string): AccessRow[] {
  const { mesh } = enforced;
  const service = findService(mesh, name);
  if (service === undefined) return [];
  return mesh.zones.flatMap((zone) => {
    const door = doorFor(enforced.sidecar(service), inspectionServerName(zone.name), "inspection");
    return entriesAt(door?.rbac, "rules", "policies").map(([reader, policy]): AccessRow => ({
      from: reader,
      to: name,
      port: `inspection (${String(SIDECAR_PORTS.inspection)})`,
      kind: "inspection",
      allows: `GET ${[...pathsIn(policy)].join(", ")}`,
      ended: false,
      reason: "Reads the sidecar's metrics, or by what it runs",
      place: "inspection",
    }));
  });
}

/** Every exact path in a policy, and every path with its query. */
function* pathsIn(value: unknown): Generator<string> {
  const isTarget = textAt(value, "header", "name") === ":path";
  const path = isTarget ? textAt(value, "header", "string_match", "exact") : textAt(value, "url_path", "path", "exact");
  if (path !== undefined) yield path;
  for (const inner of listAt(value)) yield* pathsIn(inner);
  for (const [, inner] of entriesAt(value)) yield* pathsIn(inner);
}

/** A table, a line each. */
export function rowsText(rows: readonly AccessRow[]): string {
  const cells = rows.map((row) => [
    row.from,
    row.to,
    row.port,
    row.allows,
    endText(row),
    row.place,
    row.revoked ?? (row.reason === "" ? "-" : row.reason),
  ]);
  const table = [["CALLER", "CALLEE", "PORT", "MAY ASK", "UNTIL", "DECLARED", "REASON"], ...cells];
  return columns(table);
}

function endText({ until, ended, revoked }: AccessRow): string {
  if (revoked !== undefined) return "revoked";
  if (until === undefined) return "-";
  return ended ? `ended ${until}` : until;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
