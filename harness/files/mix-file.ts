import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defaultMix, type Mix, mixParts } from '../../scenarios/mixed.ts';
import { checkSchema, closedObject, type FileKind, invalidFile, readYamlFile } from './yaml-file.ts';

const kind: FileKind = { kind: 'mix', invalid: 'MIX_FILE_INVALID' };

export const HEAVIEST = 1_000_000;

const weight = z.number().min(0).max(HEAVIEST).default(0);
const mixSchema = closedObject({ browse: weight, crud: weight, login: weight } satisfies Record<
  keyof Mix,
  unknown
>).refine(hasWeight, 'gives no part a weight above 0\nGive one: browse: 80');

/** A part that is left out has the weight 0; one has to have more. */
export function hasWeight(mix: Mix): boolean {
  return mixParts.some((part) => mix[part] > 0);
}

/**
 * The weights of the parts of `mixed`, in YAML: `browse: 80`. What is left out is 0.
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE, or MIX_FILE_INVALID with every problem and its place.
 */
export async function readMix(path: string): Promise<Mix> {
  const file = await readYamlFile(path, kind);
  const { value, problems } = checkSchema(file, mixSchema);
  const all = [...file.problems, ...problems];
  if (all.length > 0 || value === undefined) throw invalidFile(path, kind, all);
  return value;
}

export function isDefaultMix(mix: Mix): boolean {
  return mixParts.every((part) => mix[part] === defaultMix[part]);
}

/**
 * Writes a scenario file of `mixed` with these weights, for engines that run scenarios elsewhere, and gives its path.
 * JavaScript, so that it does not matter how the folder above it is set up.
 */
export async function writeMixedScenario(folder: string, mix: Mix): Promise<string> {
  const file = join(folder, 'mixed.mjs');
  await writeFile(
    file,
    `import { mixedScenario } from 'tierbench/scenarios/mixed';\nexport default mixedScenario(${JSON.stringify(mix)});\n`,
  );
  return file;
}
