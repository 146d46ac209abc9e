import { suggestion } from '../harness/core/closest-match.ts';
import type { Problem } from '../harness/core/errors.ts';
import { HEAVIEST, hasWeight, readMix } from '../harness/files/mix-file.ts';
import { defaultMix, type Mix, mixParts } from '../scenarios/mixed.ts';
import { splitList, type TypedReader } from './typed-reader.ts';

/** What `--mix` says, or what holds without it. */
export type MixChoice = Mix | { readonly file: string };

const HINT = `write PART=WEIGHT, such as ${mixParts.map((part) => `${part}=${defaultMix[part]}`).join(',')}, or name a file, ./mix.yaml`;

export function readMixChoice(
  text: string | undefined,
  scenarios: readonly string[],
  read: TypedReader,
  problems: Problem[],
): MixChoice {
  if (text === undefined) return defaultMix;
  if (!scenarios.includes('mixed')) {
    problems.push({
      what: `--mix ${text} goes with the scenario mixed only`,
      nextStep: 'add mixed to --scenario, or leave --mix out',
    });
  }
  if (/[\\/]|\.ya?ml$/i.test(text)) return { file: text };
  return readWeights(text, read, problems);
}

function readWeights(text: string, read: TypedReader, problems: Problem[]): Mix {
  const mix = { browse: 0, crud: 0, login: 0 };
  const before = problems.length;
  const seen = new Set<string>();
  for (const word of splitList(text)) {
    const [name = '', weight, ...others] = word.split('=').map((each) => each.trim());
    const part = mixParts.find((each) => each === name);
    if (weight === undefined || others.length > 0) {
      problems.push({ what: `--mix: '${word}' is no part with a weight`, nextStep: HINT });
    } else if (part === undefined) {
      problems.push({ what: `--mix: '${name}' is no part of mixed`, nextStep: suggestion(name, mixParts) });
    } else if (seen.has(part)) {
      problems.push({ what: `--mix names ${part} twice`, nextStep: 'leave one of them out' });
    } else mix[part] = read.number(`--mix ${part}`, weight, 0, { from: 0, to: HEAVIEST });
    seen.add(name);
  }
  if (problems.length === before && !hasWeight(mix)) {
    problems.push({ what: `--mix '${text}' gives no part a weight above 0`, nextStep: HINT });
  }
  return mix;
}

/** @throws TierbenchError what `readMix` throws */
export async function mixOf(choice: MixChoice): Promise<Mix> {
  return 'file' in choice ? readMix(choice.file) : choice;
}
