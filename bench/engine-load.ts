import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Trial } from '../harness/core/trial.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';
import { referenceApp } from '../harness/services/reference-app.ts';
import type { Scenario } from '../scenarios/kit.ts';
import { ourEngines } from './our-engines.ts';

/**
 * One load by one of our engines, for `bench/engines.ts`: ENGINE SCENARIO URL SECONDS [ARRIVALS PER SECOND]. SCENARIO is
 * a file of `bench/scenarios/`; the password of its users comes in BENCH_PASSWORD.
 */
const [engineName = '', scenarioName = '', baseUrl = '', seconds, rate] = process.argv.slice(2);
const CONNECTIONS = 50;
/** Enough for any arrival to find one free. */
const USERS_OF_ARRIVALS = 2000;

const isOpen = rate !== undefined;
const scenarioFile = join(import.meta.dirname, 'scenarios', `${scenarioName}.ts`);
const { default: scenario } = (await import(scenarioFile)) as { default: Scenario };
/** Made by the engine that needs it. */
const folder = join(tmpdir(), `tierbench-bench-engine-${process.pid}`);
const password = process.env.BENCH_PASSWORD ?? '';
const rssAtMinutes: number[] = [];
/** Of whole seconds of the window, so that neither start nor warming up is in it. */
let requests = 0;
let cpuAtFirst: NodeJS.CpuUsage | undefined;
let cpu: NodeJS.CpuUsage | undefined;

async function measure(): Promise<Trial> {
  const engine = await ourEngines[engineName]?.(folder);
  if (engine === undefined) throw new Error(`there is no engine '${engineName}'`);
  return await engine.run(
    {
      scenario,
      scenarioFile,
      users: referenceApp.users({ userCount: isOpen ? USERS_OF_ARRIVALS : CONNECTIONS }, password),
      plan: {
        scenario: scenario.name,
        baseUrl,
        load: isOpen
          ? { model: 'open', arrivalRatePerS: Number(rate), arrivals: 'poisson' }
          : { model: 'closed', concurrency: CONNECTIONS },
        warmUpS: 2,
        durationS: Number(seconds),
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
}

/** An engine that runs a program cannot tell its CPU by second: then the whole command counts, as with other programs. */
function closedFigures(trial: Trial): object {
  const ok = trial.steps.reduce((sum, step) => sum + step.outcomes.ok, 0);
  const ratePerS = ok / trial.measuredS;
  if (engineName === 'k6') {
    const steps = trial.intervals.flatMap((interval) => interval.steps);
    return { ratePerS, requests: steps.reduce((sum, step) => sum + step.outcomes.ok, 0) };
  }
  return { ratePerS, requests, cpuS: ((cpu?.user ?? 0) + (cpu?.system ?? 0)) / 1e6 };
}

function openFigures({ steps: [step], iterations, generator }: Trial): string {
  const ms = (latencyS: number): string => `${(latencyS * 1000).toFixed(2)} ms`;
  const p99 = (encoded: string | undefined): string => ms(LatencyHistogram.decode(encoded ?? '').quantileS(0.99));
  const { intended, dropped, failed } = iterations;
  const memory = `${rssAtMinutes.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')} MiB`;
  return [
    `${rate}/s: intended ${intended}, dropped ${dropped}, failed ${failed}, send lag p99 ${ms(generator.sendLagP99S ?? 0)}`,
    `latency p99 ${p99(step?.latency)}, service time p99 ${p99(step?.serviceTime)}`,
    `generator busy ${(generator.utilizationRatio * 100).toFixed(0)} %, memory ${memory}`,
  ].join(', ');
}

try {
  const trial = await measure();
  if (isOpen) console.log(openFigures(trial));
  else if (trial.iterations.failed === 0) console.log(JSON.stringify(closedFigures(trial)));
  else throw new Error(`${trial.iterations.failed} iterations failed: ${JSON.stringify(trial.failureExamples)}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
