/**
 * The capacity that follows from service demands against the one that is measured: the tier `pooled` with 1, 2 and 4 API
 * instances, the demands taken with 1. `npm run bench:expected [-- --instances 1,2,4] [-- --api-cpus 0.1]
 * [-- --repeats 3] [-- --seconds 6] [-- --warm-up 20]`. Small API instances and few writes, so that they are the limit on a small machine.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Tier } from '../harness/core/tier.ts';
import { readTier } from '../harness/files/tier-file.ts';
import { type DemandContext, type Demands, demandsOf, expectedRates } from '../harness/judging/demands.ts';
import { judgeTrial } from '../harness/judging/judge-trial.ts';
import type { JudgedTrial } from '../harness/judging/judged-trial.ts';
import { requestsIn } from '../harness/judging/trial-window.ts';
import { referenceApp } from '../harness/services/reference-app.ts';
import { serviceType } from '../harness/services/registry.ts';
import { limitSentence } from '../reports/documents/run-limits.ts';
import browse from '../scenarios/browse.ts';
import { type Cause, startSystem } from '../test-support/bottleneck-causes.ts';
import { commandLine, machineLine } from './machine-line.ts';

const { values: flags } = parseArgs({
  options: {
    instances: { type: 'string', default: '1,2,4' },
    'api-cpus': { type: 'string', default: '0.1' },
    repeats: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    'warm-up': { type: 'string', default: '20' },
  },
});
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort());
const { signal } = interruption;

const data = { userCount: 60, tasksPerUser: 40 };
const pooled = await readTier('pooled');
let demands: Demands | null = null;
const rows: string[] = [];
for (const instances of flags.instances.split(',').map(Number)) {
  const tier = withApi(instances);
  const trials = await measuredTrials(tier, instances);
  demands ??= demandsOf(trials, contextOf(tier));
  const [expected] = expectedRates(demands?.services ?? [], contextOf(tier));
  const rates = trials.map(({ record: { trial } }) => requestsIn(trial.steps) / trial.measuredS);
  const measuredPerS = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  if (expected === undefined) throw new Error('no service was seen at work');
  const error = (100 * (expected.atMostPerS - measuredPerS)) / measuredPerS;
  const range = `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`;
  rows.push(
    `| ${instances} | ${expected.atMostPerS.toFixed(0)} | ${expected.station} | ${measuredPerS.toFixed(0)} (${range}) | ${error >= 0 ? '+' : ''}${error.toFixed(0)} % |`,
  );
}
for (const { service, cpuS, backgroundCpus } of demands?.services ?? []) {
  console.log(`${service}: ${(cpuS * 1000).toFixed(2)} ms of CPU a request, ${backgroundCpus.toFixed(3)} CPUs without`);
}
console.log(`\n${machineLine(commandLine('bench:expected'), [], 'Generator and services on all CPUs')}\n`);
console.log('| API instances | expected, requests/s | by | measured, requests/s | error |');
console.log(`| ------------: | -------------------: | -- | -------------------: | ----: |\n${rows.join('\n')}`);

function withApi(instances: number): Tier {
  const services = pooled.services.map((service) =>
    service.kind === 'api'
      ? {
          ...service,
          instances,
          resources: { cpus: Number(flags['api-cpus']) },
          // Users log in during the warm-up: it must not last longer than that.
          settings: { ...service.settings, BCRYPT_COST: 4 },
        }
      : service,
  );
  return { ...pooled, services };
}

async function measuredTrials(tier: Tier, instances: number): Promise<readonly JudgedTrial[]> {
  await using system = await startSystem({ tier, ...data }, signal);
  const load: Cause['load'] = { model: 'closed', concurrency: 12 * instances };
  const cause: Cause = { system: { tier, ...data }, scenario: browse, load, expected: [] };
  // Each instance compiles its code with the little CPU that it has.
  await system.measure(cause, Number(flags['warm-up']), signal);
  const trials: JudgedTrial[] = [];
  for (let sequence = 1; sequence <= Number(flags.repeats); sequence += 1) {
    const { measurement, bottleneck } = await system.measure(cause, Number(flags.seconds), signal);
    signal.throwIfAborted();
    const judged = judgeTrial({ ...measurement, sequence, subject: tier.name, purpose: 'measure' });
    // Also where others use the machine: the error then tells.
    trials.push({ ...judged, validity: { kind: 'valid' } });
    console.log(`${instances} instances, ${sequence}: ${limitSentence(bottleneck)}`);
  }
  return trials;
}

/** The generator shares the CPUs of the machine, and has no limit of its own. */
function contextOf({ services }: Tier): DemandContext {
  const sizes = services.map(({ name, kind, instances, resources: { cpus } }) => {
    return { name, instances, cpus, resources: serviceType(kind, referenceApp).resources };
  });
  return {
    services: [...sizes, { name: 'generator', instances: 1, resources: [] }],
    systemCpus: availableParallelism(),
  };
}
