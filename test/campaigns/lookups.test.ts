/** A thousand services of three instances, their names asked for through a node's cache and of Consul itself. */
import assert from "node:assert/strict";
import { measure, type Answering, type Lookups } from "../bench/lookups/measure";

const MINUTE = 60_000;
/** Lookups in a second that a node's cache answers at least. */
const LEAST = 10_000;
/** Milliseconds that 99 of 100 take at most, and that one takes that the cache has to ask Consul for. */
const P99 = 10;
const MISS = 100;

describe("names of a thousand services, of three instances each", function () {
  this.timeout(10 * MINUTE);
  let found: Lookups | undefined;
  const lookups = (): Lookups => found ?? assert.fail("nothing was measured");

  before(async () => {
    found = await measure({ services: 1_000, instances: 3, seconds: 20 }, (line) => {
      console.log(`      ${line}`);
    });
  });

  const assertAnswered = ({ title, sent, lost, codes }: Answering): void => {
    // By UDP a burst may lose single questions, and no answer is another one.
    assert.ok(lost <= sent / 10_000, `${title}: ${String(lost)} of ${String(sent)} lost`);
    assert.match(codes, /^NOERROR \d+ \(100\.00%\)$/, title);
  };

  it("are answered ten thousand times a second by a node's cache, each in under ten milliseconds", () => {
    const { cache } = lookups();
    assertAnswered(cache);
    assert.ok(cache.rate >= LEAST, `${String(cache.rate)} a second`);
    assert.ok(cache.latency.p99 < P99, `p99 ${String(cache.latency.p99)} ms`);
  });

  it("are found in under a hundred milliseconds where the cache has to ask, also where nobody has the name", () => {
    const { misses, unknown, missedPercent } = lookups();
    assert.equal(misses.count, 1_000);
    assert.ok(misses.worst < MISS, `worst ${String(misses.worst)} ms`);
    assert.ok(unknown.p99 < MISS, `p99 ${String(unknown.p99)} ms`);
    assert.ok(missedPercent > 0 && missedPercent < 5, `${String(missedPercent)} %`);
  });

  it("cost Consul a fraction: the cache answers more than Consul's server and its agent on the node, asked directly", () => {
    const { cache, server, agent, changes } = lookups();
    [server, agent].forEach(assertAnswered);
    assert.ok(cache.rate > server.rate, `${String(cache.rate)} and ${String(server.rate)} a second`);
    assert.ok(cache.rate > agent.rate, `${String(cache.rate)} and ${String(agent.rate)} a second`);
    assert.ok(changes > 60, `${String(changes)} registrations changed`);
  });
});
