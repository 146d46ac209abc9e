import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TierbenchError } from '../harness/core/errors.ts';
import type { StudyRecord } from '../harness/core/study-record.ts';
import { cannotWrite, writeAtomically } from '../harness/files/atomic-write.ts';
import { loadPictures, type Pictures } from './charts/png.ts';
import { chartsOf } from './document.ts';
import { reportOf, type StudyReport } from './documents/registry.ts';
import { renderHtml } from './renderers/html.ts';
import { renderMarkdown } from './renderers/markdown.ts';
import { pageScript } from './renderers/page-bundle.ts';

export interface WrittenReport extends Pick<StudyReport, 'document' | 'verdict'> {
  /** Paths, absolute or relative as `folder` was; null where the file could not be made, which `notes` say. */
  readonly html: string | null;
  readonly markdown: string | null;
  readonly json: string | null;
  readonly charts: readonly string[];
  /** What could not be made, and why. */
  readonly notes: readonly string[];
}

/**
 * Writes report.html, report.md, report.json and charts/*.png into the results folder. The same record gives the same
 * bytes each time. A format or a chart that cannot be made is left out with a note.
 * @throws TierbenchError CANNOT_WRITE
 */
export async function writeReport(
  folder: string,
  record: StudyRecord,
  load: () => Promise<Pictures> = loadPictures,
): Promise<WrittenReport> {
  const { document, json, verdict } = reportOf(record);
  const notes: string[] = [];
  /** Null where `make` fails; that a file cannot be written ends the report. */
  const write = async (name: string, make: () => string | Uint8Array | Promise<string>): Promise<string | null> => {
    try {
      const path = join(folder, name);
      await writeAtomically(path, await make());
      return path;
    } catch (error) {
      if (error instanceof TierbenchError) throw error;
      notes.push(`${name} could not be made: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
  const charts = chartsOf(document.blocks);
  const paths = new Map<string, string>();
  const pictures = charts.length === 0 ? null : await load();
  if (pictures === null) notes.push('no charts: nothing was measured that could be drawn');
  else if (pictures.kind === 'unavailable') notes.push(pictures.why);
  else {
    if (pictures.note !== null) notes.push(pictures.note);
    await mkdir(join(folder, 'charts'), { recursive: true }).catch((cause: unknown) => {
      throw cannotWrite(join(folder, 'charts'), cause);
    });
    for (const chart of charts) {
      const path = await write(`charts/${chart.id}.png`, () => pictures.draw(chart));
      if (path !== null) paths.set(chart.id, path);
    }
  }
  const relative = new Map([...paths.keys()].map((id) => [id, `charts/${id}.png`]));
  return {
    document,
    verdict,
    json: await write('report.json', json),
    markdown: await write('report.md', () => renderMarkdown(document, relative)),
    html: await write('report.html', async () => renderHtml(document, await pageScript())),
    charts: [...paths.values()],
    notes,
  };
}
