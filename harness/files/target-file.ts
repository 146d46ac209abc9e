import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { nearestWord } from '../core/closest-match.ts';
import { type Problem, TierbenchError } from '../core/errors.ts';
import { comparisons, type Judgement, measuredMetrics, studyModels, type Target } from '../core/target.ts';
import { parseQuantity } from '../core/units.ts';
import { type KnownNames, targetProblems } from './target-problems.ts';
import { group, type ProblemAt } from './written-value.ts';
import {
  checkSchema,
  closedObject,
  invalidFile,
  parseYaml,
  quantityIn,
  readYamlFile,
  type YamlFile,
} from './yaml-file.ts';

const targetFile = { kind: 'target', invalid: 'TARGET_FILE_INVALID' } as const;
const builtInFolder = fileURLToPath(new URL('../targets/', import.meta.url));

const id = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,79}$/u, 'is no id: use lower-case letters, digits and hyphens, a letter first');
const words = z.string().min(1);
const count = z.int().min(1).max(1e12);

const setting = z
  .string()
  .regex(
    /^(?:[A-Z][A-Z0-9_]*|[a-z-]+\.[A-Za-z][A-Za-z0-9_.-]*)$/u,
    'is no option: write pooler.default_pool_size or api.cpus',
  );

const targetSchema = closedObject({
  title: words,
  section: words,
  comparison: z.enum(comparisons).exactOptional(),
  // Read by targetProblems and toTarget: it may be one value or two.
  value: z.unknown().optional(),
  appliesTo: closedObject({
    tiers: z.array(words).default([]),
    scenarios: z.array(words).default([]),
    steps: z.array(words).min(1).exactOptional(),
    concurrency: count.exactOptional(),
    arrivalRate: quantityIn('requests/s').exactOptional(),
    users: count.exactOptional(),
    tasks: count.exactOptional(),
  }).default({ tiers: [], scenarios: [] }),
  judged: closedObject({
    measured: z.enum(measuredMetrics).exactOptional(),
    each: z.literal('step').exactOptional(),
    setting: setting.exactOptional(),
    as: words.exactOptional(),
    'unless-off': setting.exactOptional(),
    model: z.enum(studyModels).exactOptional(),
    'not-yet': words.exactOptional(),
  }),
  contradictions: z.array(closedObject({ target: id, note: words })).default([]),
  note: words.exactOptional(),
});

const fileSchema = closedObject({ document: words, targets: z.record(id, targetSchema) });
type WrittenTarget = z.output<typeof targetSchema>;

/**
 * The targets that come with tierbench, or those of a user's own files instead.
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE, or TARGET_FILE_INVALID with every problem of every file.
 */
export async function readTargets(files?: readonly string[], known: KnownNames = {}): Promise<readonly Target[]> {
  const paths = files ?? (await builtInFiles());
  const broken: TierbenchError[] = [];
  const read = await Promise.all(
    paths.map((path) =>
      readYamlFile(path, targetFile).catch((error: unknown) => {
        // The next file may be broken as well: its problems are reported together with these.
        if (!(error instanceof TierbenchError) || error.code !== targetFile.invalid) throw error;
        broken.push(error);
        return null;
      }),
    ),
  );
  if (broken.length > 0) throw invalid(broken.flatMap(({ problems }) => problems));
  return toTargets(
    read.filter((file) => file !== null),
    known,
  );
}

function invalid(problems: readonly Problem[]): TierbenchError {
  return invalidFile([...new Set(problems.map(({ file }) => file))].join(', '), targetFile, problems);
}

/** Targets from the text of a file; `path` is what errors call it. */
export function parseTargets(text: string, path: string, known: KnownNames = {}): readonly Target[] {
  return toTargets([parseYaml(text, path, targetFile)], known);
}

async function builtInFiles(): Promise<string[]> {
  const names = await readdir(builtInFolder);
  return names
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => `${builtInFolder}${name}`);
}

