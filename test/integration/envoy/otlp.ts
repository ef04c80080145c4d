import * as protobuf from "protobufjs";

/** The part of a span that the tests look at. */
export interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** `2` server, `3` client (OTLP's SpanKind). */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The fields of OTLP's messages that are read here, with their numbers; unknown ones are skipped. */
const OTLP = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6; repeated KeyValue attributes = 9; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { string string_value = 1; }
`;

interface KeyValue {
  readonly key: string;
  readonly value?: { readonly stringValue?: string };
}
interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly attributes?: readonly KeyValue[];
}
interface RawRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly KeyValue[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly RawSpan[] }[];
  }[];
}

/** Reads an OTLP export request. @see https://github.com/open-telemetry/opentelemetry-proto */
export function decodeSpans(message: Buffer): Span[] {
  const Request = protobuf.parse(OTLP).root.lookupType("Request");
  const request = Request.toObject(Request.decode(message), { bytes: String }) as RawRequest;
  return (request.resourceSpans ?? []).flatMap((group) => {
    const service = textOf(group.resource?.attributes)["service.name"] ?? "";
    const spans = (group.scopeSpans ?? []).flatMap((scope) => scope.spans ?? []);
    return spans.map((span) => ({
      service,
      name: span.name,
      traceId: hex(span.traceId),
      spanId: hex(span.spanId),
      parentSpanId: hex(span.parentSpanId ?? ""),
      kind: span.kind ?? 0,
      attributes: textOf(span.attributes),
    }));
  });
}

function textOf(attributes: readonly KeyValue[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value?.stringValue ?? ""]));
}

function hex(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}
