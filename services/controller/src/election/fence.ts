/** What only a leader may do goes by here: before each write it is made sure that this replica still leads. */
import type { KubernetesApi } from "../kubernetes/api.js";
import type { Registry } from "../registry/registry.js";
import type { Term } from "./term.js";

/** The Kubernetes API, as far as those who write to it need it. */
export type ApiWriter = Pick<KubernetesApi, "get" | "create" | "patch" | "remove">;

type Held = Pick<Term, "assertHeld">;

/** The API server, written to by a leader alone. */
export function fencedApi(api: ApiWriter, term: Held): ApiWriter {
  return {
    get: (...request) => api.get(...request),
    create: async (...request) => {
      term.assertHeld();
      return api.create(...request);
    },
    patch: async (...request) => {
      term.assertHeld();
      return api.patch(...request);
    },
    remove: async (...request) => {
      term.assertHeld();
      await api.remove(...request);
    },
  };
}

/** The registry, written to by a leader alone. */
export function fencedRegistry<Entry extends object>(registry: Registry<Entry>, term: Held): Registry<Entry> {
  return {
    title: registry.title,
    ...(registry.access && { access: registry.access }),
    get lastSuccess() {
      return registry.lastSuccess;
    },
    read: (zone) => registry.read(zone),
    steps: (...about) =>
      registry.steps(...about).map((step) => ({
        ...step,
        carryOut: async () => {
          term.assertHeld();
          await step.carryOut();
        },
      })),
    run: (signal) => registry.run(signal),
    close: () => {
      registry.close();
    },
  };
}
