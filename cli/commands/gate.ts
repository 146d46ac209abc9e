import { existsSync } from 'node:fs';
import type { Accepted } from '../../harness/core/accepted.ts';
import type { App, Subject } from '../../harness/core/app.ts';
import { nearestWord } from '../../harness/core/closest-match.ts';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import type { Tier } from '../../harness/core/tier.ts';
import { ACCEPT_FILE, readAccepted } from '../../harness/files/accept-file.ts';
import { looksWithin } from '../../harness/models/paired-change.ts';
import { gate as gateStudy } from '../../harness/studies/gate/gate.ts';
import { noise as noiseStudy } from '../../harness/studies/gate/noise.ts';
import { pairS } from '../../harness/studies/gate/pairs.ts';
import { app, dataOptions } from '../app.ts';
import { appFrom, sourceKind } from '../app-source.ts';
import { conductStudy, type Preparation } from '../conduct-study.ts';
import type { Output } from '../output/streams.ts';
import type { PipelineOutputs } from '../pipeline-outputs.ts';
import { readInputs } from '../read-inputs.ts';
import { type RunOptions, readRunOptions, type TypedRunOptions } from '../run-options.ts';
import { splitList, typedReader } from '../typed-reader.ts';

export interface TypedGateOptions extends TypedRunOptions, PipelineOutputs {
  readonly base?: string;
  readonly head?: string;
  readonly minutes?: string;
  readonly tolerance?: string;
  readonly accept?: string;
  readonly noise?: boolean;
  readonly target?: string;
}

/** What a gate measures of each trial, and what `--noise` does in a minute. */
const gateTrial = { durationS: 6, warmUpS: 2 };
const noiseTrial = { durationS: 2, warmUpS: 1 };
const NOISE_S = 65;
/** Fewer say little of how much they differ. */
const LEAST_NOISE_PAIRS = 6;
const MINUTES = 10;
const TOLERANCE = 0.1;
/** Enough for a gate, and quick to make. */
const fewData = Object.fromEntries(dataOptions.map(({ name }) => [name, '100']));

/** Measures base and head side by side, or with `noise` the same code. Resolves with the exit code of the verdict. */
export async function gate(typed: TypedGateOptions, output: Output): Promise<number> {
  const { base, head = '.', noise = false, accept } = typed;
  if (noise) return measureNoise(typed, output);
  const { question, budgetS, options } = readGateOptions(typed);
  const targets = await targetIds(typed.target, options);
  return conductStudy(
    gateStudy,
    { ...question, budgetS, targets, accepted: await acceptedIn(accept) },
    options,
    output,
    (tiers, preparation) => baseAndHead(tiers, base ?? '', head, preparation),
    typed,
  );
}

/** Those of the command line; null: all of the file. @throws TierbenchError OPTIONS_INVALID where there is no such target. */
async function targetIds(typed: string | undefined, options: RunOptions): Promise<readonly string[] | null> {
  if (typed === undefined) return [];
  if (options.targetsFile !== undefined) return null;
  const ids = splitList(typed);
  const known = (await readInputs(options)).targets.map(({ id }) => id);
  const problems = ids
    .filter((id) => !known.includes(id))
    .map((id): Problem => ({ what: `--target '${id}' is unknown`, nextStep: nextStepFor(nearestWord(id, known)) }));
  if (problems.length > 0) throw invalid(problems);
  return ids;
}

function nextStepFor(near: string | undefined): string {
  return near === undefined ? 'see `tierbench targets`' : `did you mean '${near}'?`;
}

function isFile(target: string | undefined): target is string {
  return target !== undefined && (/\.ya?ml$/u.test(target) || existsSync(target));
}

