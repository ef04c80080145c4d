/** When a job runs: what of a schedule Kubernetes takes. */

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Names of its values, from `least` on. */
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day of the month", least: 1, most: 31 },
  {
    name: "month",
    least: 1,
    most: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { name: "day of the week", least: 0, most: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const MACROS = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/**
 * What is wrong with a schedule; undefined for one that Kubernetes takes.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule.startsWith("@")) return MACROS.includes(schedule) ? undefined : `it is none of ${MACROS.join(", ")}`;
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return `it has ${String(fields.length)} fields, not ${String(FIELDS.length)}`;
  const wrong = FIELDS.find((field, index) => !isField(fields[index] ?? "", field));
  return wrong === undefined
    ? undefined
    : `its ${wrong.name} is not made of numbers from ${String(wrong.least)} to ${String(wrong.most)}`;
}

/** A list of `*`, single values and ranges, each with a step or without. */
function isField(text: string, field: Field): boolean {
  return text.split(",").every((item) => {
    const [, range = "", step] = /^([^/]+)(?:\/([1-9]\d{0,2}))?$/.exec(item) ?? [];
    if (range === "*") return true;
    const ends = range.split("-").map((end) => valueOf(end, field));
    const [first, last = step === undefined ? first : field.most] = ends;
    return ends.length <= 2 && !ends.includes(undefined) && first !== undefined && last !== undefined && first <= last;
  });
}

function valueOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return least + named;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

/** What is wrong with a time zone; undefined for one of the IANA database, in its own spelling. */
export function timeZoneProblem(zone: string): string | undefined {
  const unknown = "there is no such time zone";
  // Offsets (`+01:00`), which JavaScript takes for zones, are none to Kubernetes.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return unknown;
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions();
    // Kubernetes looks the zone up as a file, by its exact name.
    const isMisspelt = timeZone !== zone && timeZone.toLowerCase() === zone.toLowerCase();
    return isMisspelt ? `the zone is spelt '${timeZone}'` : undefined;
  } catch {
    return unknown;
  }
}
