/** What the command found, before it is written down. */
import { blastRadii } from "./blast";
import type { Matrix, OutsidePair, Pair } from "./matrix";
import { without } from "./matrix";
import { registrationWithout } from "./registration";
import type { RegistrationMatrix, RegistrationRight } from "./registration";
import { callText, callsWithout, waysWithout } from "./sidecars";
import type { Call, SidecarMatrix, WayOut } from "./sidecars";

export interface Report {
  /** What was judged: `mesh.yaml`, or where the objects came from. */
  readonly source: string;
  /** Undefined where objects can't be judged; then {@link violations} say why. */
  readonly matrix: Matrix | undefined;
  /** What the sidecars do; undefined where that can't be judged. */
  readonly sidecars: SidecarMatrix | undefined;
  /** Who registers and looks up names at the discovery backend; undefined where that can't be judged. */
  readonly registration: RegistrationMatrix | undefined;
  /** One line each. None: exactly what the document declares is open. */
  readonly violations: readonly string[];
  /** Against what another document renders. */
  readonly changes?: Changes;
}

/** What one state lets be done that another does not. */
export interface Opening extends Pick<Matrix, "pairs" | "outside"> {
  /** What sidecars let be asked. */
  readonly calls: readonly Call[];
  /** Where sidecars go out of the cluster: another address, or another proof. */
  readonly waysOut: readonly WayOut[];
  /** What may be done at the discovery backend. */
  readonly registration: readonly RegistrationRight[];
}

export interface Changes {
  readonly against: string;
  readonly opens: Opening;
  readonly closes: Opening;
}

/** What objects open, layer by layer. */
export interface Opened {
  readonly matrix: Matrix;
  readonly sidecars: SidecarMatrix;
  /** Undefined where nothing is known of it, as of a cluster's objects alone. */
  readonly registration: RegistrationMatrix | undefined;
}

/** What differs from what other objects open. */
export function changesFrom(against: string, before: Opened, after: Opened): Changes {
  return { against, opens: openedBeyond(after, before), closes: openedBeyond(before, after) };
}

/** What the one opens and the other does not. */
function openedBeyond(one: Opened, other: Opened): Opening {
  return {
    ...without(one.matrix, other.matrix),
    calls: callsWithout(one.sidecars.calls, other.sidecars.calls),
    waysOut: waysWithout(one.sidecars.outside, other.sidecars.outside),
    registration: registrationWithout(one.registration, other.registration),
  };
}

/** The report as plain data. */
export function reportData({ source, matrix, sidecars, registration, violations, changes }: Report) {
  return {
    source,
    proven: violations.length === 0,
    violations,
    ...(matrix === undefined
      ? {}
      : {
          parties: matrix.parties,
          pairs: matrix.pairs.map(pairData),
          outside: matrix.outside.map(outsideData),
          blastRadius: blastRadii(matrix).map(({ party, reaches, onwards, reachedBy, outside }) => ({
            party,
            reaches: reaches.map(({ to }) => to),
            onwards,
            reachedBy: reachedBy.map(({ from }) => from),
            outside: outside.map(outsideData),
          })),
        }),
    ...(sidecars === undefined ? {} : { sidecars: { ...sidecars, calls: sidecars.calls.map(callData) } }),
    ...(registration === undefined ? {} : { registration: registration.rows }),
    ...(changes === undefined
      ? {}
      : {
          changes: {
            against: changes.against,
            opens: openingData(changes.opens),
            closes: openingData(changes.closes),
          },
        }),
  };
}

function openingData({ pairs, outside, calls, waysOut, registration }: Opening) {
  return {
    pairs: pairs.map(pairData),
    outside: outside.map(outsideData),
    calls: calls.map(callData),
    waysOut,
    registration,
  };
}

/** With what may be asked as people read it, too. */
function callData(call: Call) {
  return { ...call, text: callText(call) };
}

function pairData({ from, to, ports }: Pair) {
  return { from, to, ports: ports.toString() };
}

function outsideData({ party, direction, whom, ports }: OutsidePair) {
  return { party, direction, whom, ports: ports.toString() };
}
