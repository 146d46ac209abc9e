import { suggestion } from '../../harness/core/closest-match.ts';
import { TierbenchError } from '../../harness/core/errors.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { run as runStudy } from '../../harness/studies/run/run.ts';
import type { Study } from '../../harness/studies/study.ts';
import { conductStudy } from '../conduct-study.ts';
import type { Output } from '../output/streams.ts';
import { readRunOptions, type TypedRunOptions } from '../run-options.ts';

/** Measures tiers, writes the results folder and its report. Resolves with the exit code of the verdicts. */
export async function run(typed: TypedRunOptions, output: Output): Promise<number> {
  const options = readRunOptions(typed);
  return conductStudy(runStudy, options.question, options, output);
}

/** Any study of the registry. Its question is JSON; tiers, engine, provider and data are chosen as for `run`. */
export async function study(
  name: string,
  { question: json, ...typed }: TypedRunOptions & { readonly question: string },
  output: Output,
): Promise<number> {
  const chosen = studiesByName.get(name);
  if (chosen === undefined) {
    const nextStep = suggestion(name, [...studiesByName.keys()]);
    throw new TierbenchError('OPTIONS_INVALID', `there is no study '${name}'`, nextStep);
  }
  const question = readQuestion(chosen, json);
  const scenario = chosen.scenarios(question).join(',');
  const options = readRunOptions({ concurrency: '1', ...typed, scenario });
  return conductStudy(chosen, question, options, output);
}

function readQuestion(chosen: Study, json: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new TierbenchError('OPTIONS_INVALID', `--question is no JSON: ${String(error)}`, 'Quote it for the shell.');
  }
  const parsed = chosen.question.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    `--question does not fit the study '${chosen.name}'`,
    'Fix what is named.',
    {
      problems: parsed.error.issues.map(({ path, message }) => ({ what: `${path.join('.')}: ${message}` })),
    },
  );
}
