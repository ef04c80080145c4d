/** Questions about a service's ports. */
import type { Service, ServicePort } from "./model";

/**
 * The port of a call that names none.
 *
 * @throws RangeError where the service has no port: it is a job, which nobody calls
 */
export function firstPort({ name, ports }: Pick<Service, "name" | "ports">): ServicePort {
  const [first] = ports;
  if (first === undefined) throw new RangeError(`'${name}' has no port, so nobody can call it`);
  return first;
}
