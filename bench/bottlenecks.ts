/**
 * Whether the bottleneck that is caused is the one that is named: `npm run bench:bottlenecks [-- --repeats 10]
 * [-- --only lock,api-cpu] [-- --seconds 5]`. Each cause is a system of its own that is started once and measured so often.
 */

import { parseArgs } from 'node:util';
import { limitSentence } from '../reports/documents/run-limits.ts';
import { type Cause, causes, startSystem } from '../test-support/bottleneck-causes.ts';
import { canThrottleDisk } from '../test-support/throttle-disk.ts';
import { commandLine, machineLine } from './machine-line.ts';

const { values: flags } = parseArgs({
  options: {
    repeats: { type: 'string', default: '10' },
    only: { type: 'string', default: Object.keys(causes).join(',') },
    seconds: { type: 'string', default: '5' },
  },
});
const repeats = Number(flags.repeats);
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort());
const { signal } = interruption;

const known: Readonly<Record<string, Cause>> = causes;
const rows: string[] = [];
for (const name of flags.only.split(',')) {
  const cause = known[name];
  if (cause === undefined) throw new Error(`there is no cause '${name}'; there are ${Object.keys(causes).join(', ')}`);
  const expected = cause.expected.join(' or ');
  if (name === 'slow-disk' && !canThrottleDisk()) {
    rows.push(`| ${name} | ${expected} | not run here |`);
    continue;
  }
  await using system = await startSystem(cause.system, signal);
  let right = 0;
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    const { named, bottleneck } = await system.measure(cause, Number(flags.seconds), signal);
    signal.throwIfAborted();
    const isRight = cause.expected.includes(named);
    if (isRight) right += 1;
    console.log(
      `${name} ${repeat}: ${isRight ? 'right' : `WRONG, expected ${expected}`}: ${named}: ${limitSentence(bottleneck)}`,
    );
  }
  rows.push(`| ${name} | ${expected} | ${right} of ${repeats} |`);
}
console.log(`\n${machineLine(commandLine('bench:bottlenecks'), [], 'Generator and services on all CPUs')}\n`);
console.log(['| cause | named first | right |', '| ----- | ----------- | ----- |', ...rows].join('\n'));
