import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeLoad } from '../../core/load.ts';
import type { Reach, TrialPlan } from '../../core/trial.ts';
import { ownModule } from '../../machine/own-package.ts';
import { longestSetupS } from '../shared/session-setup.ts';
import { bundleForK6 } from './bundle.ts';
import type { TrialInK6 } from './drive-in-k6.ts';

export interface K6ScriptSettings {
  readonly scenarioFile: string;
  readonly plan: TrialPlan;
  /** The addresses without a slash at their end. */
  readonly baseUrl: string;
  readonly baseUrls: Readonly<Record<string, string>>;
  readonly skipThinkTimes: boolean;
  readonly virtualUsers: number;
  readonly executor: Readonly<Record<string, unknown>>;
  readonly executorS: number;
  /** Whether the scenario has one. */
  readonly begins: boolean;
}

/** A script that needs nothing but k6 and users: `k6 run -e USERS=users.json` repeats the trial. Holds no secrets. */
export async function k6Script(settings: K6ScriptSettings): Promise<string> {
  const { plan, virtualUsers } = settings;
  const length = `${plan.warmUpS} s to warm up, ${plan.durationS} s measured`;
  const heading = [
    `// ${plan.scenario} at ${describeLoad(plan.load)}, ${length}: one trial of tierbench.`,
    '// To repeat it: k6 run -e USERS=$PWD/users.json -e BASE_URL=http://127.0.0.1:3000 THIS-FILE',
    `// users.json holds at least ${virtualUsers} users as JSON objects in a list. Without BASE_URL the load`,
    `// goes to ${settings.baseUrl}, which may be gone.`,
  ];
  const bundle = await bundleForK6({ source: entryOf(settings), resolveDir: dirname(settings.scenarioFile) });
  return `${heading.join('\n')}\n${bundle}`;
}

function entryOf(settings: K6ScriptSettings): string {
  const { plan, baseUrl, baseUrls, skipThinkTimes, virtualUsers, executor, executorS, begins, scenarioFile } = settings;
  const { load, seed, timeoutS, warmUpS, durationS } = plan;
  const longestBeginning = longestSetupS(plan, virtualUsers);
  const k6Plan: Omit<TrialInK6, 'baseUrl'> = {
    seed,
    timeoutS,
    skipThinkTimes,
    isOpen: load.model === 'open',
    virtualUsers,
    warmUpS,
    durationS,
    executorS,
    baseUrls,
    longestBeginningS: longestBeginning,
    isTrial: true,
  };
  const options = {
    scenarios: { load: executor },
    // Beginners in flight when time is up are waited for.
    setupTimeout: `${Math.ceil(longestBeginning + timeoutS + 10)}s`,
    // As the other engines send: no user-agent.
    userAgent: '',
    insecureSkipTLSVerify: plan.reach?.verifiesCertificates !== true,
    ...(plan.reach !== undefined && { hosts: hostsOf(plan.reach) }),
    maxRedirects: 0,
    // Tags cost time, and the results hold what they tell.
    systemTags: [],
    summaryTrendStats: ['count', 'min', 'med', 'p(95)', 'p(99)', 'max'],
  };
  const [drive, user, events] = ['drive-in-k6', 'virtual-user-in-k6', 'k6-events'].map((name) =>
    JSON.stringify(fileURLToPath(ownModule(`./${name}`, import.meta.url))),
  );
  return `
import { sleep } from 'k6';
import { SharedArray } from 'k6/data';
import { b64encode } from 'k6/encoding';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { driveInK6 } from ${drive};
import { metricsObserver, usersIn } from ${user};
import { eventWriter, writeError } from ${events};
import scenario from ${JSON.stringify(scenarioFile)};

export const options = ${JSON.stringify(options, null, 2)};

const plan = ${JSON.stringify(k6Plan, null, 2)};
const baseUrl = (__ENV.BASE_URL || ${JSON.stringify(baseUrl)}).replace(/\\/+$/, '');

const users = new SharedArray('users', () => {
  if (!__ENV.USERS) throw new Error('Say who the virtual users are: k6 run -e USERS=$PWD/users.json ...');
  return usersIn(JSON.parse(open(__ENV.USERS)), plan.virtualUsers, __ENV.USERS);
});

const metrics = !__ENV.EVENTS && {
  latency: new Trend('latency', true),
  failed: new Rate('failed'),
  succeeded: new Counter('succeeded'),
};
const write = (lines) => console.log(lines);
const observe = (virtualUser, originMs, nowMs) =>
  metrics
    ? metricsObserver(plan, metrics, originMs)
    : eventWriter({ write, base64: b64encode }, virtualUser, originMs, nowMs);

const k6 = { http, exec, sleep, setTimeout, base64: b64encode };
const load = driveInK6(scenario, { ...plan, baseUrl }, users, k6, observe, (error) => writeError(write, error));
${begins ? 'export const setup = load.begin;\n' : ''}export default load.iterate;
`;
}

/** k6 takes no address for the name of a host. */
function hostsOf({ addresses }: Reach): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(addresses).filter(([host]) => isIP(host) === 0));
}
