/**
 * Whether the engines agree: the same scenarios and loads by each of them in turns, on the reference app and on a server
 * that takes 20 ms, each trial held to the calibration and the checks of a run: `npm run bench:agreement [-- --quick]`, about 10 minutes, or
 * 90 s. The generator has a CPU to itself, as in a run. The exit code is 0 whatever the table says.
 */
import { parseArgs } from 'node:util';
import type { RunningService } from '../harness/core/deployment.ts';
import { TierbenchError } from '../harness/core/errors.ts';
import { describeLoad, type OfferedLoad } from '../harness/core/load.ts';
import type { Calibration } from '../harness/core/study-record.ts';
import type { LoadEngine } from '../harness/engines/engine.ts';
import { judgeTrial } from '../harness/judging/judge-trial.ts';
import { choosePlacement } from '../harness/machine/placement.ts';
import { thisSystem } from '../harness/operating-system/this-system.ts';
import { machineCpuProbe } from '../harness/probes/machine-cpu.ts';
import { processCpuProbe } from '../harness/probes/process-cpu.ts';
import { calibrate } from '../harness/studies/calibrate.ts';
import { measure } from '../harness/studies/measure.ts';
import { describeNote } from '../reports/describe/notes.ts';
import { describeCaveat, describeReason } from '../reports/describe/reasons.ts';
import crud from '../scenarios/crud.ts';
import type { Scenario, User } from '../scenarios/kit.ts';
import login from '../scenarios/login.ts';
import { type AgreementTrial, describeAgreements } from './agreement-table.ts';
import { commandLine, machineLine } from './machine-line.ts';
import { enginesHere } from './our-engines.ts';
import { startNodeServer } from './plain-servers.ts';
import { type ReferenceApp, startReferenceApp } from './reference-app.ts';
import get from './scenarios/get.ts';
import tasks from './scenarios/tasks.ts';

const REFERENCE = 'open-loop';
const CONSTANT_MS = 20;
const USERS = 100;
const WARM_UP_S = 0.5;
/** The shortest trial that can be valid. */
const MEASURED_S = 5;
const FIRST_S = 2;
const TIMEOUT_S = 10;

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
});
const rounds = Number(flags.rounds ?? (flags.quick ? 1 : 3));
const closed = (concurrency: number): OfferedLoad => ({ model: 'closed', concurrency });
const constant = (arrivalRatePerS: number): OfferedLoad => ({ model: 'open', arrivalRatePerS, arrivals: 'constant' });
const closedLoads = (flags.quick ? [10] : [1, 10, 50]).map(closed);
/** Of crud by one user each engine reads its own part for the most part. */
const busyLoads = (flags.quick ? [10] : [10, 50]).map(closed);
/** The reference app sustains about 200 iterations of crud a second on a CPU, and ten times as many lists of tasks. */
const crudLoads = [...busyLoads, constant(100)];
const taskLoads = flags.quick ? [] : [constant(300)];
const constantLoads = [...closedLoads, ...(flags.quick ? [100] : [100, 300]).map(constant)];

interface System {
  readonly name: string;
  readonly baseUrl: string;
  readonly scenario: Scenario;
  readonly scenarioFile: string;
  readonly users: readonly User[];
  readonly services: readonly RunningService[];
  readonly loads: readonly OfferedLoad[];
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort());
const { signal } = interruption;
const say = (what: string): void => void process.stderr.write(`${what}\n`);

async function measureOnce(
  engine: LoadEngine,
  system: System,
  load: OfferedLoad,
  round: number,
  calibration: Calibration | null,
  durationS = MEASURED_S,
) {
  const { name, baseUrl, scenario, scenarioFile, users, services } = system;
  const plan = {
    scenario: scenario.name,
    baseUrl,
    load,
    warmUpS: WARM_UP_S,
    durationS,
    seed: round,
    timeoutS: TIMEOUT_S,
  };
  const of = { round, system: name, load: describeLoad(load), engine: engine.name };
  const probes = [machineCpuProbe(), processCpuProbe(services)];
  try {
    const measurement = await measure(engine, { plan, scenario, scenarioFile, users }, probes, signal);
    const measured = { ...measurement, sequence: 1, subject: name, purpose: 'measure' } as const;
    const { summary, validity, caveats } = judgeTrial(measured, calibration);
    const { throughputPerS, latency, errorRatio } = summary;
    const failed = errorRatio > 0 ? [`${(errorRatio * 100).toFixed(2)} % failed or were dropped`] : [];
    return {
      ...of,
      throughputPerS: throughputPerS?.value ?? 0,
      p95S: latency.p95S?.value ?? null,
      // A caveat says that much of the figures may be the engine's own: nothing to compare another engine's with.
      notValid: [
        ...failed,
        ...(validity.kind === 'valid' ? [] : validity.reasons.map(describeReason)),
        ...caveats.map(describeCaveat),
      ],
    };
  } catch (error) {
    if (!(error instanceof TierbenchError)) throw error;
    return { ...of, throughputPerS: 0, p95S: null, notValid: [`it did not run: ${error.message}`] };
  }
}

