/** What an edge allows, in one line. */
import { grpcMethodOf, type Edge, type EdgeRule } from "../../mesh";

/** `GET /height, /blocks/*; POST /echo`, or `anything`. */
export function rulesText(edge: Pick<Edge, "rules">): string {
  return edge.rules.length === 0 ? "anything" : edge.rules.map(ruleText).join("; ");
}

function ruleText({ methods, paths }: EdgeRule): string {
  const grpc = methods.join() === "POST" && paths.length > 0 ? paths.map(grpcMethodOf) : [undefined];
  if (grpc.every((method) => method !== undefined)) return `gRPC ${grpc.join(", ")}`;
  return [
    methods.length === 0 ? "any method" : methods.join(", "),
    paths.length === 0 ? "any path" : paths.join(", "),
  ].join(" ");
}
