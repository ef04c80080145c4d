/** Runs inside one network namespace and does there what the test asks by IPC: it is the application, its client, or a stranger. */
import * as clients from "./clients";
import { requestsSeen, setFault } from "./faults";
import { knock } from "./knocks";
import * as load from "./load";
import * as nodePort from "./node-port";
import * as shareConnections from "./share-connections";
import * as shareLoad from "./share-load";
import * as loadClients from "./load-clients";
import * as streams from "./streams";
import * as streamServers from "./stream-servers";
import * as tlsClients from "./tls-clients";
import * as transfers from "./transfers";
import * as outsideServers from "./outside-servers";
import * as servers from "./servers";
import * as verdicts from "./verdicts";
import * as heldStreams from "./held-streams";

const commands = {
  alive: () => Promise.resolve(true),
  ...clients,
  ...heldStreams,
  ...load,
  ...loadClients,
  ...nodePort,
  ...outsideServers,
  ...shareConnections,
  ...shareLoad,
  ...servers,
  ...streams,
  ...streamServers,
  ...tlsClients,
  ...transfers,
  ...verdicts,
  knock,
  requestsSeen,
  setFault,
};

/** What an agent can be asked to do. */
export type Commands = typeof commands;

interface Call {
  readonly id: number;
  readonly name: keyof Commands;
  readonly args: never;
}

process.on("message", ({ id, name, args }: Call) => {
  commands[name](args).then(
    (value: unknown) => process.send?.({ id, value }),
    (error: unknown) =>
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
