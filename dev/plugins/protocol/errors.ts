import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";

import { InitializationFailure } from "./provider";
import { toWire } from "./wire";

/** The gRPC header in which structured details of an error travel. */
const DETAILS_HEADER = "grpc-status-details-bin";

/** Any thrown thing as the error that gRPC sends; an {@link InitializationFailure} carries the object's state along. */
export function toServiceError(thrown: unknown): ServiceError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const metadata = new Metadata();
  if (error instanceof InitializationFailure) {
    metadata.add(DETAILS_HEADER, initializationDetails(error));
  }
  return serviceError(status.UNKNOWN, error.message, metadata);
}

/** An error of the given code. */
export function serviceError(code: status, message: string, metadata: Metadata = new Metadata()): ServiceError {
  return Object.assign(new Error(message), { code, details: message, metadata });
}

function initializationDetails(error: InitializationFailure): Buffer {
  const failure = new ErrorResourceInitFailed();
  failure.setId(error.id);
  failure.setProperties(toWire(error.outputs));
  failure.setReasonsList([...error.reasons]);
  if (error.inputs !== undefined) {
    failure.setInputs(toWire(error.inputs));
  }
  const detail = new Any();
  detail.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const envelope = new Status();
  envelope.setCode(status.UNKNOWN);
  envelope.setMessage(error.message);
  envelope.addDetails(detail);
  return Buffer.from(envelope.serializeBinary());
}
