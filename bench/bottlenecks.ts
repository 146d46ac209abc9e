/**
 * Whether the bottleneck that is caused is the one that is named: `npm run bench:bottlenecks [-- --repeats 10]
 * [-- --only lock,api-cpu] [-- --seconds 4]`. Each system is started once; the causes it can have are measured so often.
 */

import { parseArgs } from 'node:util';
import { limitSentence } from '../reports/documents/run-limits.ts';
import { type Cause, causes, type StartedSystem, startSystem } from '../test-support/bottleneck-causes.ts';
import { canThrottleDisk } from '../test-support/throttle-disk.ts';
import { commandLine, machineLine } from './machine-line.ts';

const { values: flags } = parseArgs({
  options: {
    repeats: { type: 'string', default: '10' },
    only: { type: 'string', default: Object.keys(causes).join(',') },
    seconds: { type: 'string', default: '4' },
  },
});
const repeats = Number(flags.repeats);
const startedMs = performance.now();
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort());
const { signal } = interruption;

const known: Readonly<Record<string, Cause>> = causes;
const chosen = flags.only.split(',').map((name) => {
  const cause = known[name];
  if (cause === undefined) throw new Error(`there is no cause '${name}'; there are ${Object.keys(causes).join(', ')}`);
  return { name, cause };
});
const rows = new Map(
  chosen.map(({ name, cause }) => [name, `| ${name} | ${cause.expected.join(' or ')} | not run here |`]),
);
for (const [tested, own] of Map.groupBy(chosen, ({ cause }) => cause.system)) {
  const possible = own.filter(({ name }) => name !== 'slow-disk' || canThrottleDisk());
  if (possible.length === 0) continue;
  await using system = await startSystem(tested, signal);
  for (const { name, cause } of possible) rows.set(name, await rowOf(system, name, cause));
}
const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
console.log(
  `\n${machineLine(commandLine('bench:bottlenecks'), [], 'Generator and services on all CPUs')} ${minutes} min.\n`,
);
console.log(
  '| cause | named first | right | nothing named | wrong |\n| ----- | ----------- | ----- | ------------- | ----- |',
);
console.log([...rows.values()].join('\n'));

async function rowOf(system: StartedSystem, name: string, cause: Cause): Promise<string> {
  const expected = cause.expected.join(' or ');
  const counts = { right: 0, none: 0, wrong: 0 };
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    const { named, bottleneck } = await system.measure(cause, Number(flags.seconds), signal);
    signal.throwIfAborted();
    const result = cause.expected.includes(named) ? 'right' : named === 'none' ? 'none' : 'wrong';
    counts[result] += 1;
    console.log(
      `${name} ${repeat}: ${result === 'right' ? result : `${result}, expected ${expected}`}: ${named}: ${limitSentence(bottleneck)}`,
    );
  }
  return `| ${name} | ${expected} | ${counts.right} of ${repeats} | ${counts.none} | ${counts.wrong} |`;
}
