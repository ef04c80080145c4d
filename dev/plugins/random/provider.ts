import type {
  RandomBytesArgs,
  RandomIdArgs,
  RandomPasswordArgs,
  RandomStringArgs,
  RandomUuidArgs,
} from "@pulumi/random";
import { version } from "@pulumi/random/package.json";
import { hashSync } from "bcryptjs";
import { randomBytes, randomUUID } from "node:crypto";

import type { Field, FieldsOf } from "../protocol/fields";
import { immutable } from "../protocol/immutable";
import type { ProviderImplementation } from "../protocol/provider";
import { isNumeric, randomText, textFailures } from "./text";

/** Go's default cost, which the official provider takes. */
const BCRYPT_COST = 10;

const keepers: Field = { type: "map" };
const kind: Field = { type: "boolean", default: true };
const minimum: Field = { type: "integer", default: 0, min: 0 };

const BYTES: FieldsOf<RandomBytesArgs> = { length: { type: "integer", required: true, min: 1 }, keepers };
const UUID: FieldsOf<RandomUuidArgs> = { keepers };
const ID: FieldsOf<RandomIdArgs> = {
  byteLength: { type: "integer", required: true, min: 1 },
  prefix: { type: "string" },
  keepers,
};
const TEXT: FieldsOf<RandomStringArgs> & FieldsOf<RandomPasswordArgs> = {
  length: { type: "integer", required: true, min: 1 },
  lower: kind,
  upper: kind,
  special: kind,
  numeric: { type: "boolean" },
  // Deprecated, and an input all the same.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  number: { type: "boolean" },
  minLower: minimum,
  minUpper: minimum,
  minNumeric: minimum,
  minSpecial: minimum,
  overrideSpecial: { type: "string" },
  keepers,
};
const TEXT_COMMON = {
  fields: TEXT,
  validate: textFailures,
  derive: (inputs: Parameters<typeof isNumeric>[0]) => ({ numeric: isNumeric(inputs), number: isNumeric(inputs) }),
};

/** The stand-in for the `random` plugin: RandomBytes, RandomUuid, RandomId, RandomString and RandomPassword. */
export function randomProvider(): ProviderImplementation {
  return {
    name: "random",
    version,
    configKeys: [],
    configure: () => Promise.resolve(),
    resources: {
      "random:index/randomBytes:RandomBytes": immutable({
        fields: BYTES,
        computed: ["base64", "hex"],
        secretOutputs: ["base64", "hex"],
        make: ({ length }) => {
          const bytes = randomBytes(Number(length));
          const base64 = bytes.toString("base64");
          // The official provider, too, takes the value as the id, which Pulumi's state can't hold as a secret.
          return Promise.resolve({ id: base64, outputs: { base64, hex: bytes.toString("hex") } });
        },
      }),
      "random:index/randomUuid:RandomUuid": immutable({
        fields: UUID,
        computed: ["result"],
        make: () => {
          const result = randomUUID();
          return Promise.resolve({ id: result, outputs: { result } });
        },
      }),
      "random:index/randomId:RandomId": immutable({
        fields: ID,
        computed: ["b64Std", "b64Url", "dec", "hex"],
        make: (inputs) => {
          const bytes = randomBytes(Number(inputs.byteLength));
          const id = bytes.toString("base64url");
          const hex = bytes.toString("hex");
          const prefix = typeof inputs.prefix === "string" ? inputs.prefix : "";
          return Promise.resolve({
            id,
            outputs: {
              b64Url: `${prefix}${id}`,
              b64Std: `${prefix}${bytes.toString("base64")}`,
              dec: `${prefix}${BigInt(`0x${hex}`).toString()}`,
              hex: `${prefix}${hex}`,
            },
          });
        },
      }),
      "random:index/randomString:RandomString": immutable({
        ...TEXT_COMMON,
        computed: ["result"],
        make: (inputs) => {
          const result = randomText(inputs);
          return Promise.resolve({ id: result, outputs: { result } });
        },
      }),
      "random:index/randomPassword:RandomPassword": immutable({
        ...TEXT_COMMON,
        computed: ["result", "bcryptHash"],
        secretOutputs: ["result", "bcryptHash"],
        make: (inputs) => {
          const result = randomText(inputs);
          return Promise.resolve({ id: "none", outputs: { result, bcryptHash: hashSync(result, BCRYPT_COST) } });
        },
      }),
    },
  };
}
