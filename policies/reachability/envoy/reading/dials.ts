import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { Dial, Name } from "../model";
import { EVERY_REQUEST } from "../requests";
import { managerOf } from "./entries";
import { carriedBy, extensionNamed, must, only, socketOf } from "./messages";
import { routesOf, ruleOfMatch, takesEverything } from "./routes";

/**
 * The address of a listener for the pod's application, and the cluster to which all that comes there goes.
 *
 * @param order the clusters that a cluster tries
 * @throws Unjudgeable
 */
export function dialOf(listener: Field, order: (cluster: string) => readonly string[], title: string): Dial {
  const chain = only(listener.at("filter_chains"), "filter chain");
  must(!chain.has("filter_chain_match"), chain, "some connections find no chain", "take filter_chain_match out");
  const proxy = extensionNamed(chain.at("filters"), "envoy.filters.network.tcp_proxy");
  const place = { object: title, path: listener.path };
  const address = socketOf(listener.at("address"));
  if (proxy !== undefined) {
    must(proxy.has("tunneling_config"), proxy, "the connection leaves outside HTTP, with no token", "tunnel it");
    const cluster = oneOf(clustersOfProxy(proxy), proxy);
    return {
      place,
      ...address,
      cluster,
      clusters: order(cluster),
      carries: "bytes",
      requests: [EVERY_REQUEST],
    };
  }
  const manager = managerOf(chain);
  const carries = carriedBy(manager);
  must(carries !== "bytes", manager, "a CONNECT of the application's own isn't modelled", "take the upgrade out");
  const destination = destinationOf(manager, listener);
  return { place, ...address, carries, ...destination, clusters: order(destination.cluster) };
}

/** All routes go to one cluster (to hosts of one version or another), and the last takes whatever is left; a scraper's takes what it scrapes. */
function destinationOf(manager: Field, listener: Field): Pick<Dial, "cluster" | "requests"> {
  const routes = routesOf(manager);
  const last = routes.at(-1);
  must(last !== undefined && takesEverything(last.match), manager, "some requests go nowhere", "end with prefix /");
  const isScraper = (listener.at("name").text() ?? "").startsWith("scrape|");
  const leading = isScraper ? routes.filter((route) => route.clusters.length > 0) : routes;
  for (const { match, clusters, field } of leading) {
    must(clusters.length > 0, field, "some requests go nowhere", "send them to the callee");
    must(!match.has("connect_matcher"), match, "a CONNECT isn't modelled here", "match by path");
  }
  const cluster = oneOf(
    leading.flatMap((route) => route.clusters),
    manager,
  );
  return { cluster, requests: isScraper ? leading.map(({ match }) => ruleOfMatch(match)) : [EVERY_REQUEST] };
}

function clustersOfProxy(proxy: Field): string[] {
  if (!proxy.has("weighted_clusters")) return [requiredText(proxy.at("cluster"))];
  must(!proxy.has("cluster"), proxy, "it goes two ways", "name cluster or weighted_clusters");
  return proxy
    .at("weighted_clusters", "clusters")
    .items()
    .map((cluster) => requiredText(cluster.at("name")));
}

function oneOf(clusters: readonly string[], place: Field): string {
  const [cluster, ...others] = new Set(clusters);
  must(cluster !== undefined && others.length === 0, place, "it doesn't go to exactly one cluster", "send it to one");
  return cluster ?? "";
}

/** IPv4 in IPv6's form. */
const MAPPED = /^::ffff:(?=[\d.]+$)/;

/** The names that the application's resolver answers. The form has proven that it asks nobody else. @throws Unjudgeable */
export function namesOf(listener: Field, title: string): Name[] {
  const filter = extensionNamed(listener.at("listener_filters"), "envoy.filters.udp.dns_filter");
  const domains = filter?.at("server_config", "inline_dns_table", "virtual_domains").items() ?? [];
  const known = domains.map((domain) => (domain.at("name").text() ?? "").toLowerCase());
  must(new Set(known).size === known.length, filter ?? listener, "a name is answered twice", "answer it once");
  return domains.map((domain) => {
    must(
      domain.keys().every((key) => ["name", "answer_ttl", "endpoint"].includes(key)) &&
        domain.at("endpoint").keys().join() === "address_list" &&
        domain.at("endpoint", "address_list").keys().join() === "address",
      domain,
      "the name isn't answered by addresses alone",
      "give it an address_list",
    );
    const all = domain.at("endpoint", "address_list", "address").texts();
    const [ipv4, mapped] = [
      all.filter((address) => !MAPPED.test(address)),
      all.filter((address) => MAPPED.test(address)),
    ];
    must(
      ipv4.every((address) => mapped.includes(`::ffff:${address}`)) && mapped.length === ipv4.length,
      domain,
      "one of A and AAAA is answered as if the name didn't exist, which some resolvers take for both",
      "give each address in both forms",
    );
    return {
      place: { object: title, path: domain.path },
      name: requiredText(domain.at("name")),
      addresses: [...new Set(all.map((address) => address.replace(MAPPED, "")))],
    };
  });
}
