import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { type Scenario, think } from '../../scenarios/kit.ts';
import { lacks } from '../../test-support/requirements.ts';
import { startQueueServer } from '../contracts/engines/queue-server.ts';
import oneRequest from '../contracts/engines/scenarios/one-request.ts';
import { startConstantDelayServer, startTestServer } from '../contracts/engines/server.ts';
import { openRequestFor, requestFor } from '../contracts/engines/trial-contract.ts';
import type { RunningService } from '../core/deployment.ts';
import type { Reason } from '../core/findings.ts';
import type { Calibration } from '../core/study-record.ts';
import type { TrialRecord } from '../core/trial.ts';
import { autocannonEngine } from '../engines/autocannon/autocannon.ts';
import type { LoadEngine, TrialRequest } from '../engines/engine.ts';
import { openLoopEngine } from '../engines/open-loop/open-loop.ts';
import { controlGroupName } from '../orphans/control-groups.ts';
import { newRunId } from '../orphans/run-record.ts';
import { machineCpuProbe } from '../probes/machine-cpu.ts';
import type { Probe } from '../probes/probe.ts';
import { processCpuProbe } from '../probes/process-cpu.ts';
import { makeInstanceGroup } from '../providers/local/control-groups.ts';
import { calibrate } from '../studies/calibrate.ts';
import { measure } from '../studies/measure.ts';
import { judgeTrial } from './judge-trial.ts';

/** Every check of a trial, and every disturbance, is caused here by what it is there for, on real engines and servers. */

const openLoop = openLoopEngine();
/** The fewest whole seconds a trial may have. */
const durationS = 5.2;

async function recordOf(
  engine: LoadEngine,
  request: TrialRequest,
  probes: readonly Probe[] = [],
): Promise<TrialRecord> {
  const measurement = await measure(engine, request, probes, new AbortController().signal);
  return { ...measurement, sequence: 1, subject: 'none', purpose: 'measure' };
}

function reasonsFor(record: TrialRecord, calibration: Calibration | null = null): readonly Reason[] {
  const { validity } = judgeTrial(record, calibration);
  return validity.kind === 'valid' ? [] : validity.reasons;
}

/** The mean latency of the second half over that of the first, where that is why the trial is invalid. */
function driftOf(record: TrialRecord): number | undefined {
  const drift = reasonsFor(record).find((reason) => reason.code === 'latency-drift');
  return drift && drift.secondHalfMeanS / drift.firstHalfMeanS;
}

/** Keeps the thread from everything else. */
function burn(durationMs: number): void {
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs) {
    // Busy.
  }
}

/** Answers after `fromMs` at first, after `toMs` from `overS` seconds after the first request on, evenly between. */
async function startWarmingServer(settings: { fromMs: number; toMs: number; overS: number }) {
  const program = `
    const { createServer } = require('node:http');
    const { parentPort, workerData: { fromMs, toMs, overS } } = require('node:worker_threads');
    let firstMs;
    const server = createServer((_request, response) => {
      firstMs ??= performance.now();
      const progress = Math.min(1, (performance.now() - firstMs) / 1000 / overS);
      setTimeout(() => response.end('{}'), fromMs + (toMs - fromMs) * progress);
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  `;
  const worker = new Worker(program, { eval: true, workerData: settings });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

describe('the generator', () => {
  test.each([openLoop, autocannonEngine()])('is busy: $name with a scenario that takes its CPU', async (engine) => {
    await using server = await startConstantDelayServer(1);
    const costly: Scenario = {
      name: 'costly',
      description: '',
      *iteration() {
        const check = () => {
          burn(5);
          return true;
        };
        yield { kind: 'send', request: { name: 'request', method: 'GET', path: '/', check } };
      },
    };
    const measured = await recordOf(engine, requestFor(costly, server.baseUrl, 10, { durationS }));
    expect(reasonsFor(measured)).toContainEqual(expect.objectContaining({ code: 'generator-busy' }));
  });

  test('reads and sends late: other work on its thread', async () => {
    await using server = await startConstantDelayServer(1);
    const disturbance = setInterval(() => burn(60), 200);
    const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 200 }, { durationS });
    const measured = await recordOf(openLoop, request).finally(() => clearInterval(disturbance));
    expect(judgeTrial(measured).disturbance.lag.parts).toEqual({
      sendLagS: expect.closeTo(0.06, 1),
      readLagS: expect.closeTo(0.06, 1),
      throttledS: 0,
    });
    expect(judgeTrial(measured).caveats).toContainEqual(expect.objectContaining({ code: 'instrument-lag' }));
  });

  test('is near its own limit, as it was found against an echo', async () => {
    // A slow generator: each of its users pauses for 0.25 s, more or less, after each request.
    const slow: LoadEngine = {
      ...openLoop,
      run: ({ scenario, ...request }, ...others) =>
        openLoop.run({ ...request, scenario: withPauses(scenario) }, ...others),
    };
    const { signal } = new AbortController();
    const calibration = await calibrate({ engine: slow, signal, setApart: () => true, note: () => {} });
    await using server = await startConstantDelayServer(1);
    const load = { arrivalRatePerS: Math.round(0.95 * (calibration?.ceilingPerS ?? 0)) };
    const measured = await recordOf(slow, openRequestFor(oneRequest, server.baseUrl, load, { warmUpS: 1, durationS }));
    expect(reasonsFor(measured, calibration)).toContainEqual(expect.objectContaining({ code: 'near-generator-limit' }));
  });

  test.skipIf(lacks('control groups'))('is stopped by a CPU limit (needs control groups)', async () => {
    await using server = await startConstantDelayServer(1);
    const imported = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const program = `
      import { once } from 'node:events';
      import { openLoopEngine } from ${imported('../engines/open-loop/open-loop.ts')};
      import scenario from ${imported('../contracts/engines/scenarios/one-request.ts')};
      import { generatorThrottlingProbe } from ${imported('../probes/control-group.ts')};
      import { sampleEachSecond } from ${imported('../probes/sampler.ts')};
      const { plan, users } = JSON.parse(process.argv[1]);
      console.log('ready');
      await once(process.stdin, 'data');
      const sampling = sampleEachSecond([generatorThrottlingProbe()]);
      const trial = await openLoopEngine().run({ plan, users, scenario }, new AbortController().signal);
      await sampling.stop();
      console.log(JSON.stringify({ trial, ...sampling.since(trial.startedAtMonotonicS) }));
      process.exit();
    `;
    const { plan, users } = requestFor(oneRequest, server.baseUrl, 20, { durationS });
    await using group = makeInstanceGroup(controlGroupName(newRunId(new Date()), 'test'), { cpus: 0.1 });
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, JSON.stringify({ plan, users })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe('ready');
      group.join(child.pid ?? 0);
      child.stdin.write('go\n');
      const record = JSON.parse((await lines.next()).value ?? '') as Pick<TrialRecord, 'trial' | 'samples' | 'notes'>;
      const { lag } = judgeTrial({ sequence: 1, subject: 'none', purpose: 'measure', ...record }).disturbance;
      expect(lag.parts.throttledS).toBeGreaterThan(0.05);
      expect(lag.lagS).toBeGreaterThanOrEqual(lag.parts.throttledS);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });
});

