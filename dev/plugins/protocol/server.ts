import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";

import { EngineLink } from "./engine";
import type { ProviderImplementation } from "./provider";
import { providerService } from "./service";

/** Bytes of one message; the engine itself allows this much (`rpcutil.GrpcChannelOptions`). */
const MAX_MESSAGE = 400 * 1024 * 1024;

/** Milliseconds between looks at whether the engine is still there. */
const PARENT_CHECK = 2_000;

/**
 * Serves a provider as Pulumi plugins do: listens on a free port of loopback, prints the port as the first line of standard
 * output, and runs until it is ended. The engine's address is the first argument that is no flag.
 */
export function serve(provider: ProviderImplementation, args: readonly string[] = process.argv.slice(2)): void {
  const engine = new EngineLink();
  const address = args.find((argument) => !argument.startsWith("-"));
  if (address !== undefined) {
    engine.attach(address);
  }

  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE,
    "grpc.max_send_message_length": MAX_MESSAGE,
  });
  server.addService(ResourceProviderService, providerService(provider, engine));
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) {
      process.stderr.write(`the stand-in for the ${provider.name} plugin can't listen on loopback: ${error.message}\n`);
      process.exit(1);
    }
    process.stdout.write(`${String(port)}\n`);
  });

  endWithParent();
}

/** A killed engine can't end its plugins: a plugin whose parent is gone ends by itself, so that none is left behind. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      process.exit(0);
    }
  }, PARENT_CHECK).unref();
}
