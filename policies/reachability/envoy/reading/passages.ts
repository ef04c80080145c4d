import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { Callee, Passage } from "../model";
import { extensionNamed, must } from "./messages";

/** What a gateway passes on to others, one for each filter chain. The form has proven that it is TLS, told by exact server names. @throws Unjudgeable */
export function passagesOf(listener: Field, callees: readonly Callee[], title: string): Passage[] {
  return listener
    .at("filter_chains")
    .items()
    .map((chain) => {
      const proxy = extensionNamed(chain.at("filters"), "envoy.filters.network.tcp_proxy");
      must(proxy?.has("weighted_clusters") === false, chain, "it isn't passed on to one cluster", "name one");
      const cluster = requiredText((proxy ?? chain).at("cluster"));
      const callee = callees.find((each) => each.cluster === cluster);
      must(callee !== undefined, chain, `there is no cluster ${cluster} that leaves the pod`, "give it one");
      return {
        place: { object: title, path: chain.path },
        party: callee?.party ?? "",
        serverNames: [...chain.at("filter_chain_match", "server_names").texts()].sort(),
      };
    });
}
