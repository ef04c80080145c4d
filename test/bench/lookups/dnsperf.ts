/** DNS-OARC's dnsperf: as many lookups as are answered, or a fixed rate with each one's latency. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const MOST_BYTES = 512 * 2 ** 20;

export interface Throughput {
  /** Answers in a second. */
  readonly rate: number;
  readonly sent: number;
  readonly lost: number;
  /** By the code of the answer. */
  readonly codes: string;
}

export interface Latency {
  readonly count: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** Asks a resolver on loopback for names, which stand in a file. What it is asked for throws where dnsperf fails. */
export class Dnsperf {
  /** @param program where it is */
  constructor(private readonly program: string) {}

  async throughput(port: number, names: string, seconds: number): Promise<Throughput> {
    const output = await this.run(port, names, "-l", String(seconds), "-c", "16", "-T", "1", "-q", "200");
    const number = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? Number.NaN);
    return {
      rate: number(/Queries per second:\s+([\d.]+)/),
      sent: number(/Queries sent:\s+(\d+)/),
      lost: number(/Queries lost:\s+(\d+)/),
      codes: /Response codes:\s+(.*)/.exec(output)?.[1]?.trim() ?? "none",
    };
  }

  /** @param times undefined: for `seconds`; else each name so many times */
  async latency(
    port: number,
    names: string,
    { rate, seconds, times }: { readonly rate: number; readonly seconds?: number; readonly times?: number },
  ): Promise<Latency> {
    const until = times === undefined ? ["-l", String(seconds ?? 10)] : ["-n", String(times)];
    const output = await this.run(port, names, ...until, "-Q", String(rate), "-c", "4", "-T", "1", "-v");
    const all = [...output.matchAll(/^> \S+ \S+ \S+ ([\d.]+)$/gm)].map(([, value]) => Number(value) * 1000);
    if (all.length === 0) throw new Error(`dnsperf told no latency: ${output.slice(0, 400)}`);
    const sorted = all.sort((one, other) => one - other);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), worst: at(1) };
  }

  private async run(port: number, names: string, ...args: readonly string[]): Promise<string> {
    const given = ["-s", "127.0.0.1", "-p", String(port), "-d", names, ...args];
    return (await run(this.program, given, { maxBuffer: MOST_BYTES })).stdout;
  }
}
