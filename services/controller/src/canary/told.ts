/** Tells of pods that are not held apart: by a line in the log, an Event about the pod, and in what is said of their services. */
import { POD } from "../drift/kinds.js";
import { eventOf } from "../drift/events.js";
import type { ApiWriter } from "../election/fence.js";
import type { Log } from "../log.js";
import { describeLetIn, type LetIn } from "./model.js";

export interface TellerEvents {
  /** What is known of the service of a pod has changed. */
  readonly changed: (letIn: LetIn) => void;
  readonly failed: (where: string, error: unknown) => void;
}

export class CanaryTeller {
  constructor(
    private readonly writer: ApiWriter,
    private readonly log: Log,
    /** The replica's name. */
    private readonly instance: string,
    private readonly events: TellerEvents,
    private readonly signal: AbortSignal,
  ) {}

  lost(letIn: LetIn): void {
    const { pod, layer } = letIn;
    const text = describeLetIn(letIn);
    this.log.error("enforcement lost", { zone: pod.zone, node: pod.node, layer, canary: text });
    this.events.changed(letIn);
    void this.tell(letIn, text);
  }

  over(letIn: LetIn): void {
    const { zone, node, name } = letIn.pod;
    this.log.info("enforcement no longer seen to be lost", { zone, node, layer: letIn.layer, pod: name });
    this.events.changed(letIn);
  }

  /** An Event that can't be written is no reason to ask no more. */
  private async tell({ pod: { namespace, name, uid } }: LetIn, text: string): Promise<void> {
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const regarding = { kind: POD.kind, namespace, name, live: { uid } };
    const { path, body } = eventOf(regarding, "EnforcementLost", text, this.instance, now);
    try {
      await this.writer.create(path, body, this.signal);
    } catch (error) {
      if (!this.signal.aborted) this.events.failed(`event of ${namespace}/${name}`, error);
    }
  }
}
