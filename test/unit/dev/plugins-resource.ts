import type {
  CheckFailure,
  DiffResult,
  OperationContext,
  ProviderImplementation,
  ResourceImplementation,
} from "../../../dev/plugins/protocol/provider";
import type { Properties, Value } from "../../../dev/plugins/protocol/values";

/** One resource type of a stand-in, called as the engine calls it. */
export class TestedResource {
  private readonly implementation: ResourceImplementation;

  constructor(
    provider: ProviderImplementation,
    private readonly type: string,
  ) {
    const implementation = provider.resources?.[type];
    if (implementation === undefined) throw new Error(`the stand-in has no ${type}`);
    this.implementation = implementation;
  }

  async failures(news: Properties): Promise<readonly CheckFailure[]> {
    return (await this.check(news)).failures;
  }

  async check(news: Properties, olds: Properties = {}) {
    return await this.implementation.check({ news, olds, randomSeed: new Uint8Array([1]), context: this.context() });
  }

  async preview(inputs: Properties): Promise<Properties> {
    return (await this.implementation.create({ inputs, context: this.context(true) })).outputs;
  }

  async create(inputs: Properties) {
    return await this.implementation.create({ inputs, context: this.context() });
  }

  async read(id: string, outputs: Properties, inputs: Properties) {
    return await this.implementation.read?.({ id, outputs, inputs, context: this.context() });
  }

  async diff(olds: Properties, oldInputs: Properties, news: Properties): Promise<DiffResult> {
    return await this.implementation.diff({
      id: "id",
      olds,
      oldInputs,
      news,
      ignoreChanges: [],
      context: this.context(),
    });
  }

  async update(id: string, olds: Properties, oldInputs: Properties, news: Properties): Promise<Properties> {
    if (this.implementation.update === undefined) throw new Error(`${this.type} can't be updated`);
    return await this.implementation.update({ id, olds, oldInputs, news, ignoreChanges: [], context: this.context() });
  }

  async delete(id: string, outputs: Properties, inputs: Properties): Promise<void> {
    await this.implementation.delete?.({ id, outputs, inputs, context: this.context() });
  }

  private context(preview = false): OperationContext {
    return {
      urn: `urn:pulumi:dev::mesh::${this.type}::name`,
      type: this.type,
      name: "name",
      preview,
      timeoutSeconds: 0,
      signal: new AbortController().signal,
      log: () => undefined,
    };
  }
}

/** The value as the text that it is. */
export function textOf(value: Value | undefined): string {
  if (typeof value !== "string") throw new Error("a text was expected");
  return value;
}

/** Kinds of the differences by their paths. */
export function kinds(diff: DiffResult): Record<string, string> {
  return Object.fromEntries(Object.entries(diff.detailedDiff ?? {}).map(([path, { kind }]) => [path, kind]));
}
