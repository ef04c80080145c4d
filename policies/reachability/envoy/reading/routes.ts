import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { RequestRule } from "../requests";
import { must, only } from "./messages";

/** A route of an HTTP connection manager. */
export interface Route {
  readonly field: Field;
  readonly match: Field;
  /** Clusters that it may choose; none where it answers by itself. */
  readonly clusters: readonly string[];
}

/** The routes of the one virtual host, which must answer to every host name. @throws Unjudgeable */
export function routesOf(manager: Field): readonly Route[] {
  must(
    manager.at("codec_type").isAbsentOr("AUTO"),
    manager.at("codec_type"),
    "the protocol isn't told by what comes",
    "set codec_type: AUTO",
  );
  const host = only(manager.at("route_config", "virtual_hosts"), "virtual host");
  const domains = host.at("domains").texts();
  must(domains.join() === "*", host.at("domains"), "the host answers to some names alone", "let it answer to `*`");
  const routes = host
    .at("routes")
    .items()
    .map((route) => ({ field: route, match: route.at("match"), clusters: clustersOf(route) }));
  must(routes.length > 0, host.at("routes"), "there is no route", "give one");
  for (const { match } of routes)
    must(
      ["path", "prefix", "connect_matcher"].filter((key) => match.has(key)).length === 1 &&
        !match.at("path").is("") &&
        !match.at("prefix").is(""),
      match,
      "what the route is about isn't said",
      "give it one path, prefix or connect_matcher",
    );
  return routes;
}

function clustersOf(route: Field): readonly string[] {
  must(
    route.has("route") !== route.has("direct_response"),
    route,
    "the route does not say one thing",
    "give it route or direct_response",
  );
  if (!route.has("route")) {
    const status = route.at("direct_response", "status").number();
    must(
      status !== undefined && status >= 400 && route.at("direct_response").keys().join() === "status",
      route,
      "the sidecar answers in the application's place",
      "let it refuse",
    );
    return [];
  }
  const action = route.at("route");
  if (action.has("cluster")) {
    must(!action.has("weighted_clusters"), action, "it goes two ways", "name cluster or weighted_clusters");
    return [requiredText(action.at("cluster"))];
  }
  return action
    .at("weighted_clusters", "clusters")
    .items()
    .map((cluster) => requiredText(cluster.at("name")));
}

/** Whether a match takes whatever comes. @throws Unjudgeable */
export function takesEverything(match: Field): boolean {
  return match.keys().join() === "prefix" && match.at("prefix").is("/");
}

/** Whether a match is about CONNECT alone, all of it. */
export function takesConnect(match: Field): boolean {
  return match.keys().join() === "connect_matcher" && match.at("connect_matcher").isEmpty;
}

/** The requests that a match takes, by path and method. @throws Unjudgeable where it goes by anything else */
export function ruleOfMatch(match: Field): RequestRule {
  must(
    match.keys().every((key) => ["path", "prefix", "headers"].includes(key)) &&
      match.has("path") !== match.has("prefix"),
    match,
    "the route is chosen by what isn't modelled",
    "choose by path or prefix, and by headers",
  );
  const headers = match.at("headers").items();
  const methods = headers.filter((header) => !isTarget(header)).map((header) => methodOf(header));
  const targets = headers.filter(isTarget).map((header) => targetOf(header));
  const [target] = targets;
  const path = match.has("path")
    ? { exact: target ?? requiredText(match.at("path")) }
    : { prefix: requiredText(match.at("prefix")) };
  must(
    target === undefined || (targets.length === 1 && match.at("path").is(target.split("?")[0] ?? "")),
    match,
    "the route is for a path and for a question of another",
    "name one question, and its path",
  );
  must(methods.length <= 1, match.at("headers"), "two methods must hold at once", "name one");
  return { paths: [path], ...(methods.length === 0 ? {} : { methods }) };
}

/** Whether a header matcher is about the whole of what is asked for, its query included. */
export function isTarget(header: Field): boolean {
  return header.at("name").is(":path");
}

/** The path and query that a header matcher asks for, exactly. @throws Unjudgeable */
export function targetOf(header: Field): string {
  const target = header.at("string_match", "exact").text() ?? "";
  must(
    header.keys().join() === "name,string_match" &&
      header.at("string_match").keys().join() === "exact" &&
      /^\/[^?]*\?/.test(target),
    header,
    "a request is told by something else than one question",
    "match :path, exact, with its query",
  );
  return target;
}

/** The method that a header matcher asks for, exactly. @throws Unjudgeable */
export function methodOf(header: Field): string {
  must(
    header.keys().join() === "name,string_match" &&
      header.at("name").is(":method") &&
      header.at("string_match").keys().join() === "exact",
    header,
    "a request is told by something else than its exact method",
    "match :method, exact",
  );
  return requiredText(header.at("string_match", "exact"));
}
