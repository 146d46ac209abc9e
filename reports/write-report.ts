import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunResult } from '../harness/core/run.ts';
import { cannotWrite, writeAtomically } from '../harness/files/atomic-write.ts';
import { type Analysis, allCharts, analyse } from './analysis.ts';
import { renderHtml } from './html/page.ts';
import { renderJson } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import { loadPictures } from './png.ts';

export interface WrittenReport {
  readonly analysis: Analysis;
  /** Absolute or relative as `folder` was. */
  readonly html: string;
  readonly markdown: string;
  readonly json: string;
  readonly charts: readonly string[];
  /** What could not be made, and why. */
  readonly notes: readonly string[];
}

/**
 * Writes report.html, report.md, report.json and charts/*.png into the results folder. The same result gives the same
 * bytes each time.
 * @throws TierbenchError CANNOT_WRITE
 */
export async function writeReport(folder: string, result: RunResult): Promise<WrittenReport> {
  const analysis = analyse(result);
  const { files, notes } = await drawCharts(analysis);
  if (files.size > 0) {
    await mkdir(join(folder, 'charts'), { recursive: true }).catch((cause: unknown) => {
      throw cannotWrite(join(folder, 'charts'), cause);
    });
  }
  const pictures = new Map([...files.keys()].map((id) => [id, `charts/${id}.png`]));
  const write = async (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    await writeAtomically(path, content);
    return path;
  };
  const charts: string[] = [];
  for (const [id, png] of files) charts.push(await write(join('charts', `${id}.png`), png));
  return {
    analysis,
    json: await write('report.json', renderJson(analysis)),
    markdown: await write('report.md', renderMarkdown(analysis, pictures)),
    html: await write('report.html', renderHtml(analysis)),
    charts,
    notes,
  };
}

async function drawCharts(
  analysis: Analysis,
): Promise<{ files: ReadonlyMap<string, Uint8Array>; notes: readonly string[] }> {
  const charts = allCharts(analysis);
  if (charts.length === 0) return { files: new Map(), notes: ['no charts: the run measured nothing to draw'] };
  const pictures = await loadPictures();
  if (pictures.kind === 'unavailable') return { files: new Map(), notes: [pictures.why] };
  return {
    files: new Map(charts.map((chart) => [chart.id, pictures.draw(chart)])),
    notes: pictures.note === null ? [] : [pictures.note],
  };
}