// At the same time: each leaves the machine idle for the most part.
describe.concurrent('the system', () => {
  test('warms up for 10 s: the throughput of users, and the latency of arrivals, are not steady', async () => {
    const warming = { fromMs: 200, toMs: 30, overS: 10 };
    await using forUsers = await startWarmingServer(warming);
    await using forArrivals = await startWarmingServer(warming);
    const settings = { durationS: 15 };
    const [users, arrivals] = await Promise.all([
      recordOf(openLoop, requestFor(oneRequest, forUsers.baseUrl, 4, settings)),
      recordOf(openLoop, openRequestFor(oneRequest, forArrivals.baseUrl, { arrivalRatePerS: 40 }, settings)),
    ]);
    expect(reasonsFor(users).map(({ code }) => code)).toContainEqual(
      expect.stringMatching(/^throughput-(drift|settled-late)$/),
    );
    expect(driftOf(arrivals)).toBeLessThan(1);
  });

  test('gets twice what it serves: its latency grows for as long as one looks', async () => {
    await using server = await startQueueServer({ queue: 'fifo', serviceTimesS: [0.02] });
    const load = { arrivalRatePerS: 100, users: 2000 };
    const settings = { durationS: 10, timeoutS: 30 };
    const measured = await recordOf(openLoop, openRequestFor(oneRequest, server.baseUrl, load, settings));
    expect(driftOf(measured)).toBeGreaterThan(1);
  });

  test('has more requests in flight at once than there are users: not all that is scheduled is offered', async () => {
    await using server = await startConstantDelayServer(200);
    const load = { arrivalRatePerS: 100, users: 2 };
    const measured = await recordOf(openLoop, openRequestFor(oneRequest, server.baseUrl, load, { durationS }));
    expect(reasonsFor(measured)).toContainEqual(expect.objectContaining({ code: 'not-offered' }));
  });

  test('answers too few for a p95', async () => {
    await using server = await startConstantDelayServer(100);
    const measured = await recordOf(openLoop, requestFor(oneRequest, server.baseUrl, 1, { durationS }));
    expect(reasonsFor(measured)).toContainEqual(expect.objectContaining({ code: 'too-few-requests' }));
  });

  test('never answers some, and the window is shorter than the timeout', async () => {
    await using server = await startTestServer(({ headers }, _request, response) => {
      if (headers['x-user'] !== '3') response.end('{}');
    });
    const measured = await recordOf(openLoop, requestFor(oneRequest, server.baseUrl, 5, { durationS, timeoutS: 60 }));
    expect(reasonsFor(measured)).toContainEqual(expect.objectContaining({ code: 'never-answered' }));
  });
});

test('the machine is used by others', async () => {
  await using server = await startSystemProcess();
  // Processes of nobody: what the generator starts would count as its own.
  const spinning = `for i in $(seq ${Math.ceil(availableParallelism() / 2)}); do timeout 20 sh -c 'while :; do :; done' >/dev/null & echo $!; done`;
  const starter = spawn('sh', ['-c', spinning], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [started] = await Promise.all([starter.stdout.setEncoding('utf8').toArray(), once(starter, 'exit')]);
  try {
    const request = requestFor(oneRequest, server.baseUrl, 2, { durationS });
    const measured = await recordOf(openLoop, request, [machineCpuProbe(), processCpuProbe(server.services)]);
    expect(judgeTrial(measured).caveats).toContainEqual(expect.objectContaining({ code: 'machine-shared' }));
  } finally {
    for (const processId of started.join('').trim().split('\n')) process.kill(Number(processId), 'SIGTERM');
  }
});

function withPauses(scenario: Scenario): Scenario {
  return {
    ...scenario,
    *iteration(virtualUser) {
      yield* scenario.iteration(virtualUser);
      yield* think(0.5 * virtualUser.random());
    },
  };
}

/** A server in a process of its own, as a provider would tell of it. */
async function startSystemProcess() {
  const program = `
    const server = require('node:http').createServer((_request, response) => setTimeout(() => response.end('{}'), 20));
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(String(line));
  const instance = { name: 'api/1', host: '127.0.0.1', port, processIds: [child.pid ?? 0] };
  const services: readonly RunningService[] = [{ name: 'api', kind: 'api', instances: [instance] }];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    services,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
