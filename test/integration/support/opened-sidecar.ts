/** Takes one layer out of a running sidecar, by changing its live configuration, and puts it back. */
import { dump, load } from "js-yaml";
import type { Service } from "../../../mesh";
import { ZONES } from "../../../mesh";
import { core, mergePatch, podsOf, touch } from "./cluster";
import { service as serviceNamed } from "./document";

const originals = new Map<string, string>();

/**
 * Every filter chain of the inbound listener believes every zone's roots and every name; authorization stays.
 */
export async function openTrust(service: Service): Promise<void> {
  const roots = await everyRoot();
  await changeListeners(service, (value) => {
    if (
      isMap(value) &&
      "common_tls_context" in value &&
      isMap(value.common_tls_context) &&
      value.require_client_certificate !== undefined
    ) {
      const context: Record<string, unknown> = { ...value.common_tls_context };
      delete context.combined_validation_context;
      delete context.validation_context_sds_secret_config;
      return {
        ...value,
        common_tls_context: { ...context, validation_context: { trusted_ca: { inline_string: roots } } },
      };
    }
    return value;
  });
}

/** Besides `openTrust`: no authorization filter is left. */
export async function openAuthorization(service: Service): Promise<void> {
  const current = await listeners(service);
  await writeListeners(
    service,
    transform(current, (value) =>
      Array.isArray(value) ? value.filter((item) => !(isMap(item) && String(item.name).includes("rbac"))) : value,
    ),
  );
}

/** A caller's sidecar tries nothing again, so that every failure is seen. */
export async function stopRetries(service: Service): Promise<void> {
  await changeListeners(service, (value) => {
    if (!isMap(value) || !("retry_policy" in value)) return value;
    const single = { ...value };
    delete single.retry_policy;
    return single;
  });
}

/** Puts the deployed configuration back. */
export async function restoreSidecar(service: Service): Promise<void> {
  const original = originals.get(service.name);
  if (original === undefined) throw new Error(`${service.name}'s sidecar was not opened`);
  await write(service, original);
}

async function changeListeners(service: Service, change: (value: unknown) => unknown): Promise<void> {
  await writeListeners(service, transform(await listeners(service), change));
}

/** Applies a change to every value, the innermost first. */
function transform(value: unknown, change: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return change(value.map((item) => transform(item, change)));
  if (isMap(value))
    return change(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, transform(item, change)])));
  return change(value);
}

async function listeners(service: Service): Promise<unknown> {
  const { data } = await core.readNamespacedConfigMap({ name: `${service.name}-envoy`, namespace: service.namespace });
  const text = data?.["listeners.yaml"];
  if (text === undefined) throw new Error(`${service.name}-envoy has no listeners.yaml`);
  if (!originals.has(service.name)) originals.set(service.name, text);
  return load(text);
}

async function writeListeners(service: Service, value: unknown): Promise<void> {
  await write(service, dump(value, { noRefs: true, lineWidth: -1 }));
}

async function write(service: Service, text: string): Promise<void> {
  await core.patchNamespacedConfigMap(
    { name: `${service.name}-envoy`, namespace: service.namespace, body: { data: { "listeners.yaml": text } } },
    mergePatch,
  );
  for (const pod of await podsOf(service)) await touch(pod);
}

/** Roots of every zone that has services, as Prometheus's sidecar trusts them. */
async function everyRoot(): Promise<string> {
  const { name, namespace } = serviceNamed("prometheus");
  const { data } = await core.readNamespacedConfigMap({ name: `${name}-trust`, namespace });
  const bundles = ZONES.flatMap((zone) => data?.[`${zone}.yaml`] ?? []);
  const certificates = bundles.flatMap((bundle) => findCertificates(load(bundle)));
  return certificates.join("\n");
}

function findCertificates(value: unknown): string[] {
  if (typeof value === "string") return value.includes("BEGIN CERTIFICATE") ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(findCertificates);
  return isMap(value) ? Object.values(value).flatMap(findCertificates) : [];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
