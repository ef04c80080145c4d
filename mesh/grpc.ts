/** gRPC methods, as a rule of a call names them. */

/** `package.Service/Method`, or `package.Service/*` for all methods of a service. */
export const GRPC_METHOD = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\/([A-Za-z_][A-Za-z0-9_]*|\*)$/;

/**
 * The request of a gRPC method: always a POST, of the path `/<package>.<Service>/<Method>`.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export function grpcRequest(method: string): { readonly method: "POST"; readonly path: string } {
  return { method: "POST", path: `/${method}` };
}

/** The gRPC method of a rule's path, or undefined where the path is none. */
export function grpcMethodOf(path: string): string | undefined {
  const method = path.slice(1);
  return path.startsWith("/") && GRPC_METHOD.test(method) ? method : undefined;
}
