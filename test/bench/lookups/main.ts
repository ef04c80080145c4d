/** Measures lookups, and prints what it finds: `npx tsx test/bench/lookups/main.ts [services] [instances] [seconds]`. */
import { measure } from "./measure";

const [services = 1000, instances = 3, seconds = 20] = process.argv.slice(2).map(Number);

void measure({ services, instances, seconds }, (line) => {
  console.log(line);
});
