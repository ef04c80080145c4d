/** Addresses of services outside the cluster: literal ones, so that nothing has to be looked up and every layer can name them. */
/** Blocks that are nobody's in a network: this host, loopback, link-local (a cloud's metadata service among them), multicast and reserved. */
const NOBODYS: readonly (readonly [first: number, last: number])[] = [
  [0, 0],
  [127, 127],
  [224, 255],
];

/** What is wrong with an address, and the mend, as `what is wrong; mend`; undefined for one that a service outside may have. */
export function addressProblem(text: string): string | undefined {
  if (/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text))
    return "an IPv6 address can't be reached, as pods have IPv4 addresses alone; write an IPv4 address";
  if (!isIpv4(text)) {
    return "this is no IPv4 address, and a host name would have to be looked up outside the mesh; write the addresses that it has, each as 10.20.0.5";
  }
  const [first = 0, second = 0] = text.split(".").map(Number);
  const isNobodys = NOBODYS.some(([from, to]) => from <= first && first <= to) || (first === 169 && second === 254);
  return isNobodys
    ? "no service outside has this address: it is a node's own, a cloud's metadata service or a group; write the service's own"
    : undefined;
}

/** Four numbers up to 255, none with a zero before it, which some read as octal. */
function isIpv4(text: string): boolean {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255);
}

/** Order of addresses by their numbers. */
export function compareAddresses(a: string, b: string): number {
  return numberOf(a) - numberOf(b);
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}
