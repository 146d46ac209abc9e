import { existsSync } from 'node:fs';
import type { Accepted } from '../../harness/core/accepted.ts';
import type { Subject } from '../../harness/core/app.ts';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import type { GateQuestion } from '../../harness/core/gate.ts';
import type { Tier } from '../../harness/core/tier.ts';
import { ACCEPT_FILE, readAccepted } from '../../harness/files/accept-file.ts';
import { gate as gateStudy } from '../../harness/studies/gate/gate.ts';
import { appFrom } from '../app-source.ts';
import { conductStudy, type Preparation } from '../conduct-study.ts';
import type { Output } from '../output/streams.ts';
import type { PipelineOutputs } from '../pipeline-outputs.ts';
import { readRunOptions, type TypedRunOptions } from '../run-options.ts';
import { typedReader } from '../typed-reader.ts';

export interface TypedGateOptions extends TypedRunOptions, PipelineOutputs {
  readonly base: string;
  readonly head?: string;
  readonly minutes?: string;
  readonly tolerance?: string;
  readonly accept?: string;
}

const TRIAL_S = 6;
const WARM_UP_S = 2;
const MINUTES = 10;
const TOLERANCE = 0.1;

/** Measures base and head side by side. Resolves with the exit code of the verdict. */
export async function gate(
  { base, head = '.', minutes, tolerance, accept, ...typed }: TypedGateOptions,
  output: Output,
): Promise<number> {
  const problems: Problem[] = [];
  const read = typedReader(problems);
  const measured = {
    toleranceRatio: read.percent('--tolerance', tolerance, TOLERANCE, { from: 1, to: 100 }),
    budgetS: 60 * read.number('--minutes', minutes, MINUTES, { from: 1, to: 600 }),
    arrivalRatePerS:
      typed.rate === undefined ? null : read.number('--rate', typed.rate, 1, { from: 0.01, to: 1_000_000 }),
    durationS: read.seconds('--duration', typed.duration, TRIAL_S, { from: 1, to: 600 }),
    warmUpS: read.seconds('--warm-up', typed.warmUp, WARM_UP_S, { from: 0, to: 600 }),
  };
  for (const option of ['tier', 'scenario'] as const) {
    if (typed[option]?.includes(',') !== true) continue;
    problems.push({ what: `--${option} ${typed[option]} names several`, nextStep: 'a gate measures one' });
  }
  if (problems.length > 0)
    throw new TierbenchError('OPTIONS_INVALID', 'options are wrong', 'Fix what is named above.', { problems });
  const { rate: _, ...others } = typed;
  const options = readRunOptions({
    tier: 'single',
    scenario: 'crud',
    coolDown: '0',
    ...others,
    concurrency: '1',
  });
  const question: GateQuestion = {
    scenario: options.question.scenarios[0] ?? '',
    seed: options.settings.seed,
    timeoutS: options.question.timeoutS,
    ...measured,
    accepted: await acceptedIn(accept),
  };
  return conductStudy(
    gateStudy,
    question,
    options,
    output,
    (tiers, preparation) => baseAndHead(tiers, base, head, preparation),
    typed,
  );
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
