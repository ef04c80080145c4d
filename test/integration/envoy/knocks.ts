/** The live canary's own tries, made from where the agent is. */
import { KNOCK } from "../../../services/controller/src/canary/knock";
import type { CanaryPod, Layer, Tried } from "../../../services/controller/src/canary/model";

export function knock({ layer, address }: { layer: Layer; address: string }): Promise<Tried> {
  const pod: CanaryPod = {
    zone: "chain",
    namespace: "lucid-chain",
    service: "blocks",
    name: "blocks-0",
    uid: "1",
    address,
    node: "node1",
    isOpen: true,
  };
  return KNOCK[layer](pod);
}
