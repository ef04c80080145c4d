import { diffInputs } from "./diff";
import { checkFields, type Fields, withDefaults } from "./fields";
import type { CheckFailure, DiffResult, PropertyDiff, ResourceImplementation } from "./provider";
import { containsUnknowns, isProperties, markSecrets, type Properties, reveal, UNKNOWN, type Value } from "./values";

/** A resource that lives in the state alone and is made anew when an input changes, as Terraform's random and tls resources are. */
export interface ImmutableResource {
  readonly fields: Fields;
  /** Outputs that aren't known before it is made. */
  readonly computed: readonly string[];
  readonly secretOutputs?: readonly string[];
  /** Checks across inputs, when all of them are known and each is right by itself; defaults are filled in. */
  validate?(inputs: Properties): readonly CheckFailure[];
  /** Outputs that follow from the inputs without making anything, and so are known at preview; defaults are filled in. */
  derive?(inputs: Properties): Properties;
  make(inputs: Properties): Promise<{ readonly id: string; readonly outputs: Properties }>;
  /** Outputs as time has changed them; shown by a refresh. */
  refresh?(outputs: Properties): Properties;
  /** An output for the sake of which it must be made anew though no input of it has changed (a certificate that is due). */
  replaceFor?(state: Properties): string | undefined;
}

/** The life of such a resource. */
export function immutable(resource: ImmutableResource): ResourceImplementation {
  const { fields, secretOutputs = [] } = resource;
  const replaceOn = Object.keys(fields).filter((name) => fields[name]?.inPlace !== true);
  const complete = (inputs: Properties): Properties => {
    const all = withDefaults(fields, inputs);
    return { ...all, ...resource.derive?.(all) };
  };

  return {
    check: ({ news }) => {
      const failures = checkFields(fields, news);
      const all = withDefaults(fields, news);
      const judged = failures.length === 0 && !containsUnknowns(all);
      return Promise.resolve({
        inputs: news,
        failures: judged ? (resource.validate?.(reveal(all)) ?? []) : failures,
      });
    },

    diff: ({ olds, oldInputs, news, ignoreChanges }): Promise<DiffResult> => {
      const wanted = withDefaults(fields, news);
      const { detailedDiff } = diffInputs(withDefaults(fields, withoutBookkeeping(oldInputs)), wanted, { replaceOn });
      const due = resource.replaceFor?.(reveal({ ...olds, ...wanted }));
      const renewal: Record<string, PropertyDiff> =
        due === undefined || ignoreChanges.includes(due) ? {} : { [due]: { kind: "update-replace" } };
      return Promise.resolve({ detailedDiff: { ...detailedDiff, ...renewal } });
    },

    create: async ({ inputs, context }) => {
      const all = complete(inputs);
      if (context.preview) {
        const unknown: [string, Value][] = resource.computed.map((key) => [key, UNKNOWN]);
        return { id: "", outputs: markSecrets({ ...all, ...Object.fromEntries(unknown) }, inputs, secretOutputs) };
      }
      const { id, outputs } = await resource.make(reveal(all));
      return { id, outputs: markSecrets({ ...all, ...outputs }, inputs, secretOutputs) };
    },

    read: ({ id, outputs, inputs }) => {
      if (Object.keys(outputs).length === 0) {
        throw new Error("it lives in Pulumi's state alone: this stand-in can't import it; see dev/plugins/README.md");
      }
      return Promise.resolve({ id, outputs: { ...outputs, ...resource.refresh?.(reveal(outputs)) }, inputs });
    },

    update: ({ olds, news }) => {
      return Promise.resolve(markSecrets({ ...olds, ...complete(news) }, { ...olds, ...news }, secretOutputs));
    },
  };
}

/** The inputs without `__defaults`, which official plugins keep among them: a stack may have been made by one. */
function withoutBookkeeping(inputs: Properties): Properties {
  const own = Object.entries(inputs).filter(([key]) => key !== "__defaults");
  return Object.fromEntries(own.map(([key, value]) => [key, isProperties(value) ? withoutBookkeeping(value) : value]));
}
