/** The paths under `/api/v1`. */
import { OVERVIEW_API, type History, type Overview } from "../../../../mesh/overview/model.js";

/** What answers. */
export interface ApiParts {
  readonly overview: () => Overview;
  /** Of `mesh`, `zone/<name>` or `service/<name>`. */
  readonly history: (name: string) => History | undefined;
}

export interface ApiAnswer {
  readonly code: number;
  readonly body: unknown;
}

type Answer = (overview: Overview) => unknown;

/** What is told under each path. Each answer bears the time of the overview that it is part of. */
const PATHS: Readonly<Record<string, Answer>> = {
  overview: (overview) => overview,
  health: ({ mesh, zones, services, connectivity, enforcement, drift }) => ({
    mesh,
    zones,
    services,
    connectivity,
    enforcement,
    drift,
  }),
  graph: ({ services, traffic, edges }) => ({
    nodes: services.map(({ name, zone, state }) => ({ name, zone, state })),
    traffic,
    edges,
  }),
  certificates: ({ services }) => ({
    certificates: services
      .flatMap(({ name, zone, certificate }) => (certificate === null ? [] : [{ service: name, zone, ...certificate }]))
      .sort((one, other) => one.secondsLeft - other.secondsLeft),
  }),
  violations: ({ violations }) => ({ violations }),
  alerts: ({ alerts }) => ({ alerts }),
};

/** Beside those of {@link PATHS}. */
const BESIDE = ["services/<name>", "history", "history/zone/<name>", "history/service/<name>"];

/** Whether a path is the API's to answer. */
export function isApiPath(path: string): boolean {
  return path === "/api" || path.startsWith("/api/");
}

/** Answers a GET. */
export function answerApi(path: string, { overview, history }: ApiParts): ApiAnswer {
  const rest = path.startsWith(`${OVERVIEW_API}/`) ? path.slice(OVERVIEW_API.length + 1) : undefined;
  if (path === OVERVIEW_API || rest === "") {
    return { code: 200, body: { apiVersion: "v1", paths: [...Object.keys(PATHS), ...BESIDE].map(full) } };
  }
  const answer = rest !== undefined && Object.hasOwn(PATHS, rest) ? PATHS[rest] : undefined;
  if (answer !== undefined) {
    const all = overview();
    return found(all, answer(all));
  }
  const [kind, ...names] = (rest ?? "").split("/");
  if (kind === "services" && names.length === 1) {
    return serviceAnswer(overview(), names[0] ?? "");
  }
  if (kind === "history") {
    const of = names.length === 0 ? "mesh" : names.join("/");
    const told = history(of);
    return told === undefined ? missing(`nothing is remembered of ${JSON.stringify(of)}`) : { code: 200, body: told };
  }
  return missing(`there are ${[...Object.keys(PATHS), ...BESIDE].map(full).join(", ")}`);
}

function serviceAnswer(all: Overview, name: string): ApiAnswer {
  const service = all.services.find((one) => one.name === name);
  if (service === undefined) {
    return missing(`no service ${JSON.stringify(name)} is declared`);
  }
  return found(all, {
    service,
    calls: all.edges.filter(({ from }) => from === name),
    callers: all.edges.filter(({ to }) => to === name),
  });
}

function found({ apiVersion, time }: Overview, body: unknown): ApiAnswer {
  return { code: 200, body: { apiVersion, time, ...(body as object) } };
}

function missing(error: string): ApiAnswer {
  return { code: 404, body: { apiVersion: "v1", error } };
}

function full(path: string): string {
  return `${OVERVIEW_API}/${path}`;
}
