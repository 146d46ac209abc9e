import { existsSync } from 'node:fs';
import type { Accepted } from '../../harness/core/accepted.ts';
import type { App, Subject } from '../../harness/core/app.ts';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import type { Tier } from '../../harness/core/tier.ts';
import { ACCEPT_FILE, readAccepted } from '../../harness/files/accept-file.ts';
import { looksWithin } from '../../harness/models/paired-change.ts';
import { gate as gateStudy } from '../../harness/studies/gate/gate.ts';
import { noise as noiseStudy } from '../../harness/studies/gate/noise.ts';
import { pairS } from '../../harness/studies/gate/pairs.ts';
import { appFrom } from '../app-source.ts';
import { conductStudy, type Preparation } from '../conduct-study.ts';
import type { Output } from '../output/streams.ts';
import type { PipelineOutputs } from '../pipeline-outputs.ts';
import { readRunOptions, type TypedRunOptions } from '../run-options.ts';
import { typedReader } from '../typed-reader.ts';

export interface TypedGateOptions extends TypedRunOptions, PipelineOutputs {
  readonly base?: string;
  readonly head?: string;
  readonly minutes?: string;
  readonly tolerance?: string;
  readonly accept?: string;
  readonly noise?: boolean;
}

/** What a gate measures of each trial, and what `--noise` does in a minute. */
const gateTrial = { durationS: 6, warmUpS: 2 };
const noiseTrial = { durationS: 2, warmUpS: 1 };
const NOISE_S = 65;
/** Fewer say little of how much they differ. */
const LEAST_NOISE_PAIRS = 6;
const MINUTES = 10;
const TOLERANCE = 0.1;

/** Measures base and head side by side, or with `noise` the same code. Resolves with the exit code of the verdict. */
export async function gate(typed: TypedGateOptions, output: Output): Promise<number> {
  const { base, head = '.', noise = false, accept } = typed;
  if (noise) {
    return measureNoise(typed, (preparation) => appFrom(base ?? head, 'head', preparation), output);
  }
  const { question, budgetS, options } = readGateOptions(typed);
  return conductStudy(
    gateStudy,
    { ...question, budgetS, accepted: await acceptedIn(accept) },
    options,
    output,
    (tiers, preparation) => baseAndHead(tiers, base ?? '', head, preparation),
    typed,
  );
}

/** Measures one version against itself for a minute. Exit code 3 where the machine is too noisy. */
export async function measureNoise(
  typed: TypedGateOptions,
  appOf: (preparation: Preparation) => Promise<App>,
  output: Output,
): Promise<number> {
  const { question, budgetS, gateTrialS, options } = readGateOptions(typed);
  const gatePairs = looksWithin(budgetS / gateTrialS).at(-1)?.pairs ?? 0;
  const pairs = Math.max(LEAST_NOISE_PAIRS, Math.floor(NOISE_S / pairS(question)));
  const asked = { ...question, pairs, gatePairs, gateS: gatePairs * gateTrialS };
  return conductStudy(noiseStudy, asked, options, output, async ([tier], preparation) => {
    if (tier === undefined) throw new Error('the options name a tier');
    const app = await appOf(preparation);
    return ['base', 'head'].map((id) => ({ id, tier, app }));
  });
}

/** @throws TierbenchError OPTIONS_INVALID with every problem of the command line at once. */
function readGateOptions({ base, head, minutes, tolerance, noise = false, ...typed }: TypedGateOptions) {
  const problems: Problem[] = [];
  const read = typedReader(problems);
  const trial = noise ? noiseTrial : gateTrial;
  const seconds = (usual: typeof trial) => ({
    durationS: read.seconds('--duration', typed.duration, usual.durationS, { from: 1, to: 600 }),
    warmUpS: read.seconds('--warm-up', typed.warmUp, usual.warmUpS, { from: 0, to: 600 }),
  });
  const measured = {
    toleranceRatio: read.percent('--tolerance', tolerance, TOLERANCE, { from: 1, to: 100 }),
    arrivalRatePerS:
      typed.rate === undefined ? null : read.number('--rate', typed.rate, 1, { from: 0.01, to: 1_000_000 }),
    ...seconds(trial),
  };
  const budgetS = 60 * read.number('--minutes', minutes, MINUTES, { from: 1, to: 600 });
  if (base === undefined && !noise)
    problems.push({ what: '--base is missing', nextStep: 'name what to compare with, such as the branch main' });
  if (noise && base !== undefined && head !== undefined)
    problems.push({ what: '--noise measures one version', nextStep: 'leave out --base or --head' });
  for (const option of ['tier', 'scenario'] as const) {
    if (typed[option]?.includes(',') !== true) continue;
    problems.push({ what: `--${option} ${typed[option]} names several`, nextStep: 'a gate measures one' });
  }
  if (problems.length > 0)
    throw new TierbenchError('OPTIONS_INVALID', 'options are wrong', 'Fix what is named above.', { problems });
  const { rate: _, ...others } = typed;
  const options = readRunOptions({ tier: 'single', scenario: 'crud', coolDown: '0', ...others, concurrency: '1' });
  const question = {
    scenario: options.question.scenarios[0] ?? '',
    seed: options.settings.seed,
    timeoutS: options.question.timeoutS,
    ...measured,
  };
  return { question, budgetS, gateTrialS: pairS(seconds(gateTrial)), options };
}

/** Of the file that is named, or of the one that lies in the working directory. */
async function acceptedIn(path: string | undefined): Promise<readonly Accepted[]> {
  if (path === undefined && !existsSync(ACCEPT_FILE)) return [];
  return readAccepted(path ?? ACCEPT_FILE);
}

async function baseAndHead(
  [tier]: readonly Tier[],
  base: string,
  head: string,
  preparation: Preparation,
): Promise<readonly Subject[]> {
  if (tier === undefined) throw new Error('the options name a tier');
  return [
    { id: 'base', tier, app: await appFrom(base, 'base', preparation) },
    { id: 'head', tier, app: await appFrom(head, 'head', preparation) },
  ];
}
