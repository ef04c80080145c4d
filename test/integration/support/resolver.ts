/** What the node resolver answers to who asks it as sidecars do. */
import type { Service } from "../../../mesh";
import { core, exec } from "./cluster";
import type { Tester } from "./tester";

/** Addresses that a service's name in discovery leads to, sorted. */
export async function resolved(from: Tester, { discoveryName }: Pick<Service, "discoveryName">): Promise<string[]> {
  const { stdout } = await exec(from, from.container, ["nslookup", "-type=a", discoveryName, await resolverAddress()]);
  const [, answer = ""] = stdout.split(/^Name:/m);
  return [...`Name:${stdout.slice(stdout.indexOf(answer))}`.matchAll(/^Address(?: \d+)?:\s*(\d+\.\d+\.\d+\.\d+)$/gm)]
    .flatMap(([, ip]) => ip ?? [])
    .sort();
}

/** The ClusterIP at which sidecars ask. */
export async function resolverAddress(): Promise<string> {
  const { spec } = await core.readNamespacedService({ name: "node-resolver", namespace: "lucid-mesh" });
  if (spec?.clusterIP === undefined) throw new Error("Service lucid-mesh/node-resolver has no address");
  return spec.clusterIP;
}
