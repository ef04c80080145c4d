import { kubernetesProvider } from "../../../dev/plugins/kubernetes/provider";
import { ConfigValues } from "../../../dev/plugins/protocol/config";
import {
  type DiffResult,
  InitializationFailure,
  type OperationContext,
  type ReadResult,
  type ResourceImplementation,
} from "../../../dev/plugins/protocol/provider";
import type { Properties } from "../../../dev/plugins/protocol/values";

/** A resource as a state holds it. */
export interface Stored {
  readonly token: string;
  readonly name: string;
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** What a deployment of one resource came to. */
export interface Deployed {
  readonly stored: Stored;
  readonly done: "created" | "updated" | "unchanged";
}

/** Does with one provider what the engine does with each resource: checks, compares, creates or updates, keeps what failed half-way. */
export class Engine {
  /** Lines that the provider showed. */
  readonly log: string[] = [];

  private constructor(private readonly objects: (token: string) => ResourceImplementation) {}

  /** A configured provider. */
  static async with(config: Properties): Promise<Engine> {
    const provider = kubernetesProvider();
    await provider.configure(new ConfigValues(config));
    return new Engine((token) => {
      const found = provider.resource?.(token);
      if (found === undefined) {
        throw new Error(`the provider does not serve ${token}`);
      }
      return found;
    });
  }

  /** Creates the resource, or brings it to the new inputs. Throws what the provider throws. */
  async up(token: string, name: string, news: Properties, old?: Stored): Promise<Deployed> {
    const context = this.context(token, name);
    const inputs = await this.check(token, name, news, old);
    if (old === undefined) {
      const { id, outputs } = await this.objects(token).create({ inputs, context });
      return { stored: { token, name, id, inputs, outputs }, done: "created" };
    }
    const { changes } = await this.diff(inputs, old);
    if (changes !== true) {
      return { stored: { ...old, inputs }, done: "unchanged" };
    }
    const request = { ...requestOf(old), news: inputs, ignoreChanges: [], context };
    const outputs = (await this.objects(token).update?.(request)) ?? {};
    return { stored: { ...old, inputs, outputs }, done: "updated" };
  }

  /** What a preview of the resource's creation answers. */
  async preview(token: string, name: string, news: Properties): Promise<Properties> {
    const inputs = await this.check(token, name, news);
    const context = { ...this.context(token, name), preview: true };
    return (await this.objects(token).create({ inputs, context })).outputs;
  }

  /** How checked inputs differ from what is stored. */
  async diff(inputs: Properties, old: Stored): Promise<DiffResult> {
    const context = this.context(old.token, old.name);
    return await this.objects(old.token).diff({ ...requestOf(old), news: inputs, ignoreChanges: [], context });
  }

  /** The resource as it is now; `undefined` when it is gone. */
  async refresh(old: Stored): Promise<Stored | undefined> {
    const { token, name, id, inputs, outputs } = old;
    const request = { id, inputs, outputs, context: this.context(token, name) };
    const found: ReadResult | undefined = await this.objects(token).read?.(request);
    return found === undefined ? undefined : { ...old, outputs: found.outputs, inputs: found.inputs ?? inputs };
  }

  /** Deletes the resource and waits until it is gone. */
  async destroy({ token, name, id, inputs, outputs }: Stored): Promise<void> {
    await this.objects(token).delete?.({ id, inputs, outputs, context: this.context(token, name) });
  }

  /** What a deployment that can't succeed leaves in the state, and why it failed. */
  async failing(
    token: string,
    name: string,
    news: Properties,
  ): Promise<{ stored: Stored; reasons: readonly string[] }> {
    try {
      await this.up(token, name, news);
    } catch (error) {
      if (error instanceof InitializationFailure) {
        const { id, outputs, reasons } = error;
        return { stored: { token, name, id, inputs: news, outputs }, reasons };
      }
      throw error;
    }
    throw new Error(`${name} was expected not to get ready`);
  }

  private async check(token: string, name: string, news: Properties, old?: Stored): Promise<Properties> {
    const context = this.context(token, name);
    const randomSeed = new Uint8Array(32).fill(7);
    const { inputs, failures } = await this.objects(token).check({
      news,
      olds: old?.inputs ?? {},
      randomSeed,
      context,
    });
    if (failures.length > 0) {
      throw new Error(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
    }
    return inputs;
  }

  private context(token: string, name: string): OperationContext {
    return {
      urn: `urn:pulumi:test::plugins::${token}::${name}`,
      type: token,
      name,
      preview: false,
      timeoutSeconds: 0,
      signal: new AbortController().signal,
      log: (severity, message) => this.log.push(`${severity}: ${message}`),
    };
  }
}

function requestOf({ id, inputs, outputs }: Stored): { id: string; olds: Properties; oldInputs: Properties } {
  return { id, olds: outputs, oldInputs: inputs };
}
