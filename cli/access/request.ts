/** What a caller asks, as the callee's sidecar judges it. */
import { grpcRequest, GRPC_METHOD } from "../../mesh";
import { CliError } from "../exit-status";

/** What is undefined may be anything. */
export interface AskedRequest {
  readonly method?: string;
  /** Normalized, without the query. */
  readonly path?: string;
  /** Instant (UTC, `2026-12-31T18:00:00Z`). */
  readonly time: string;
}

/** The options of a command line that say what is asked. */
export interface RequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly grpc?: string;
  readonly at?: string;
}

/**
 * Reads what a command line asks for.
 *
 * @throws CliError where it is no request
 */
export function requestOf(options: RequestOptions, now: Date): AskedRequest {
  const time = options.at === undefined ? now : new Date(options.at);
  if (Number.isNaN(time.getTime())) {
    throw new CliError(`'${options.at ?? ""}' is no time; write it as 2026-12-31T18:00:00Z`);
  }
  const instant = `${time.toISOString().slice(0, 19)}Z`;
  if (options.grpc !== undefined) {
    if (options.method !== undefined || options.path !== undefined) {
      throw new CliError("--grpc says method and path already; leave --method and --path out");
    }
    if (!GRPC_METHOD.test(options.grpc) || options.grpc.endsWith("*")) {
      throw new CliError(`'${options.grpc}' is no gRPC method; write it as package.Service/Method`);
    }
    return { ...grpcRequest(options.grpc), time: instant };
  }
  if (options.path?.startsWith("/") === false) {
    throw new CliError(`'${options.path}' is no path; begin it with '/'`);
  }
  return {
    ...(options.method === undefined ? {} : { method: options.method.toUpperCase() }),
    ...(options.path === undefined ? {} : { path: normalized(options.path) }),
    time: instant,
  };
}

/** A path with an escaped slash or backslash: a sidecar answers 400 before anything else judges it. */
export function hasEscapedSlash(path: string): boolean {
  return /%2f|%5c/i.test(path);
}

/** What of a path is judged: dots resolved, slashes merged, no query (Envoy's `normalize_path` and `merge_slashes`). */
export function normalized(path: string): string {
  if (hasEscapedSlash(path)) return path;
  const { pathname } = new URL(`http://callee${path.replace(/^[/\\]+/, "/")}`);
  return pathname.replaceAll(/\/{2,}/g, "/");
}
