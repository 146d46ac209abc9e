import { describeLoad } from '../../harness/core/load.ts';
import { formatBound, formatNumber, formatSeconds } from '../../harness/core/units.ts';
import { k6Load } from '../../harness/engines/k6/k6-load.ts';
import { referenceEmail } from '../../harness/services/reference-app.ts';
import type { Mix } from '../../scenarios/mixed.ts';
import type { ExportedTrial, Threshold, Thresholds } from './export-thresholds.ts';

export interface ExportPlan extends ExportedTrial {
  readonly description: string;
  readonly hasThinkTime: boolean;
  /** Of the built-in `mixed`; undefined for every other scenario. */
  readonly mix: Mix | undefined;
  readonly seed: number;
  readonly timeoutS: number;
  /** No two virtual users share a user. */
  readonly virtualUsers: number;
}

/** What `k6 run` is given: options and thresholds to read and change, around the bundle of the scenario. */
export function scriptFile(plan: ExportPlan, thresholds: Thresholds): string {
  const { scenario, load, warmUpS, durationS, seed, timeoutS, virtualUsers } = plan;
  return `// ${scenario} at ${describeLoad(load)}: ${oneLine(plan.description)}
// Made by \`tierbench export k6\`; README.md says how to run it.
import { sleep } from 'k6';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { iterationOf, usersIn } from './scenario.js';

const load = {
  baseUrl: (__ENV.BASE_URL || '').replace(/\\/$/, ''),
  seed: ${seed}, // The same seed sends the same requests.
  timeoutS: ${timeoutS},
  warmUpS: ${warmUpS}, // Load that is in no metric below, but in those of k6 itself (http_req_...).
  durationS: ${durationS},
};
const virtualUsers = ${virtualUsers};

if (!/^https?:\\/\\//.test(load.baseUrl)) {
  throw new Error('BASE_URL is missing: k6 run -e BASE_URL=http://127.0.0.1:3000 script.js');
}

export const options = {
  maxRedirects: 0, // What answers is what is measured.
  scenarios: {
    ${keyOf(scenario)}: {
${executorLines(plan)}
    },
  },
  thresholds: {
${thresholdLines(thresholds.set)}
  },
};

const users = new SharedArray('users', () =>
  __ENV.USERS ? usersIn(JSON.parse(open(__ENV.USERS)), virtualUsers, __ENV.USERS) : madeUsers(__ENV.USER_PASSWORD || ''),
);

/** The users that seeding the reference app makes; they have one password. */
function madeUsers(password) {
  return Array.from({ length: virtualUsers }, (_, index) => ({ email: \`${referenceEmail(`\${index + 1}`)}\`, password }));
}

const metrics = {
  latency: new Trend('latency', true), // From the start of a request to its last byte; the timeout where it failed.
  failed: new Rate('failed'), // Not answered, or not as the scenario expects.
  succeeded: new Counter('succeeded'),
};

export default iterationOf(users, load, { http, exec, sleep }, metrics);
`;
}

/** The executor of the engine, with what a person may want to change as it stands at the top of the script. */
function executorLines(plan: ExportPlan): string {
  const written: Readonly<Record<string, string>> = {
    vus: 'virtualUsers,',
    preAllocatedVUs: 'virtualUsers, // What is scheduled when all of them wait is dropped.',
    duration: `(load.warmUpS + load.durationS) + 's',`,
    // Requests in flight at the end are waited for, and count.
    gracefulStop: `(load.timeoutS + 1) + 's',`,
  };
  return Object.entries(k6Load(plan, plan.virtualUsers).executor)
    .filter(([name]) => name !== 'maxVUs')
    .map(([name, value]) => `      ${name}: ${written[name] ?? `${typeof value === 'string' ? `'${value}'` : value},`}`)
    .join('\n');
}

function thresholdLines(set: readonly Threshold[]): string {
  const byMetric = Map.groupBy(set, ({ metric }) => metric);
  return [...byMetric]
    .map(([metric, thresholds]) => {
      const lines = thresholds.map(({ condition, because }) => `      // ${oneLine(because)}\n      '${condition}',`);
      return `    ${metric}: [\n${lines.join('\n')}\n    ],`;
    })
    .join('\n');
}

/** k6 takes letters, digits, - and _. */
function keyOf(scenario: string): string {
  return `'${scenario.replaceAll(/[^\w-]/g, '_')}'`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Names to be replaced: a password that stands in a file that is handed on is none. */
export function usersExampleFile(): string {
  const example = [1, 2].map((each) => ({ email: referenceEmail(each), password: 'its password' }));
  return `${JSON.stringify(example, null, 2)}\n`;
}

export function readmeFile(plan: ExportPlan, { set, leftOut }: Thresholds): string {
  const { scenario, load, warmUpS, durationS, virtualUsers } = plan;
  const spare =
    load.model === 'closed'
      ? `${formatNumber(virtualUsers)} virtual users, each waiting for its answer before it goes on.`
      : `${formatNumber(virtualUsers)} virtual users take what arrives. What is scheduled when all of them are busy is dropped and counted as failed${plan.hasThinkTime ? '; this scenario pauses, which takes many of them' : ''}: \`virtualUsers\` in script.js.`;
  return `# ${scenario} at ${describeLoad(load)}, for k6

${oneLine(plan.description)}

    k6 run -e BASE_URL=http://127.0.0.1:3000 -e USERS=users.json script.js

It needs k6 1.0 or later and nothing else: no npm, no tierbench.

- \`BASE_URL\`: what the paths of the scenario are appended to.
- \`USERS\`: a JSON list like users.example.json with at least ${formatNumber(virtualUsers)} users, seen from this folder (or a whole path).
  Left out, they are ${referenceEmail(1)} and so on with the password in the environment variable \`USER_PASSWORD\`: those
  of the reference app, which \`tierbench up\` fills, and whose password it prints.

${spare}
${formatSeconds(warmUpS)} of warm-up, then ${formatSeconds(durationS)} that are measured.

## What is measured

- \`latency\`: from the start of a request to its last byte, connecting included. A request that failed counts as one that
  took the timeout. k6 measures from when a request was sent, not from when it was scheduled.
- \`failed\`: requests without an answer, or with another than the scenario expects, of all.
- \`succeeded\`: right answers.
- \`dropped_iterations\`: what was scheduled and never began, the warm-up included.

The first three leave out the warm-up and what a virtual user does before its first iteration; k6's own metrics
(\`http_req_duration\` and so on) hold everything.

## Thresholds

k6 ends with exit code 99 when one of them is not kept.

${set.map(({ metric, condition, because }) => `- \`${metric}: ${condition}\`: ${oneLine(because)}`).join('\n')}
${leftOut.length === 0 ? '' : `\nThese targets are not among them:\n\n${leftOut.map(({ target, why }) => `- ${target.id} (${oneLine(target.title)} ${formatBound(target)}): ${why}`).join('\n')}\n`}
One run says less than \`tierbench run\`: here is no interval, no check of the generator, and no other load to compare with.
`;
}
