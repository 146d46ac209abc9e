import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import { isRun, type RunResult } from '../../harness/core/run.ts';
import { absoluteFolder, writeAtomically } from '../../harness/files/atomic-write.ts';
import { readResults } from '../../harness/files/results.ts';
import { resultDifferences } from '../../harness/judging/result-differences.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { compareGroups, type ResultGroup, type ResultPair } from '../../reports/comparison.ts';
import { compareDocument, compareReport } from '../../reports/documents/compare.ts';
import { shortBlocks } from '../../reports/pipeline.ts';
import { renderComment } from '../../reports/renderers/comment.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { splitList } from '../typed-reader.ts';
import { printDocument } from './report.ts';

export interface TypedCompareOptions {
  readonly markdown?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/**
 * Holds each result against the first. 0 where none is worse, 2 where one is, 3 where that is not decided or may not be
 * compared.
 */
export async function compare(
  words: readonly string[],
  { markdown, ...typed }: TypedCompareOptions,
  output: Output,
): Promise<number> {
  const groups = await Promise.all(words.map(readGroup));
  refuseOthers(groups);
  const pairs = compareGroups(groups);
  const document = compareDocument(pairs);
  const json = compareReport(pairs);
  if (markdown !== undefined) {
    const body = renderComment({ id: 'compare', blocks: shortBlocks(document, []), footer: document.footer });
    await writeAtomically(absoluteFolder(markdown), body);
  }
  await printDocument({ document, json: () => json, verdict: null }, typed, output);
  return exitCodes[worstOf(pairs)];
}

function worstOf(pairs: readonly ResultPair[]): ResultPair['verdict'] {
  const order = ['missed', 'inconclusive'] as const;
  return order.find((verdict) => pairs.some((pair) => pair.verdict === verdict)) ?? 'met';
}

/** `FOLDER`, `before=FOLDER`, or repeats: `before=FOLDER,FOLDER`. */
async function readGroup(word: string, index: number): Promise<ResultGroup> {
  const [, name = letterOf(index), folders = word] = /^([\p{L}\p{N}][\p{L}\p{N} ._-]*)=(.+)$/u.exec(word) ?? [];
  const [first, ...others] = await Promise.all(splitList(folders).map(readRun));
  if (first === undefined) {
    throw new TierbenchError('OPTIONS_INVALID', `'${word}' names no folder`, 'Name folders that `tierbench run` made.');
  }
  return { name, results: [first, ...others] };
}

/** A, B, C ... */
function letterOf(index: number): string {
  return String.fromCodePoint(65 + (index % 26));
}

async function readRun(folder: string): Promise<RunResult> {
  const record = await readResults(absoluteFolder(folder), studiesByName);
  if (isRun(record)) return record;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    `${folder} holds results of the study ${record.study}`,
    'Name folders that `tierbench run` made.',
  );
}

/** Fewer than two, names that are not different, and repeats that were not asked the same. */
function refuseOthers(groups: readonly ResultGroup[]): void {
  const problems: Problem[] = [];
  if (groups.length < 2) problems.push({ what: 'one result is named', nextStep: 'name two or more' });
  const names = groups.map(({ name }) => name);
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index))) {
    problems.push({ what: `two results are named ${name}`, nextStep: 'give each a name of its own' });
  }
  for (const { name, results } of groups) {
    const [first, ...others] = results;
    const tiers = first.subjects.map(({ id }) => [id, id] as const);
    for (const other of others) {
      const codes = resultDifferences(first, other, tiers).flatMap(({ code, effect }) =>
        effect === 'none' || effect === 'explains' ? [] : [code],
      );
      if (codes.length === 0) continue;
      const what = `${name}: ${other.facts.runId} is no repeat of ${first.facts.runId}, as they differ in ${codes.join(', ')}`;
      problems.push({ what, nextStep: 'compare them, or leave one out' });
    }
  }
  if (problems.length > 0)
    throw new TierbenchError('OPTIONS_INVALID', 'results cannot be compared', 'Fix what is listed.', { problems });
}
