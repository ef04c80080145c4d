import { z } from "zod";
import { asksAuthentication } from "./authentication";
import { endUsers } from "./end-users";
import { portName, portNumber } from "./values";

/** What a port may speak. */
export const PROTOCOLS = ["http", "http2", "grpc", "websocket", "tcp"] as const;

export const port = z.strictObject({
  name: portName.describe("A DNS label of 15 characters at most, unique in the service."),
  port: portNumber.describe("Where the application listens, on 127.0.0.1."),
  protocol: z
    .enum(PROTOCOLS)
    .default("http")
    .describe("What the port speaks. Methods and paths can be required on all but `tcp`."),
  dialPort: portNumber
    .optional()
    .describe("Where callers dial `<service>.lucid.internal`. The first port has 80; further ports must say theirs."),
  endUsers: endUsers.optional().describe("Requests must bring the token of an end user, and what it must say."),
  askAuthentication: asksAuthentication.describe(
    "Whether `authentication` is asked about each request here. Default: what the service says.",
  ),
});
