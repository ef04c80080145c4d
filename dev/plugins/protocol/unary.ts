import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";

import { toServiceError } from "./errors";

/** A gRPC handler from a function that answers or throws. */
export function unary<Request, Response>(handle: (request: Request) => Response | Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    // The extra step turns a synchronous throw into a rejection.
    Promise.resolve(call.request)
      .then(handle)
      .then(
        (response) => {
          callback(null, response);
        },
        (thrown: unknown) => {
          callback(toServiceError(thrown));
        },
      );
  };
}
