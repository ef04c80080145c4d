import { z } from "zod";
import { serviceName } from "./values";

export const zone = z.strictObject({
  members: z
    .array(serviceName)
    .default([])
    .describe("The closed list of the services that may be in this zone. What is not listed is refused."),
});
