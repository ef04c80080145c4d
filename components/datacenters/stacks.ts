/** Which stacks deploy the other datacenters. */
import { z } from "zod";
import { fromJson } from "../identity/generations";

/**
 * Parses `datacenterStacks`, where another datacenter's stack is: its name, or a file with its output `datacenter`; `null` where there is none, and nobody there is
 * believed. `{"south": "acme/lucid-mesh/south", "east": "told/east.json"}`.
 */
export const datacenterStacks = z.preprocess(
  fromJson,
  z.record(
    z.string(),
    z
      .string("is neither a stack's name, nor a file, nor null")
      .regex(
        /\.json$|^[^/]+\/[^/]+\/[^/]+$/,
        "is neither <organization>/<project>/<stack> nor the path of a .json file",
      )
      .nullable(),
    "is no JSON object by datacenter",
  ),
);
