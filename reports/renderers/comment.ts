import type { Block } from '../document.ts';
import type { PipelineResult } from '../pipeline.ts';
import { renderBlocks } from './markdown.ts';

type Commented = Pick<PipelineResult, 'id' | 'blocks' | 'footer'>;

/** GitHub takes 65,536 characters in a comment, GitLab and a step summary a million bytes. */
const MOST_COMMENT = 60_000;
const MOST_SUMMARY = 250_000;

/** The first line of a comment: a pipeline that finds it updates that comment instead of writing another. */
export function commentMarker({ id }: Pick<PipelineResult, 'id'>): string {
  return `<!-- tierbench:${id.replaceAll(/-{2,}/gu, '-')} -->`;
}

/** The body of a comment on a pull request: the answer, a small table, and the rest folded as far as it fits. */
export function renderComment(result: Commented): string {
  return `${commentMarker(result)}\n${fitting(result, MOST_COMMENT)}`;
}

export function renderSummary(result: Commented): string {
  return fitting(result, MOST_SUMMARY);
}

function fitting({ blocks, footer }: Commented, most: number): string {
  const short = blocks.filter(({ kind }) => kind !== 'details');
  const first: readonly (readonly Block[])[] = [blocks, short, short.filter(({ kind }) => kind !== 'table')];
  const texts = first.map((each) => renderBlocks(each, footer));
  return texts.find((text) => text.length <= most) ?? `${texts.at(-1)?.slice(0, most)}…\n`;
}
