import type { JsonObject } from "../../support/edit";
import { app, deployment, namespace, networkPolicy, ports } from "./objects";

export const WEB = { protocol: "TCP", port: 80 };

/** Two teams: `red/client`, `red/server`, `blue/client`, `blue/server`. */
export function world(...policies: JsonObject[]): JsonObject[] {
  return [
    namespace("red", { team: "red", stage: "live" }),
    namespace("blue", { team: "blue" }),
    ...["red", "blue"].flatMap((place) => [
      deployment(place, "client", { labels: { role: "caller" } }),
      deployment(place, "server"),
    ]),
    ...policies,
  ];
}

/** A policy for `red/server`. */
export function onServer(spec: JsonObject): JsonObject {
  return networkPolicy("red", "server", { podSelector: app("server"), ...spec });
}

/** A policy for `red/server` that lets in what one rule says. */
export function letIn(rule: JsonObject): JsonObject {
  return onServer({ policyTypes: ["Ingress"], ingress: [rule] });
}

/** What `red/server` takes from `red/client` and from `blue/client` under a policy that has this peer alone. */
export function callersOf(...from: JsonObject[]): readonly [red: string, blue: string] {
  const objects = world(letIn({ from, ports: [WEB] }));
  return [ports(objects, "red/client", "red/server"), ports(objects, "blue/client", "red/server")];
}

/** Cases with their titles. */
export function titled(...cases: [string, JsonObject][]): [string, JsonObject][] {
  return cases;
}

export const OPEN = "every port";
export const CLOSED = "no port";
export const RED_CLIENT = { podSelector: app("client") };