/** Measures one version, or an app, against itself for a minute. Exit code 3 where the machine is too noisy. */
export async function measureNoise(typed: TypedGateOptions, output: Output, app?: App): Promise<number> {
  const { base, head = '.' } = typed;
  const { question, budgetS, gateTrialS, options } = readGateOptions(typed);
  const gatePairs = looksWithin(budgetS / gateTrialS).at(-1)?.pairs ?? 0;
  const pairs = Math.max(LEAST_NOISE_PAIRS, Math.floor(NOISE_S / pairS(question)));
  const asked = { ...question, pairs, gatePairs, gateS: gatePairs * gateTrialS };
  return conductStudy(noiseStudy, asked, options, output, async (tiers, preparation) => {
    const [tier] = tiers;
    if (app === undefined || tier === undefined) return baseAndHead(tiers, base ?? head, base ?? head, preparation);
    return ['base', 'head'].map((id) => ({ id, tier, app }));
  });
}

/** @throws TierbenchError OPTIONS_INVALID with every problem of the command line at once. */
function readGateOptions({ base, head = '.', minutes, tolerance, noise = false, ...typed }: TypedGateOptions) {
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
  const sources = noise ? [base ?? head] : [base ?? '', head];
  const kinds = sources.map((source) => sourceKind(source, existsSync(source)));
  const isUrl = kinds.includes('url');
  if (noise && base !== undefined && head !== '.')
    problems.push({ what: '--noise measures one version', nextStep: 'leave out --base or --head' });
  for (const option of ['tier', 'scenario'] as const) {
    if (typed[option]?.includes(',') !== true) continue;
    problems.push({ what: `--${option} ${typed[option]} names several`, nextStep: 'a gate measures one' });
  }
  if (isUrl && kinds.some((kind) => kind !== 'url'))
    problems.push({
      what: 'only one of --base and --head is a URL',
      nextStep: 'compare two addresses, or two versions',
    });
  if (kinds.includes('image') && typed.provider === 'local')
    problems.push({ what: '--provider local cannot start an image', nextStep: 'leave it out' });
  if (problems.length > 0) throw invalid(problems);
  const { rate: _, ...others } = typed;
  const options = readRunOptions({
    scenario: 'crud',
    coolDown: '0',
    ...(isUrl ? { url: sources[0] ?? '' } : { tier: 'single', ...fewData }),
    ...(kinds.includes('image') && { provider: 'containers' }),
    ...others,
    ...(isFile(typed.target) && { targets: typed.target }),
    concurrency: '1',
  });
  const [before = '', after = before] = sources;
  const question = {
    scenario: options.question.scenarios[0] ?? '',
    seed: options.settings.seed,
    timeoutS: options.question.timeoutS,
    ...measured,
  };
  const urls = isUrl ? { urls: { base: before, head: after } } : {};
  return { question, budgetS, gateTrialS: pairS(seconds(gateTrial)), options: { ...options, ...urls } };
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
  const subject = async (id: string, source: string): Promise<Subject> => {
    const kind = sourceKind(source, existsSync(source));
    if (kind === 'url') return { id, tier: { ...tier, name: id }, app };
    if (kind === 'image' && !tier.services.some((service) => service.kind === 'api'))
      return { id, tier: withImage(tier, source), app };
    return { id, tier, app: await appFrom(source, id, preparation) };
  };
  return [await subject('base', base), await subject('head', head)];
}

/** The image of the service that receives the load, in a tier that is made of images. */
function withImage(tier: Tier, image: string): Tier {
  const isEntry = ({ name, kind }: Tier['services'][number]) => name === tier.entry && kind === 'container';
  if (!tier.services.some(isEntry)) {
    throw invalid([{ what: `the tier ${tier.name} has neither a service of kind api nor an image as its entry` }]);
  }
  const services = tier.services.map((each) =>
    isEntry(each) ? { ...each, settings: { ...each.settings, image } } : each,
  );
  return { ...tier, services };
}

function invalid(problems: readonly Problem[]): TierbenchError {
  return new TierbenchError('OPTIONS_INVALID', 'options are wrong', 'Fix what is named above.', { problems });
}
