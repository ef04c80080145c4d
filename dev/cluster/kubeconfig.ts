import * as fs from "node:fs";
import * as path from "node:path";

import type { KeyPair } from "./pki";

/** Name of the cluster, its user and its context in kubeconfigs. */
export const contextName = "lucid-dev";

/** A kubeconfig with all certificates inside, as JSON (which is YAML). */
export function kubeconfig(server: string, authority: string, client: KeyPair): string {
  const embed = (file: string): string => fs.readFileSync(file).toString("base64");
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: contextName, cluster: { server, "certificate-authority-data": embed(authority) } }],
    users: [
      {
        name: contextName,
        user: { "client-certificate-data": embed(client.certificate), "client-key-data": embed(client.key) },
      },
    ],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
    "current-context": contextName,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Writes a file that holds a key: mode 0600 from its first moment, and never half written. */
export function writePrivate(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${String(process.pid)}.tmp`;
  fs.writeFileSync(temporary, text, { mode: 0o600 });
  fs.renameSync(temporary, file);
}
