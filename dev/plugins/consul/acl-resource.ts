import { diffInputs } from "../protocol/diff";
import { checkFields, type Fields, withDefaults } from "../protocol/fields";
import type { CheckRequest, ResourceImplementation } from "../protocol/provider";
import { mapProperties, markSecrets, type Properties, reveal, UNKNOWN, type Value } from "../protocol/values";
import type { ConsulClient } from "./client";

/** One kind of ACL object: how it is written to and read from Consul's API. */
export interface AclKind {
  /** `policy` or `token`: the path below `/v1/acl/`. */
  readonly path: string;
  readonly fields: Fields;
  /** Lists whose order means nothing. */
  readonly sets: readonly string[];
  /** Inputs that Consul chooses where they aren't given. */
  readonly computed: readonly string[];
  /** The member of Consul's answer that identifies the object. */
  readonly idMember: string;
  /** Fills in what the official provider chooses by itself. */
  complete?(request: CheckRequest): Properties;
  toConsul(inputs: Properties): Properties;
  fromConsul(answer: Properties): Properties;
}

/** The life of an ACL object. */
export function aclResource(kind: AclKind, client: () => ConsulClient): ResourceImplementation {
  const { fields, path } = kind;
  const replaceOn = Object.keys(fields).filter((name) => fields[name]?.inPlace !== true);
  const sorted = (properties: Properties): Properties =>
    mapProperties(properties, (value, key) => (kind.sets.includes(key) ? sortTexts(value) : value));
  const body = (inputs: Properties): Properties => kind.toConsul(reveal(withDefaults(fields, inputs)));
  const planned = (inputs: Properties): Properties => markSecrets(withDefaults(fields, inputs), inputs);

  return {
    check: (request) => {
      const inputs = { ...kind.complete?.(request), ...request.news };
      return Promise.resolve({ inputs, failures: checkFields(fields, inputs) });
    },

    // Compared with what was there at the last look, not with the last inputs: a refresh that found drift has it put right.
    diff: ({ olds, news }) => {
      const wanted = sorted(withDefaults(fields, news));
      const chosen = kind.computed.filter((key) => wanted[key] === undefined);
      const there = Object.entries(olds).filter(([key]) => fields[key] !== undefined && !chosen.includes(key));
      return Promise.resolve(diffInputs(sorted(Object.fromEntries(there)), wanted, { replaceOn }));
    },

    create: async ({ inputs, context }) => {
      if (context.preview) {
        const unknown: [string, Value][] = kind.computed.map((key) => [key, inputs[key] ?? UNKNOWN]);
        return { id: "", outputs: { ...planned(inputs), ...Object.fromEntries(unknown) } };
      }
      const answer = (await client().call("PUT", `/v1/acl/${path}`, body(inputs))) ?? {};
      const id = answer[kind.idMember];
      if (typeof id !== "string") {
        throw new Error(`Consul's answer to a new ${path} has no ${kind.idMember}`);
      }
      return { id, outputs: markSecrets(kind.fromConsul(answer), inputs) };
    },

    read: async ({ id, inputs }) => {
      const answer = await client().call("GET", `/v1/acl/${path}/${id}`);
      if (answer === undefined) {
        return undefined;
      }
      const there = kind.fromConsul(answer);
      // An import brings no inputs with it: then they are everything that differs from the defaults.
      const imported = Object.keys(inputs).length === 0;
      const found = Object.entries(there).filter(
        ([key, value]) =>
          (imported ? !isEmpty(value, fields[key]?.default) : inputs[key] !== undefined) && fields[key] !== undefined,
      );
      return { id, outputs: markSecrets(there, inputs), inputs: markSecrets(Object.fromEntries(found), inputs) };
    },

    update: async ({ id, olds, news, context }) => {
      if (context.preview) {
        return { ...olds, ...planned(news) };
      }
      const answer = await client().call("PUT", `/v1/acl/${path}/${id}`, { [kind.idMember]: id, ...body(news) });
      if (answer === undefined) {
        throw new Error(`Consul has no ${path} ${id} any more: run pulumi refresh`);
      }
      return markSecrets(kind.fromConsul(answer), news);
    },

    delete: async ({ id }) => {
      await client().call("DELETE", `/v1/acl/${path}/${id}`);
    },
  };
}

function sortTexts(value: Value): Value {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? [...value].sort() : value;
}

function isEmpty(value: Value, byDefault: Value | undefined): boolean {
  return value === byDefault || value === "" || value === null || (Array.isArray(value) && value.length === 0);
}
