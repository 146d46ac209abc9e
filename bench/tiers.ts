/**
 * How long each tier takes to come up and to go down, by each provider that can run it here, and what took the time:
 * `npm run bench:tiers [-- --provider local,containers] [-- --tier single,cached] [-- --json]`. Warm: the first round is
 * not counted. Without data, as filling takes as long as there is much of it.
 */

import { parseArgs } from 'node:util';
import { readTier } from '../harness/files/tier-file.ts';
import { findOrphans } from '../harness/orphans/find.ts';
import { type RegisteredRun, registerRun } from '../harness/orphans/register.ts';
import { removeOrphans } from '../harness/orphans/remove.ts';
import { containersProvider } from '../harness/providers/containers/containers-provider.ts';
import { localProvider } from '../harness/providers/local/local-provider.ts';
import type { Provider } from '../harness/providers/provider.ts';
import { referenceApp } from '../harness/services/reference-app.ts';

const ROUNDS = 3;

const providers: Readonly<Record<string, (run: RegisteredRun) => Provider>> = {
  local: (run) => localProvider({ run }),
  containers: (run) => containersProvider({ run }),
};

/** What is wanted of a warm start on an idle machine with two CPUs, in seconds. */
const wantedS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  local: { single: 3, cached: 8 },
  containers: { single: 3, cached: 12 },
};

interface Round {
  readonly upS: number;
  readonly downS: number;
  /** When each step was begun or done, in seconds from the start. */
  readonly steps: readonly { readonly atS: number; readonly what: string }[];
}

interface Result extends Round {
  readonly provider: string;
  readonly tier: string;
  readonly rounds: readonly number[];
}

const secondsSince = (startedMs: number): number => (performance.now() - startedMs) / 1000;

async function startOnce(provider: Provider, tierName: string, signal: AbortSignal): Promise<Round> {
  const tier = await readTier(tierName);
  const startedMs = performance.now();
  const steps: { atS: number; what: string }[] = [];
  const deployment = await provider.deploy({ tier, app: referenceApp }, signal, (what) =>
    steps.push({ atS: secondsSince(startedMs), what }),
  );
  const upS = secondsSince(startedMs);
  const downMs = performance.now();
  await deployment[Symbol.asyncDispose]();
  return { upS, downS: secondsSince(downMs), steps };
}

/** The round whose time is the median. */
async function measure(provider: Provider, tier: string, signal: AbortSignal): Promise<Result> {
  const rounds: Round[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    signal.throwIfAborted();
    const result = await startOnce(provider, tier, signal);
    if (round > 0) rounds.push(result);
  }
  const ascending = rounds.toSorted((left, right) => left.upS - right.upS);
  const median = ascending[Math.floor(ascending.length / 2)];
  if (median === undefined) throw new Error('no round');
  return { ...median, provider: provider.name, tier, rounds: rounds.map(({ upS }) => upS) };
}

function describe({ provider, tier, upS, downS, rounds, steps }: Result): string {
  const wanted = wantedS[provider]?.[tier];
  const verdict = wanted === undefined ? '' : `   wanted: ${wanted} s ${upS <= wanted ? '(met)' : '(MISSED)'}`;
  return [
    `${tier} by ${provider}: up in ${upS.toFixed(2)} s (${rounds.map((s) => s.toFixed(2)).join(', ')}), down in ${downS.toFixed(2)} s${verdict}`,
    ...steps.map(({ atS, what }) => `  ${atS.toFixed(2).padStart(6)} s  ${what}`),
  ].join('\n');
}

const { values: flags } = parseArgs({
  options: {
    provider: { type: 'string', default: 'local,containers' },
    tier: { type: 'string', default: 'single,pooled,replicated,cached' },
    json: { type: 'boolean', default: false },
  },
});
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interruption.abort());

await removeOrphans(await findOrphans());
const results: Result[] = [];
try {
  await using run = await registerRun();
  for (const name of flags.provider.split(',')) {
    const provider = providers[name]?.(run);
    if (provider === undefined) throw new Error(`there is no provider '${name}'`);
    for (const tier of flags.tier.split(',')) {
      const [obstacle] = await provider.obstacles({ tier: await readTier(tier), app: referenceApp });
      if (obstacle !== undefined) {
        console.error(`${tier} by ${name}: not run here: ${obstacle}`);
        continue;
      }
      const result = await measure(provider, tier, interruption.signal);
      results.push(result);
      if (!flags.json) console.log(`${describe(result)}\n`);
    }
  }
} catch (error) {
  if (!interruption.signal.aborted) throw error;
  process.exitCode = 130;
}
if (flags.json) console.log(JSON.stringify(results, undefined, 2));