function toTargets(files: readonly YamlFile[], known: KnownNames): readonly Target[] {
  const owners = new Map<string, YamlFile>();
  const problems: Problem[] = [];
  const targets: Target[] = [];
  for (const file of files) {
    for (const id of idsOf(file)) {
      const owner = owners.get(id);
      if (owner === undefined) owners.set(id, file);
      else problems.push(collision(file, id, owner));
    }
  }
  for (const file of files) {
    const checked = checkSchema(file, fileSchema);
    const together = problemsOf(file, [...owners.keys()], known);
    problems.push(...file.problems, ...checked.problems, ...together);
    if (checked.value === undefined || together.length > 0) continue;
    for (const [id, written] of Object.entries(checked.value.targets)) {
      targets.push(toTarget(id, checked.value.document, written));
    }
  }
  if (problems.length > 0) throw invalid(problems);
  return targets;
}

function idsOf(file: YamlFile): string[] {
  return Object.keys(group(group(file.value).targets));
}

function collision(file: YamlFile, id: string, owner: YamlFile): Problem {
  const { line } = owner.place(['targets', id], 'key');
  const what = `the id '${id}' is already used in ${owner.path}:${line}`;
  return { ...file.place(['targets', id], 'key'), what, nextStep: 'Rename one of the two.' };
}

function problemsOf(file: YamlFile, ids: readonly string[], known: KnownNames): Problem[] {
  const targets = Object.entries(group(group(file.value).targets));
  if (targets.length === 0 && 'targets' in group(file.value)) {
    return [{ ...file.place(['targets'], 'key'), what: 'targets is empty', nextStep: 'Add a target.' }];
  }
  return targets.flatMap(([id, written]) =>
    [...targetProblems(id, written, known), ...contradictionProblems(id, written, ids)].map(
      ({ at, part, what, nextStep }): Problem => ({ ...file.place(at, part), what, nextStep }),
    ),
  );
}

function contradictionProblems(id: string, written: unknown, ids: readonly string[]): ProblemAt[] {
  const { contradictions } = group(written);
  if (!Array.isArray(contradictions)) return [];
  return contradictions.flatMap((contradiction: unknown, index): ProblemAt[] => {
    const { target } = group(contradiction);
    if (typeof target !== 'string' || (target !== id && ids.includes(target))) return [];
    const what = target === id ? `${id} contradicts itself` : `there is no target '${target}'`;
    const near = nearestWord(target, ids);
    const nextStep = near === undefined || near === id ? 'Name the id of another target.' : `Did you mean '${near}'?`;
    return [{ at: ['targets', id, 'contradictions', index, 'target'], what, nextStep }];
  });
}

function toTarget(id: string, document: string, written: WrittenTarget): Target {
  const { title, section, judged, contradictions, note } = written;
  const { arrivalRate, ...appliesTo } = written.appliesTo;
  return {
    id,
    title,
    source: { document, section },
    ...bound(written),
    appliesTo: { ...appliesTo, ...(arrivalRate !== undefined && { arrivalRatePerS: arrivalRate }) },
    judged: judgement(judged),
    contradictions,
    ...(note !== undefined && { note }),
  };
}

function bound({ comparison, value }: WrittenTarget): Pick<Target, 'comparison' | 'value' | 'unit'> {
  const [first, second] = (Array.isArray(value) ? value : [value]).map((end: unknown) => parseQuantity(String(end)));
  if (first === undefined || 'problem' in first) throw new TypeError('targetProblems lets no such value pass');
  const { value: low, unit } = first.value;
  return second === undefined || 'problem' in second
    ? { comparison: comparison ?? '=', value: low, unit }
    : { comparison: 'between', value: [low, second.value.value], unit };
}

function judgement(judged: WrittenTarget['judged']): Judgement {
  if (judged.measured !== undefined) {
    return { by: 'measured', metric: judged.measured, ...(judged.each !== undefined && { each: judged.each }) };
  }
  if (judged.setting !== undefined) {
    const { setting: option, as, 'unless-off': unlessOff } = judged;
    return { by: 'setting', option, ...(as !== undefined && { as }), ...(unlessOff !== undefined && { unlessOff }) };
  }
  if (judged.model !== undefined) return { by: 'model', model: judged.model };
  return { by: 'not-yet', why: judged['not-yet'] ?? '' };
}
