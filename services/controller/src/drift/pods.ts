/** What is wrong with a pod's being there. Pure. A pod is kept without its spec: there are many, and of each it is as long as a workload's. */
import { z } from "zod";
import type { DeclaredObject } from "../../../../mesh/declarations/index.js";
import { LABELS, SIDECAR_CONTAINER } from "../../../../mesh/wire.js";
import type { LiveObject } from "./live.js";

const schema = z.object({
  spec: z.object({ initContainers: z.array(z.object({ name: z.string() })).optional() }).default({}),
});

/** Whether pods of what is declared have a sidecar: infrastructure's have none. */
export function declaresSidecar({ fields }: Pick<DeclaredObject, "fields">): boolean {
  const template = z.object({ spec: z.object({ template: schema }) }).safeParse(fields);
  return template.success && sidecarIn(template.data.spec.template);
}

/**
 * @param withoutSidecar names, as pods bear them, of what is declared without a sidecar
 * @returns undefined where nothing is
 */
export function podProblem(pod: LiveObject, withoutSidecar: ReadonlySet<string>): string | undefined {
  if (!pod.owned) return "no workload made it";
  if (withoutSidecar.has(pod.labels[LABELS.name] ?? "")) return undefined;
  return pod.hasSidecar === true ? undefined : "it has no sidecar";
}

/** Whether a pod has a sidecar. @throws ZodError where it is none */
export function hasSidecar(pod: unknown): boolean {
  return sidecarIn(schema.parse(pod));
}

function sidecarIn({ spec }: z.infer<typeof schema>): boolean {
  return spec.initContainers?.some(({ name }) => name === SIDECAR_CONTAINER) ?? false;
}
