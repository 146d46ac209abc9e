import { autocannonEngine } from '../harness/engines/autocannon.ts';
import { openLoopEngine } from '../harness/engines/open-loop/open-loop.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';
import { defineScenario, send, valueAt } from '../scenarios/kit.ts';

/** One load by one of our engines, for `bench/engines.ts`: ENGINE get|flow URL SECONDS [ARRIVALS PER SECOND]. */
const [engineName, what, baseUrl = '', seconds, rate] = process.argv.slice(2);
const CONNECTIONS = 50;

const get = defineScenario({
  name: 'get',
  description: '',
  *iteration() {
    yield* send({ name: 'get', method: 'GET', path: '/' });
  },
});

const flow = defineScenario({
  name: 'flow',
  description: '',
  *iteration() {
    const body = { email: 'a@example.org', password: 'secret' };
    const login = yield* send({ name: 'log in', method: 'POST', path: '/login', body });
    yield* send({
      name: 'list',
      method: 'GET',
      path: '/tasks?page=1',
      headers: { authorization: `Bearer ${String(valueAt(login.json(), 'token'))}` },
      check: (response) => (valueAt(response.json(), 'tasks') as readonly unknown[]).length === 2,
    });
  },
});

const isOpen = rate !== undefined;
const durationS = Number(seconds);
const scenario = what === 'flow' ? flow : get;
const engine = engineName === 'open-loop' ? openLoopEngine() : autocannonEngine;
const rssAtMinutes: number[] = [];
/** Of whole seconds of the window, so that neither start nor warming up is in it. */
let requests = 0;
let cpuAtFirst: NodeJS.CpuUsage | undefined;
let cpu: NodeJS.CpuUsage | undefined;
const trial = await engine.run(
  {
    scenario,
    users: Array.from({ length: isOpen ? 2000 : CONNECTIONS }, (_, index) => ({ index, email: '', password: '' })),
    plan: {
      scenario: scenario.name,
      baseUrl,
      load: isOpen
        ? { model: 'open', arrivalRatePerS: Number(rate), arrivals: 'poisson' }
        : { model: 'closed', concurrency: CONNECTIONS },
      warmUpS: 2,
      durationS,
      seed: 1,
      timeoutS: 10,
    },
  },
  new AbortController().signal,
  (interval) => {
    if (interval.startS < 0) return;
    if (cpuAtFirst === undefined) cpuAtFirst = process.cpuUsage();
    else {
      cpu = process.cpuUsage(cpuAtFirst);
      for (const step of interval.steps) requests += step.outcomes.ok;
    }
    if (interval.startS % 60 === 0) rssAtMinutes.push(process.memoryUsage.rss());
  },
);
const ok = trial.steps.reduce((sum, step) => sum + step.outcomes.ok, 0);
const failed = trial.iterations.failed;
if (!isOpen) {
  if (failed > 0) throw new Error(`${failed} iterations failed: ${JSON.stringify(trial.failureExamples)}`);
  const cpuS = ((cpu?.user ?? 0) + (cpu?.system ?? 0)) / 1e6;
  console.log(JSON.stringify({ rate: ok / trial.measuredS, count: requests, cpuS }));
} else {
  const [step] = trial.steps;
  const ms = (latencyS: number): string => `${(latencyS * 1000).toFixed(2)} ms`;
  const p99 = (encoded: string | undefined): string => ms(LatencyHistogram.decode(encoded ?? '').quantileS(0.99));
  const { intended, dropped } = trial.iterations;
  const { sendLagP99S, utilizationRatio } = trial.generator;
  console.log(
    `${rate}/s: intended ${intended}, dropped ${dropped}, failed ${failed}, send lag p99 ${ms(sendLagP99S ?? 0)}, latency p99 ${p99(step?.latency)}, service time p99 ${p99(step?.serviceTime)}, generator busy ${(utilizationRatio * 100).toFixed(0)} %, memory ${rssAtMinutes.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')} MiB`,
  );
}
