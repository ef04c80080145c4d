import * as proxy from "@pulumi/policy/proxy";

/** What `@pulumi/policy` wraps resources in; its types leave it out as internal. */
interface ProxyModule {
  readonly unknownCheckingProxy: (properties: object) => object;
  readonly unknownStringValue: string;
}

const { unknownCheckingProxy, unknownStringValue } = proxy as unknown as ProxyModule;

/** Properties as CrossGuard hands them to a rule: reading an unknown throws. */
export function asHandedOver(properties: object): object {
  return unknownCheckingProxy(properties);
}

/** What the engine sends in place of a string that it does not know yet. */
export const UNKNOWN: string = unknownStringValue;
