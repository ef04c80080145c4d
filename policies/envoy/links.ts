/** What a datacenter's gateway does: the links to others, what it passes on to them, and to whom it passes theirs on. */
import { CALL_PORT, ceilingAllows } from "../ceiling/edges";
import { exported, isGateway, linkTo } from "../ceiling/links";
import type { Field } from "../judgement/field";
import { identityOf, type Scope } from "./scope";
import { closedKeys } from "./shape";
import { checkClientTls } from "./tls";

/** The gateway of another datacenter: at literal addresses, by mutual TLS with exactly that gateway. */
export function checkLink(cluster: Field, datacenter: string, scope: Scope): void {
  const { findings } = scope;
  const peers = checkClientTls(cluster.at("transport_socket"), scope, "exact");
  const party = `${scope.zone}.${datacenter}/${scope.service}`;
  findings.require(
    cluster.at("type").is("STATIC") && peers?.parties.join() === party,
    cluster,
    `the link leads to another than the gateway of ${datacenter}`,
    `accept ${identityOf(`${scope.zone}.${datacenter}`, scope.service)} alone, at its literal addresses`,
  );
  const isAllowed = ceilingAllows(`${scope.zone}/${scope.service}`, party, CALL_PORT, "egress", scope.ceiling);
  findings.require(
    isAllowed,
    cluster.at("name"),
    `it links this datacenter to ${datacenter}, which the ceiling does not allow`,
    "take it out, or have the ceiling's owner allow the link with a reason",
  );
  const { addresses = [], ports = [] } = linkTo(datacenter, scope.ceiling) ?? {};
  for (const leaf of isAllowed ? cluster.at("load_assignment").leaves() : []) {
    const isListed = leaf.path.endsWith("socket_address.address")
      ? addresses.includes(leaf.text() ?? "")
      : !leaf.path.endsWith("socket_address.port_value") || ports.includes(`${String(leaf.number())}/TCP`);
    findings.require(
      isListed,
      leaf,
      `the link leads to ${leaf.shown()}, which the ceiling does not list for ${datacenter}`,
      "take it out, or have the ceiling's owner list it",
    );
  }
}

/** A service here, as the gateway passes calls from elsewhere on to it: TLS that their callers began, at the one port where it is demanded. */
export function checkArrival(cluster: Field, callee: string, { zone, service, ceiling, findings }: Scope): void {
  const places = cluster.at("load_assignment").leaves();
  const ports = places.filter(({ path }) => path.endsWith("socket_address.port_value"));
  const names = places.filter(({ path }) => path.endsWith("socket_address.address"));
  const name = `${callee}.service.${ceiling.datacenter?.name ?? ""}.discovery.lucid.internal`;
  findings.require(
    isGateway(`${zone}/${service}`, ceiling) && exported(ceiling).some((party) => party.endsWith(`/${callee}`)),
    cluster.at("name"),
    `it passes calls from other datacenters on to ${callee}, which the ceiling does not let be called from there`,
    "take it out, or have the ceiling's owner list it under exports of a link",
  );
  findings.require(
    names.length > 0 && names.every((place) => place.is(name)),
    cluster.at("load_assignment"),
    `calls for ${callee} go on to somebody else`,
    `look up ${name}`,
  );
  findings.require(
    cluster.at("transport_socket").isAbsent &&
      cluster.at("typed_extension_protocol_options").isAbsent &&
      ports.length > 0 &&
      ports.every((port) => port.is(15001)),
    cluster,
    "bytes from another datacenter go where no mutual TLS is demanded",
    "pass them on as they are, to port 15001",
  );
}

/** TLS of calls that leave: chosen by the server names of calls from this datacenter to the one that the chain is for. */
export function checkPassed(chain: Field, { zone: own, service, findings, ceiling }: Scope): void {
  const match = chain.at("filter_chain_match");
  closedKeys(match, ["transport_protocol", "server_names"], findings);
  const names = match.at("server_names").texts();
  const link = chain.at("name").text() ?? "";
  const datacenter = link.slice("link|".length);
  const form = /^[a-z0-9-]+\.([a-z0-9-]+)\.([a-z0-9-]+)\.([a-z]+)\.([a-z0-9-]+)$/;
  const isOfLink = (name: string) => {
    const [, , to, , from] = form.exec(name) ?? [];
    return to === datacenter && from !== undefined && from === ceiling.datacenter?.name;
  };
  findings.require(
    match.at("transport_protocol").is("tls") && names.length > 0 && names.every(isOfLink),
    match,
    "what is passed on isn't TLS for a callee of the one datacenter that the chain is for",
    "match transport_protocol: tls, and server names <port>.<service>.<datacenter>.<caller zone>.<own datacenter>",
  );
  for (const proxy of chain.at("filters").items()) {
    const cluster = proxy.at("typed_config", "cluster");
    findings.require(
      cluster.isAbsent || cluster.is(link),
      cluster,
      "calls for one datacenter go to the gateway of another",
      `send them to ${link}, for which the chain is named`,
    );
  }
  for (const name of names.filter(isOfLink)) {
    const [, callee = "", , zone = ""] = form.exec(name) ?? [];
    findings.require(
      isGateway(`${own}/${service}`, ceiling) && mayPass(zone, callee, datacenter, ceiling),
      match.at("server_names"),
      `it passes calls of zone ${zone} on to ${callee} of ${datacenter}, which the ceiling does not allow`,
      "take the name out, or have the ceiling's owner list the callee under calls of the link",
    );
  }
}

/** Whether somebody of a zone may call a service elsewhere. */
function mayPass(zone: string, callee: string, datacenter: string, ceiling: Scope["ceiling"]): boolean {
  const callees = (linkTo(datacenter, ceiling)?.calls ?? []).filter((party) => party.endsWith(`/${callee}`));
  return (ceiling.members[zone] ?? []).some((caller) =>
    callees.some((party) =>
      ceilingAllows(`${zone}/${caller}`, party.replace("/", `.${datacenter}/`), CALL_PORT, "egress", ceiling),
    ),
  );
}
