import type { Place } from "../../layer";

/** `ConfigMap lucid-wallet/payout-router-envoy, data["listeners.yaml"].resources[0]`. */
export function placeText({ object, path }: Place): string {
  return path === "" ? object : `${object}, ${path}`;
}
