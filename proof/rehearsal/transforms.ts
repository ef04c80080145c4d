/** Runs resource transforms as the engine does: by calling back into the program. */
import { credentials } from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import { CallbackInvokeRequest } from "@pulumi/pulumi/proto/callback_pb";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb";
import { TransformRequest, TransformResourceOptions, TransformResponse } from "@pulumi/pulumi/proto/resource_pb";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";

export type Properties = NonNullable<ReturnType<RegisterResourceRequest["getObject"]>>;

/** Calls a program's transforms, over one connection to each of its callback servers. */
export class TransformCaller {
  private readonly clients = new Map<string, CallbacksClient>();

  /** The properties of a resource after a transform. What it makes of options (a provider, a parent) says nothing about the object. */
  async apply(callback: Callback, request: RegisterResourceRequest, properties: Properties): Promise<Properties> {
    const transform = new TransformRequest()
      .setType(request.getType())
      .setName(request.getName())
      .setCustom(request.getCustom())
      .setParent(request.getParent())
      .setProperties(properties)
      .setOptions(new TransformResourceOptions());
    const answer = await this.invoke(callback, transform.serializeBinary());
    return TransformResponse.deserializeBinary(answer).getProperties() ?? properties;
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private invoke(callback: Callback, request: Uint8Array): Promise<Uint8Array> {
    const target = callback.getTarget();
    const client = this.clients.get(target) ?? new CallbacksClient(target, credentials.createInsecure());
    this.clients.set(target, client);
    const call = new CallbackInvokeRequest().setToken(callback.getToken()).setRequest(request);
    return new Promise((resolve, reject) => {
      client.invoke(call, (error, response) => {
        if (error === null) resolve(response.getResponse_asU8());
        else reject(new Error(error.details));
      });
    });
  }
}
