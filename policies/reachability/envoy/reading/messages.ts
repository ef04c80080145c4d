import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import { partyOfIdentity } from "../../../envoy/scope";
import { presentText, requiredText } from "../../network/reading/fields";
import type { Carries, Party } from "../model";

/** The one element of a list. @throws Unjudgeable */
export function only(list: Field, what: string): Field {
  const [item, ...others] = list.items();
  if (item === undefined || others.length > 0)
    throw new Unjudgeable(list.path, `there is not exactly one ${what}`, "render the file with envoy/");
  return item;
}

/** @throws Unjudgeable */
export function must(holds: boolean, field: Field, problem: string, mend: string): void {
  if (!holds) throw new Unjudgeable(field.path, problem, mend);
}

/** The extension's configuration among a list, by its name; undefined where there is none. @throws Unjudgeable where there are two */
export function extensionNamed(list: Field, name: string): Field | undefined {
  const found = list.items().filter((item) => item.at("name").is(name));
  must(found.length <= 1, list, `${name} stands there twice`, "keep one");
  return found[0]?.at("typed_config");
}

/** The party of an exact SPIFFE identity. @param datacenter the own one, where there are several @throws Unjudgeable */
export function partyIn(identity: Field, datacenter: string | undefined): Party {
  const party = partyOfIdentity(presentText(identity), datacenter);
  if (party === undefined)
    throw new Unjudgeable(identity.path, `${identity.shown()} is no identity of a service`, "name one exactly");
  return party;
}

/** Address and port of a `socket_address`. @throws Unjudgeable */
export function socketOf(address: Field): { readonly address: string; readonly port: number } {
  const socket = address.at("socket_address");
  must(address.keys().join() === "socket_address", address, "is no address of the network", "give a socket_address");
  must(
    socket.keys().every((key) => ["address", "port_value", "protocol"].includes(key)),
    socket,
    "has a field that isn't modelled",
    "give address, port_value and protocol alone",
  );
  const port = socket.at("port_value").number();
  if (port === undefined || !Number.isInteger(port) || port < 1 || port > 65535)
    throw new Unjudgeable(socket.at("port_value").path, "is no port", "give a number from 1 to 65535");
  return { address: requiredText(socket.at("address")), port };
}

/**
 * The first label of a server name: `<port>.<service>.<caller zone>`, `inspection.<caller zone>`, or from another datacenter
 * `<port>.<service>.<datacenter>.<caller zone>.<caller datacenter>`.
 *
 * @throws Unjudgeable
 */
export function portOfServerName(field: Field): string {
  const [port, ...rest] = requiredText(field).split(".");
  must(
    port !== undefined && port !== "" && [1, 2, 4].includes(rest.length),
    field,
    `${field.shown()} is no server name of the mesh`,
    "name it <port>.<service>.<caller zone>",
  );
  return port ?? "";
}

/** What an HTTP connection manager carries, by what requests may be turned into. @throws Unjudgeable */
export function carriedBy(manager: Field): Carries {
  const upgrades = manager.at("upgrade_configs").items();
  for (const upgrade of upgrades)
    must(upgrade.at("enabled").isAbsentOr(true), upgrade, "the upgrade is switched off", "take it out");
  const types = upgrades.map((upgrade) => upgrade.at("upgrade_type").text());
  const connects = manager.at("http2_protocol_options", "allow_connect");
  must(
    connects.isAbsentOr(types.includes("CONNECT")),
    connects,
    "says otherwise than upgrade_configs",
    "make both agree",
  );
  must(!types.includes("CONNECT") || connects.is(true), manager, "a CONNECT would be refused", "set allow_connect");
  if (types.length === 0) return "requests";
  if (types.join() === "websocket") return "websocket";
  if (types.join() === "CONNECT") return "bytes";
  throw new Unjudgeable(
    manager.at("upgrade_configs").path,
    "requests may be turned into what isn't modelled",
    "take websocket or CONNECT",
  );
}
