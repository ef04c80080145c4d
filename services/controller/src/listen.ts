import type { Server } from "node:http";

/**
 * Has a server listen.
 *
 * @returns once it does
 * @throws where the address can't be bound
 */
export function listening(server: Server, port: number, address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}
