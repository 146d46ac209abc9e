import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeThrown, TierbenchError } from '../harness/core/errors.ts';
import type { StudyRecord } from '../harness/core/study-record.ts';
import { cannotWrite, writeAtomically } from '../harness/files/atomic-write.ts';
import { loadPictures, type Pictures } from './charts/png.ts';
import { chartsOf } from './document.ts';
import { reportOf, type StudyReport } from './documents/registry.ts';
import { renderHtml } from './renderers/html.ts';
import { renderMarkdown } from './renderers/markdown.ts';
import { pageScript } from './renderers/page-bundle.ts';

/** A part of a report that is missing, and why. */
interface PartNotWritten {
  readonly code: 'part-not-written';
  /** `report.html`, `charts/*.png` */
  readonly part: string;
  readonly detail: string;
}

export interface WrittenReport extends Pick<StudyReport, 'document' | 'verdict'> {
  /** Paths, absolute or relative as `folder` was; null where the file could not be made or written. */
  readonly html: string | null;
  readonly markdown: string | null;
  readonly json: string | null;
  readonly charts: readonly string[];
  readonly missing: readonly PartNotWritten[];
  /** What else a reader should know of the parts. */
  readonly notes: readonly string[];
}

/**
 * Writes report.html, report.md, report.json and charts/*.png into the results folder. The same record gives the same
 * bytes each time. A format or a chart that cannot be drawn or written is named in `missing`, and the others are written.
 * @throws TierbenchError CANNOT_WRITE where none can be written
 */
export function writeReport(folder: string, record: StudyRecord, load = loadPictures): Promise<WrittenReport> {
  return writeDocument(folder, reportOf(record), load);
}

/** As `writeReport`, of what is no study. */
export async function writeDocument(
  folder: string,
  { document, json, verdict }: StudyReport,
  load: () => Promise<Pictures> = loadPictures,
): Promise<WrittenReport> {
  const missing: PartNotWritten[] = [];
  const notes: string[] = [];
  let firstError: unknown;
  const isMissing = (part: string, error: unknown) => {
    firstError ??= error;
    missing.push({ code: 'part-not-written', part, detail: describeThrown(error) });
  };
  const write = async (name: string, make: () => string | Uint8Array | Promise<string>): Promise<string | null> => {
    try {
      const path = join(folder, name);
      await writeAtomically(path, await make());
      return path;
    } catch (error) {
      isMissing(name, error);
      return null;
    }
  };
  const charts = chartsOf(document.blocks);
  const paths = new Map<string, string>();
  const pictures = charts.length === 0 ? null : await load();
  if (pictures === null) notes.push('no charts: nothing was measured that could be drawn');
  else if (pictures.kind === 'unavailable') isMissing('charts/*.png', pictures.why);
  else {
    if (pictures.note !== null) notes.push(pictures.note);
    const error = await mkdir(join(folder, 'charts'), { recursive: true }).then(
      () => null,
      (cause: unknown) => ({ cause }),
    );
    if (error !== null) isMissing('charts/*.png', cannotWrite(join(folder, 'charts'), error.cause));
    for (const chart of error === null ? charts : []) {
      const path = await write(`charts/${chart.id}.png`, () => pictures.draw(chart));
      if (path !== null) paths.set(chart.id, path);
    }
  }
  const relative = new Map([...paths.keys()].map((id) => [id, `charts/${id}.png`]));
  const formats = {
    json: await write('report.json', json),
    markdown: await write('report.md', () => renderMarkdown(document, relative)),
    html: await write('report.html', async () => renderHtml(document, await pageScript())),
  };
  const isNone = Object.values(formats).every((path) => path === null);
  if (isNone && firstError instanceof TierbenchError) throw firstError;
  return { document, verdict, ...formats, charts: [...paths.values()], missing, notes };
}
