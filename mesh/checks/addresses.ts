/** Loopback addresses: in their range, and one service each. */
import { ADDRESS_RANGE, addressOf, freeAddress, isServiceAddress } from "../addresses";
import { draftServices, type Draft } from "../document/draft";
import { show, type Path, type Report } from "../document/problems";

/** Every address leads to one service. */
export function checkAddresses(draft: Draft, report: Report): void {
  const taken = new Map<string, string>();
  const clashes: { readonly name: string; readonly address: string; readonly path: Path; readonly other: string }[] =
    [];
  for (const { service, path } of draftServices(draft)) {
    const { name } = service;
    const at = [...path, "address"];
    if (service.address !== undefined && !isServiceAddress(service.address)) {
      const mend = `take one in ${ADDRESS_RANGE} whose last number is from 1 to 254, or leave the key out`;
      report(at, `${show(service.address)} is no address for a service`, mend);
      continue;
    }
    if (name === undefined) continue;
    const address = service.address ?? addressOf(name);
    const other = taken.get(address);
    if (other === undefined) taken.set(address, name);
    else if (other !== name) clashes.push({ name, address, path: at, other });
  }
  const addresses = new Set(taken.keys());
  for (const { name, address, path, other } of clashes) {
    const free = freeAddress(name, addresses);
    addresses.add(free);
    const mend = `give the newer of the two an address of its own, as 'address: ${free}'`;
    report(path, `${show(name)} and ${show(other)} both have the loopback address ${address}`, mend);
  }
}
