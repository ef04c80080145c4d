/** Milliseconds as a `google.protobuf.Duration` in JSON: `0.25s`. */
export function seconds(ms: number): string {
  return `${String(ms / 1000)}s`;
}
