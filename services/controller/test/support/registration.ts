import type { Registration } from "../../src/registry/registration.js";

/** What a ready pod of admin-ui asks to be registered as, but for what is changed. */
export function registration(pod: string, changes: Partial<Registration> = {}): Registration {
  return {
    zone: "ops",
    pod,
    uid: `uid-${pod}`,
    service: "admin-ui",
    address: "10.244.0.7",
    version: "1.0.0",
    ready: true,
    ...changes,
  };
}
