const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };

/** A method of raw bytes of the gRPC service that the tests call. */
export function grpcMethod(name: string, requestStream = false, responseStream = false) {
  return {
    path: `/fgrpc.PingServer/${name}`,
    requestStream,
    responseStream,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  };
}

/** The three streamings: `Up` answers how many messages came, `Down` sends as many as it is asked for, `Both` sends each back at once. */
export const STREAMING_METHODS = {
  Up: grpcMethod("Up", true, false),
  Down: grpcMethod("Down", false, true),
  Both: grpcMethod("Both", true, true),
};
