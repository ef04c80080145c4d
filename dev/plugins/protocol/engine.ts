import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity as WireSeverity } from "@pulumi/pulumi/proto/engine_pb";

import type { LogSeverity } from "./provider";

/** The way back to the engine that started this plugin; it carries log lines only. */
export class EngineLink {
  private client: EngineClient | undefined;

  /** Connects to the engine's address (`host:port`), as given on the command line or by Attach. */
  attach(address: string): void {
    this.client?.close();
    this.client = new EngineClient(address, credentials.createInsecure());
  }

  /** Shows a line in the run's output, under the resource where `urn` isn't empty. Failures are of no consequence. */
  log(severity: LogSeverity, message: string, urn: string): void {
    if (this.client === undefined) {
      process.stderr.write(`${severity}: ${message}\n`);
      return;
    }
    const request = new LogRequest();
    request.setSeverity(SEVERITIES[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    this.client.log(request, () => undefined);
  }
}

const SEVERITIES: Readonly<Record<LogSeverity, WireSeverity>> = {
  debug: WireSeverity.DEBUG,
  info: WireSeverity.INFO,
  warning: WireSeverity.WARNING,
  error: WireSeverity.ERROR,
};