function systemsOf(
  app: ReferenceApp,
  constantServer: { readonly baseUrl: string; readonly processId: number },
): System[] {
  const appSystem = (scenario: Scenario, file: string, loads: readonly OfferedLoad[]): System => ({
    ...app,
    name: `reference app, ${scenario.name}`,
    scenario,
    scenarioFile: new URL(file, import.meta.url).pathname,
    loads,
  });
  const instance = { name: 'server/1', host: '127.0.0.1', port: 0, processIds: [constantServer.processId] };
  return [
    appSystem(crud, '../scenarios/crud.ts', crudLoads),
    appSystem(login, '../scenarios/login.ts', busyLoads),
    appSystem(tasks, './scenarios/tasks.ts', taskLoads),
    {
      name: `server of ${CONSTANT_MS} ms`,
      baseUrl: constantServer.baseUrl,
      scenario: get,
      scenarioFile: new URL('./scenarios/get.ts', import.meta.url).pathname,
      users: app.users,
      services: [{ name: 'server', kind: 'external', instances: [instance] }],
      loads: constantLoads,
    },
  ];
}

async function measureAll(): Promise<void> {
  const { placement, why } = choosePlacement();
  const isPlaced = placement !== null && thisSystem.pinThisProcess(placement.generatorCpus);
  const systemCpus = isPlaced ? placement.systemCpus : undefined;
  say('starting the reference app and the server');
  await using app = await startReferenceApp({ userCount: USERS, systemCpus, signal });
  await using server = await startNodeServer(CONSTANT_MS, systemCpus);
  const systems = systemsOf(app, server).filter(({ loads }) => loads.length > 0);
  const engines = await enginesHere(app.folder, say);
  const trials: AgreementTrial[] = [];
  const [reference] = engines;
  const setApart = (threadId: number): boolean =>
    systemCpus !== undefined && thisSystem.pinThread(threadId, systemCpus);
  const calibrations = new Map<string, Calibration | null>();
  for (const engine of engines) {
    calibrations.set(
      engine.name,
      await calibrate({ engine, signal, setApart, note: (note) => say(describeNote(note)) }),
    );
  }
  // A new process is slower at first: whoever came first would look bad.
  for (const system of systems)
    if (reference !== undefined) await measureOnce(reference, system, closed(10), 0, null, FIRST_S);
  for (let round = 1; round <= rounds; round += 1) {
    for (const system of systems) {
      for (const load of system.loads) {
        const able = engines.filter((engine) => engine.supports.has(load.model));
        for (const engine of round % 2 === 1 ? able : able.toReversed()) {
          if (signal.aborted) break;
          say(`round ${round} of ${rounds}: ${system.name}, ${describeLoad(load)}, ${engine.name}`);
          trials.push(await measureOnce(engine, system, load, round, calibrations.get(engine.name) ?? null));
        }
      }
    }
  }
  const versions = app.services.flatMap(({ version }) => version ?? []);
  const where = isPlaced
    ? `Generator on CPU ${placement.generatorCpus}, servers on CPU ${placement.systemCpus}`
    : `Generator and servers share all CPUs: ${why ?? 'taskset could not move the generator'}`;
  console.log(`${machineLine(commandLine('bench:agreement'), versions, where)}\n`);
  console.log(describeAgreements(trials, REFERENCE));
}

try {
  await measureAll();
} catch (error) {
  if (!signal.aborted) throw error;
}
if (signal.aborted) process.exitCode = 130;
