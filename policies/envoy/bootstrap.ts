import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Scope } from "./scope";
import { closedKeys, extensionOf } from "./shape";

/** Runtime settings of telemetry and of limits; others may change what filters check. */
const HARMLESS_SETTINGS = /^(tracing|overload|re2)\./;
const FOLDER = "/etc/envoy/config";

const MONITORS = ["envoy.resource_monitors.global_downstream_max_connections", "envoy.resource_monitors.fixed_heap"];
/** What a full heap may lead to; others (`envoy.overload_actions.reset_high_memory_stream`) end calls under way. */
const ACTIONS = ["envoy.overload_actions.shrink_heap", "envoy.overload_actions.stop_accepting_requests"];

/** Checks `bootstrap.yaml`: listeners and clusters come from the judged files alone, and the admin interface is a Unix socket. */
export function checkBootstrap(file: Field, { findings }: Scope): void {
  closedKeys(
    file,
    [
      "node",
      "admin",
      "dynamic_resources",
      "static_resources",
      "layered_runtime",
      "overload_manager",
      "stats_config",
      "stats_flush_interval",
      "application_log_config",
    ],
    findings,
  );
  closedKeys(file.at("admin"), ["address", "access_log"], findings);
  closedKeys(file.at("admin", "address"), ["pipe"], findings);
  const path = file.at("admin", "address", "pipe", "path");
  findings.require(
    (path.text() ?? "").startsWith("/var/run/envoy/"),
    path,
    "the admin interface is not a socket in the sidecar's own volume",
    "put it at /var/run/envoy/admin.sock",
  );
  const resources = file.at("dynamic_resources");
  closedKeys(resources, ["lds_config", "cds_config"], findings);
  for (const [key, name] of [["lds_config", "listeners.yaml"] as const, ["cds_config", "clusters.yaml"] as const]) {
    const source = resources.at(key);
    closedKeys(source, ["path_config_source", "resource_api_version"], findings);
    findings.require(
      source.at("path_config_source", "path").is(`${FOLDER}/${name}`),
      source,
      "the sidecar takes its configuration from elsewhere than the judged files",
      `take ${FOLDER}/${name}`,
    );
  }
  const fixed = file.at("static_resources");
  closedKeys(fixed, ["clusters"], findings);
  for (const cluster of fixed.at("clusters").items()) {
    closedKeys(cluster, ["name", "connect_timeout", "type", "load_assignment"], findings);
    findings.require(
      cluster.at("name").is("admin") && cluster.at("load_assignment").leaves().every(isOwnSocket),
      cluster,
      "a static cluster goes elsewhere than to the sidecar's own admin socket",
      "put it into clusters.yaml, where it is judged",
    );
  }
  checkOverload(file.at("overload_manager"), findings);
  for (const layer of file.at("layered_runtime", "layers").items()) {
    closedKeys(layer, ["name", "static_layer"], findings);
    for (const [key, setting] of layer.at("static_layer").entries()) {
      findings.require(
        HARMLESS_SETTINGS.test(key),
        setting,
        "a runtime setting could switch a check of Envoy off",
        "take it out, or model it in policies/envoy/bootstrap.ts",
      );
    }
  }
}

function checkOverload(manager: Field, findings: Findings): void {
  closedKeys(manager, ["resource_monitors", "actions"], findings);
  for (const monitor of manager.at("resource_monitors").items()) extensionOf(monitor, MONITORS, findings);
  for (const action of manager.at("actions").items()) {
    closedKeys(action, ["name", "triggers"], findings);
    findings.require(
      action.at("name").isOneOf(ACTIONS),
      action.at("name"),
      "under overload the sidecar does something that the rule doesn't model",
      `take one of ${ACTIONS.join(", ")}`,
    );
  }
}

function isOwnSocket(leaf: Field): boolean {
  return leaf.is("admin") || (leaf.path.endsWith("pipe.path") && (leaf.text() ?? "").startsWith("/var/run/envoy/"));
}
