import { parseArgs } from 'node:util';
import { queueLikeTheory } from '../harness/contracts/engines/known-queue.ts';
import { type QueueSettings, startQueueServer } from '../harness/contracts/engines/queue-server.ts';
import oneRequest from '../harness/contracts/engines/scenarios/one-request.ts';
import { queues, stallQuantileS } from '../harness/contracts/engines/theory.ts';
import { startWitness } from '../harness/contracts/engines/witness.ts';
import type { OfferedLoad } from '../harness/core/load.ts';
import type { Trial } from '../harness/core/trial.ts';
import { openLoopEngine } from '../harness/engines/open-loop/open-loop.ts';
import { generatorProcesses } from '../harness/engines/shared/generator-processes.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';
import { commandLine, machineLine } from './machine-line.ts';

/**
 * What the open-loop engine reads of servers whose truth is known, beside theory and beside what the servers themselves
 * saw. All run at the same time: each leaves the machine idle for the most part.
 *
 *   npm run bench:truth -- --seconds 600
 */
const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, workers: { type: 'string', default: '1' } },
});
const durationS = Number(options.seconds);
// Each of the trials that run at the same time has processes of its own.
await using processes = generatorProcesses({ count: Number(options.workers) });
const engine = openLoopEngine({ processes });
/** Long beside what the machine itself takes to pass a request on and to wake a process up: about half a millisecond. */
const SERVICE_S = 0.02;

interface Truth {
  readonly trial: Trial;
  readonly read: LatencyHistogram;
  readonly served: LatencyHistogram;
  readonly slowestWitnessS: number;
}

async function measure(system: QueueSettings, load: OfferedLoad, seed: number, forS: number): Promise<Truth> {
  await using server = await startQueueServer(system);
  const witness = await startWitness(server.baseUrl);
  const plan = {
    scenario: oneRequest.name,
    baseUrl: server.baseUrl,
    load,
    warmUpS: 0,
    durationS: forS,
    seed,
    timeoutS: 30,
  };
  const users = Array.from({ length: 2000 }, (_, index) => ({ index, email: '', password: '' }));
  const scenarioFile = new URL('../harness/contracts/engines/scenarios/one-request.ts', import.meta.url).pathname;
  const trial = await engine.run({ plan, scenario: oneRequest, scenarioFile, users }, new AbortController().signal);
  const waits = await witness.stop();
  const { served } = await server.tell();
  const read = LatencyHistogram.decode(trial.steps[0]?.latency ?? '');
  return { trial, read, served, slowestWitnessS: waits.maxS };
}

const ms = (valueS: number): string => (valueS * 1000).toFixed(2);
const off = (value: number, truth: number): string =>
  `${value >= truth ? '+' : ''}${((value / truth - 1) * 100).toFixed(1)} %`;

const cases = queues.flatMap((queue) => [0.5, 0.8].map((utilization) => ({ queue, utilization })));
const stalls = [
  { queue: 'unlimited', utilization: 0 },
  { queue: 'fifo', utilization: 0.5 },
] as const;

const [queued, stalled] = await Promise.all([
  Promise.all(
    cases.map(async ({ queue, utilization }) => {
      const known = queueLikeTheory(queue, utilization, SERVICE_S, durationS);
      const { load, seed, serviceTimesS } = known;
      return { known, ...(await measure({ queue: 'fifo', serviceTimesS }, load, seed, durationS)) };
    }),
  ),
  Promise.all(
    stalls.map(({ queue }) =>
      measure(
        { queue, serviceTimesS: [0.0025], stall: { fromS: 20, toS: 22 } },
        { model: 'open', arrivalRatePerS: 200, arrivals: 'constant' },
        1,
        60,
      ),
    ),
  ),
]);

console.log(`${machineLine(commandLine('bench:truth'), [], 'Generator and servers on all CPUs')}\n`);
console.log(`Queues of ${durationS} s with a service time of ${ms(SERVICE_S)} ms, in ms:\n`);
console.log(
  '| server    | requests | mean: theory | served | read  | off     | p95: theory | served | read  | off     |',
);
console.log(
  '| --------- | -------- | ------------ | ------ | ----- | ------- | ----------- | ------ | ----- | ------- |',
);
for (const [index, { known, read, served }] of queued.entries()) {
  const { queue = '', utilization = 0 } = cases[index] ?? {};
  const p95S = read.quantileS(0.95);
  const cells = [
    `${queue} ${utilization}`,
    read.count,
    ms(known.meanS),
    ms(served.meanS),
    ms(read.meanS),
    off(read.meanS, known.meanS),
    ms(known.p95S),
    ms(served.quantileS(0.95)),
    ms(p95S),
    off(p95S, known.p95S),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
console.log(
  '\n| stall of 2 s in 60 s at 200/s | p95: theory | read | p99: theory | read | p99 of ten closed-loop users |',
);
console.log('| ----------------------------- | ----------- | ---- | ----------- | ---- | ------------------------ |');
for (const [index, { trial, read }] of stalled.entries()) {
  const { queue = '', utilization = 0 } = stalls[index] ?? {};
  const system = { durationS: 60, stallS: 2, serviceTimeS: 0.0025, utilization };
  const closedLoop = LatencyHistogram.decode(trial.steps[0]?.closedLoop ?? '');
  const cells = [0.95, 0.99].flatMap((ratio) => [ms(stallQuantileS(system, ratio)), ms(read.quantileS(ratio))]);
  console.log(`| ${[queue, ...cells, ms(closedLoop.quantileS(0.99))].join(' | ')} |`);
}
const all = [...queued, ...stalled];
const lags = all.map(({ trial: { generator } }) => generator.sendLagP99S ?? 0);
console.log(
  `\nsend lag p99 at most ${ms(Math.max(...lags))} ms; slowest witness ${ms(Math.max(...all.map(({ slowestWitnessS }) => slowestWitnessS)))} ms`,
);
