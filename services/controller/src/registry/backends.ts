/** The discovery backends that there are. Nothing else of the controller knows which of them it writes to. */
import type { z } from "zod";
import { ConsulRegistry } from "../consul/registry.js";
import { consulEnvironment, type ConsulSettings } from "../consul/settings.js";
import { EtcdRegistry } from "../etcd/registry.js";
import { etcdEnvironment, type EtcdConnection } from "../etcd/settings.js";
import type { Registry, RegistryOptions } from "./registry.js";

/** A backend, and how it is reached. */
export type RegistrySettings =
  | { readonly backend: "consul"; readonly settings: ConsulSettings }
  | { readonly backend: "etcd"; readonly settings: EtcdConnection };

export type BackendName = RegistrySettings["backend"];

/** Each backend's part of the environment. */
export const BACKEND_ENVIRONMENTS: Readonly<Record<BackendName, z.ZodType<RegistrySettings>>> = {
  consul: consulEnvironment.transform((settings) => ({ backend: "consul" as const, settings })),
  etcd: etcdEnvironment.transform((settings) => ({ backend: "etcd" as const, settings })),
};

/** Opens a connection; nothing is asked yet. */
export function openRegistry(chosen: RegistrySettings, options: RegistryOptions): Registry {
  switch (chosen.backend) {
    case "consul":
      return new ConsulRegistry(chosen.settings, options.observe);
    case "etcd":
      return new EtcdRegistry(chosen.settings, options);
  }
}
