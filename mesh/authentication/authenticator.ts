/** The question that sidecars ask about their callers: who is asked, who asks, and by which edge. */
import type { EdgeTraffic } from "../traffic/model";
import type { Authenticator, Edge, EdgeRule, Mesh, Service, ServicePort } from "../model";

/** The one request that a sidecar makes of the authenticator (envoy.service.auth.v3). */
export const CHECK: EdgeRule = { methods: ["POST"], paths: ["/envoy.service.auth.v3.Authorization/Check"] };

/** Source of the edges that are computed for questions. */
export const AUTHENTICATION_SOURCE = "authentication";

/** Whether the authenticator is asked about requests of a port. */
export function asks(
  service: { readonly askAuthentication?: boolean },
  port: { readonly askAuthentication?: boolean },
): boolean {
  return port.askAuthentication ?? service.askAuthentication ?? false;
}

/** One edge to the authenticator from each service that asks it about any of its ports. */
export function authenticationEdges(
  services: readonly Service[],
  authenticator: Authenticator | undefined,
  traffic: EdgeTraffic,
): Edge[] {
  const answering = services.find((service) => service.name === authenticator?.service);
  if (authenticator === undefined || answering === undefined) return [];
  return services
    .filter((service) => service.ports.some((port) => port.asksAuthenticator))
    .map((service) => ({
      from: service.name,
      to: answering.name,
      port: authenticator.port,
      kind: "authentication",
      rules: [CHECK],
      reason: "Its sidecar asks whether a caller and its certificate are good",
      crossesZones: service.zone !== answering.zone,
      traffic,
      source: AUTHENTICATION_SOURCE,
    }));
}

/** The authenticator that is asked about requests of a port; undefined where none is. */
export function authenticatorOf(mesh: Mesh, port: ServicePort): Authenticator | undefined {
  return port.asksAuthenticator === true ? mesh.authenticator : undefined;
}
