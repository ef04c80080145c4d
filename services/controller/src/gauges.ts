/** Gauges that are read when they are scraped. */
import { Gauge, type Registry } from "@prometheus-io/client";

/** One value with its labels; the rest of it is left out. */
type Reading<Label extends string, Value extends string> = Readonly<Record<Label, string>> &
  Readonly<Record<Value, number>>;

/** Tells gauges of one process, under names with its prefix. What one told before, and tells no longer, is gone. */
export class GaugesOf {
  constructor(
    private readonly registry: Registry,
    private readonly prefix: string,
  ) {}

  /** A gauge of one value; undefined: it has none now. */
  one(name: string, help: string, read: () => number | undefined): void {
    this.add(name, help, [], (gauge) => {
      const value = read();
      if (value !== undefined) gauge.set(value);
    });
  }

  /** A gauge of several values, told apart by labels: fields of what is read. */
  each<Label extends string, Value extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    value: Value,
    read: () => Iterable<Reading<Label, Value>>,
  ): void {
    this.add(name, help, labels, (gauge) => {
      for (const reading of read())
        gauge.set(Object.fromEntries(labels.map((label) => [label, reading[label]])), reading[value]);
    });
  }

  private add(name: string, help: string, labels: readonly string[], tell: (gauge: Gauge<string>) => void): void {
    new Gauge<string>({
      name: `${this.prefix}_${name}`,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      collect() {
        this.reset();
        tell(this);
      },
    });
  }
}
