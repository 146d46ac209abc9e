import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { TierbenchError } from '../../core/errors.ts';
import { describeLoad, type OfferedLoad } from '../../core/load.ts';
import type { Trial, TrialPlan } from '../../core/trial.ts';
import { monotonicS } from '../../machine/clock.ts';
import { makeFolder } from '../../machine/file-system.ts';
import type { LoadEngine, TrialRequest } from '../engine.ts';
import { createAccounting } from '../shared/accounting.ts';
import { checkBaseUrls, checkLoad } from '../shared/check-request.ts';
import { longestSetupS } from '../shared/session-setup.ts';
import { followK6 } from './follow-k6.ts';
import { k6Load } from './k6-load.ts';
import type { K6Program } from './k6-program.ts';
import { k6Script } from './k6-script.ts';

export interface K6EngineOptions {
  readonly program: K6Program;
  /** Where the script of each trial is kept, for a person to read and repeat. It is made when it is needed. */
  readonly folder: string;
  /** Where the users of a trial are kept while it runs, passwords and all. Default: the system's. */
  readonly temporaryFolder?: string;
  /** Open load: iterations in flight at once, each by a virtual user of its own, of which each takes memory. */
  readonly mostVirtualUsers?: number;
  /** How long k6 may take to end when its load is over, or when it is asked to; then it is killed. Default 10. */
  readonly longestEndS?: number;
}

const MOST_VIRTUAL_USERS = 10_000;
const LONGEST_END_S = 10;
const AUTHORITIES = 'authorities.pem';

/**
 * k6: one `k6 run` for each trial, in which the same scenarios run by the same runner as on the other engines.
 * Latency runs from when a request was scheduled, which follows from the schedule of k6's executor.
 *
 * Open load: which user takes which arrival is k6's choice; each user sends the same requests in the same order whatever
 * it chooses. An arrival that finds none free is dropped.
 */
export function k6Engine({
  program,
  folder,
  temporaryFolder = tmpdir(),
  mostVirtualUsers = MOST_VIRTUAL_USERS,
  longestEndS = LONGEST_END_S,
}: K6EngineOptions): LoadEngine {
  let trials = 0;
  return {
    name: 'k6',
    supports: new Set(['open', 'closed']),
    arrivals: new Set(['constant']),
    async run(request, signal, onInterval = () => {}) {
      const { baseUrl, baseUrls } = addressesOf(request.plan);
      const scenarioFile = checkRequest(request);
      const { plan, scenario, users, skipThinkTimes = false } = request;
      if (signal.aborted) return notStarted(request);
      const virtualUsers =
        plan.load.model === 'closed' ? plan.load.concurrency : Math.min(users.length, mostVirtualUsers);
      const load = k6Load(plan, virtualUsers);
      const begins = scenario.begin !== undefined;
      const { executor, executorS } = load;
      const settings = {
        scenarioFile,
        plan,
        baseUrl,
        baseUrls,
        skipThinkTimes,
        virtualUsers,
        executor,
        executorS,
        begins,
      };
      const script = await k6Script(settings);
      trials += 1;
      const kept = join(folder, fileNameOf(trials, plan.scenario, plan.load));
      await makeFolder(folder);
      await writeFile(kept, script);
      // k6 in a container sees one folder of this machine; passwords are in no other.
      const workFolder = await mkdtemp(join(temporaryFolder, 'tierbench-k6-'));
      try {
        await writeFile(join(workFolder, 'script.js'), script);
        const listed = users.slice(0, virtualUsers).map(({ index: _, ...fields }) => fields);
        await writeFile(join(workFolder, 'users.json'), JSON.stringify(listed), { mode: 0o600 });
        const authoritiesFile = plan.reach?.authoritiesFile ?? null;
        if (authoritiesFile !== null) await copyFile(authoritiesFile, join(workFolder, AUTHORITIES));
        const authorities = authoritiesFile === null ? {} : { authorities: AUTHORITIES };
        const trial = await followK6(
          program,
          { folder: workFolder, script: 'script.js', users: 'users.json', ...authorities },
          {
            plan,
            load,
            virtualUsers,
            longestBeginningS: begins ? longestSetupS(plan, virtualUsers) + plan.timeoutS : 0,
            longestEndS,
          },
          signal,
          onInterval,
        );
        return { ...trial, repeatWith: commandFor(kept) };
      } finally {
        await rm(workFolder, { recursive: true, force: true });
      }
    },
  };
}

/** Without slashes at their ends. Throws INVALID_BASE_URL. */
function addressesOf(plan: TrialPlan): {
  readonly baseUrl: string;
  readonly baseUrls: Readonly<Record<string, string>>;
} {
  const addresses = [...checkBaseUrls(plan)].map(([name, url]) => [name, url.href.replace(/\/+$/, '')] as const);
  const named = addresses.flatMap(([name, url]) => (name === undefined ? [] : [[name, url] as const]));
  return { baseUrl: addresses[0]?.[1] ?? '', baseUrls: Object.fromEntries(named) };
}

/** What cannot be run is refused before anything is sent. Gives the file of the scenario. */
function checkRequest(request: TrialRequest): string {
  const { load } = request.plan;
  if (load.model === 'open' && load.arrivals !== 'constant') {
    throw new TierbenchError(
      'LOAD_MODEL_NOT_SUPPORTED',
      `k6 cannot offer ${describeLoad(load)}: its arrivals follow each other evenly.`,
      'Choose an engine that offers others, or ask for constant arrivals.',
      { remedy: 'constant-arrivals' },
    );
  }
  checkLoad(load, request.users.length);
  if (request.scenarioFile === undefined) {
    throw new TierbenchError(
      'SCENARIO_FILE_UNKNOWN',
      `k6 reads scenarios from files, and it is not known which file scenario '${request.scenario.name}' is from.`,
      'Tell the file of the scenario (scenarioFile), or choose an engine that runs in Node.',
      { remedy: 'other-engine' },
    );
  }
  return resolve(request.scenarioFile);
}

function notStarted({ plan }: TrialRequest): Trial {
  return {
    engine: 'k6',
    plan,
    startedAt: new Date().toISOString(),
    startedAtMonotonicS: monotonicS(),
    ...createAccounting(plan).close(0 - plan.warmUpS, []),
    generator: { utilizationRatio: 0, eventLoopLagP99S: null, sendLagP99S: plan.load.model === 'open' ? 0 : null },
  };
}

/** `003-crud-200-per-s.js` */
function fileNameOf(number: number, scenario: string, load: OfferedLoad): string {
  const level = load.model === 'open' ? `${load.arrivalRatePerS}-per-s` : `concurrency-${load.concurrency}`;
  return `${String(number).padStart(3, '0')}-${scenario}-${level}.js`;
}

/** From the folder in which tierbench was started. */
function commandFor(file: string): string {
  const path = relative(process.cwd(), file);
  const shown = path.startsWith('..') ? file : path;
  return `k6 run -e USERS="$PWD/users.json" ${/^[\w./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`}`;
}
