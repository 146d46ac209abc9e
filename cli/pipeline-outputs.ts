import { appendFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TierbenchError } from '../harness/core/errors.ts';
import type { StudyRecord } from '../harness/core/study-record.ts';
import { absoluteFolder, cannotWrite, writeAtomically } from '../harness/files/atomic-write.ts';
import { makeFolder } from '../harness/machine/file-system.ts';
import { type PipelineResult, pipelineResult } from '../reports/pipeline.ts';
import { renderBencher, renderBenchmarkJson } from '../reports/renderers/benchmark-files.ts';
import { renderComment, renderSummary } from '../reports/renderers/comment.ts';
import { renderJunit } from '../reports/renderers/junit.ts';

/** Files for a pipeline, by the option that names them. */
export interface PipelineOutputs {
  readonly junit?: string;
  readonly summary?: string;
  readonly comment?: string;
  readonly bencher?: string;
  readonly benchmarkJson?: string;
}

const renderers = {
  junit: renderJunit,
  comment: renderComment,
  bencher: renderBencher,
  benchmarkJson: renderBenchmarkJson,
} as const satisfies Partial<Record<keyof PipelineOutputs, (result: PipelineResult) => string>>;

/** @throws TierbenchError CANNOT_WRITE */
export async function writePipelineOutputs(
  record: StudyRecord,
  outputs: PipelineOutputs,
  stepSummary = process.env.GITHUB_STEP_SUMMARY,
): Promise<void> {
  const named = Object.entries(renderers).flatMap(([option, render]) => {
    const file = outputs[option as keyof typeof renderers];
    return file === undefined ? [] : [{ file: absoluteFolder(file), render }];
  });
  const summary = outputs.summary ?? (stepSummary || undefined);
  if (named.length === 0 && summary === undefined) return;
  const result = pipelineResult(record);
  for (const { file, render } of named) await write(file, render(result), writeAtomically);
  // Others may have written to the summary of the step.
  if (summary !== undefined) {
    await write(absoluteFolder(summary), renderSummary(result), summary === stepSummary ? appendFile : writeAtomically);
  }
}

async function write(file: string, text: string, put: (file: string, text: string) => Promise<void>): Promise<void> {
  try {
    await makeFolder(dirname(file));
    await put(file, text);
  } catch (cause) {
    throw cause instanceof TierbenchError ? cause : cannotWrite(file, cause);
  }
}
