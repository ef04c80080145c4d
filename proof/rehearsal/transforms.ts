/** Runs resource transforms as the engine does: by calling back into the program. */
import { CallbackInvokeRequest } from "@pulumi/pulumi/proto/callback_pb";
import type { Callback, CallbackInvokeResponse } from "@pulumi/pulumi/proto/callback_pb";
import { TransformRequest, TransformResourceOptions, TransformResponse } from "@pulumi/pulumi/proto/resource_pb";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { currentRun } from "./runtime";

export type Properties = NonNullable<ReturnType<RegisterResourceRequest["getObject"]>>;

/**
 * The properties of a resource after a transform. What it makes of options (a provider, a parent) says nothing about the object.
 *
 * The program is called in its own run and not over the network, where it would no longer be known that this is a preview: then the runtime leaves out what
 * isn't known yet, as if it weren't there.
 */
export async function transformed(
  callback: Callback,
  request: RegisterResourceRequest,
  properties: Properties,
): Promise<Properties> {
  const transform = new TransformRequest()
    .setType(request.getType())
    .setName(request.getName())
    .setCustom(request.getCustom())
    .setParent(request.getParent())
    .setProperties(properties)
    .setOptions(new TransformResourceOptions());
  const answer = await invoke(callback, transform.serializeBinary());
  return TransformResponse.deserializeBinary(answer.getResponse_asU8()).getProperties() ?? properties;
}

function invoke(callback: Callback, request: Uint8Array): Promise<CallbackInvokeResponse> {
  const { callbacks } = currentRun();
  const call = { request: new CallbackInvokeRequest().setToken(callback.getToken()).setRequest(request) };
  return new Promise((resolve, reject) => {
    const done = (error: { readonly details?: string } | null, response?: CallbackInvokeResponse) => {
      if (response === undefined) reject(new Error(error?.details ?? "a transform gave no answer"));
      else resolve(response);
    };
    if (callbacks === undefined) done({ details: "a transform is called that the run doesn't have" });
    else callbacks.invoke(call, done).catch(reject);
  });
}
