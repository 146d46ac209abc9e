import { createRequire } from 'node:module';
import type { Chart } from 'chart.js';
import { describeThrown } from '../../harness/core/errors.ts';
import type { ChartDescription } from './chart.ts';
import { chartConfig } from './chart-config.ts';
import { lightLook } from './chart-look.ts';

/** PNG files, or the reason why there are none. */
export type Pictures =
  | { readonly kind: 'drawn'; readonly draw: (chart: ChartDescription) => Uint8Array; readonly note: string | null }
  | { readonly kind: 'unavailable'; readonly why: string };

const WIDTH = 960;
const HEIGHT = 540;
const PANELS_HEIGHT = 760;
/** Twice the pixels, so that text stays sharp in a document. */
const PIXEL_RATIO = 2;

const FONT = 'tierbench';
/** The parts of the font that names and figures need; each is a family of its own, tried in this order. */
const FONT_PARTS = ['latin', 'latin-ext', 'greek', 'cyrillic', 'vietnamese'];
const FONT_WEIGHTS = [400, 600];

/** The part of the canvas package that is used here. */
interface Canvas {
  readonly GlobalFonts?: { has(family: string): boolean; registerFromPath(path: string, family: string): unknown };
}

/**
 * Loads what draws PNG files. Both packages are optional: without them a report has no pictures and says so.
 * The font comes with tierbench, since a fresh server has none, and so that every machine draws the same.
 */
export async function loadPictures(
  load: () => Promise<typeof import('chartjs-node-canvas')> = () => import('chartjs-node-canvas'),
): Promise<Pictures> {
  const require = createRequire(import.meta.url);
  try {
    const { ChartJSNodeCanvas } = await load();
    const { fontFamily, note } = registerFont(require);
    const look = lightLook(fontFamily);
    const renderers = new Map<number, InstanceType<typeof ChartJSNodeCanvas>>();
    const rendererOf = (height: number) => {
      const renderer =
        renderers.get(height) ??
        new ChartJSNodeCanvas({
          width: WIDTH,
          height,
          backgroundColour: look.surface,
          chartCallback: (chartJs) => registerPlugins(chartJs, require),
        });
      renderers.set(height, renderer);
      return renderer;
    };
    // It loads the native canvas only now, which may be missing for this platform.
    rendererOf(HEIGHT);
    const draw = (chart: ChartDescription) => {
      const renderer = rendererOf(chart.panels.length > 1 ? PANELS_HEIGHT : HEIGHT);
      const config = chartConfig(chart, look, true);
      return renderer.renderToBufferSync({
        ...config,
        options: { ...config.options, devicePixelRatio: PIXEL_RATIO },
      } as Parameters<typeof renderer.renderToBufferSync>[0]);
    };
    return { kind: 'drawn', draw, note };
  } catch (error) {
    const reason = describeThrown(error).split('\n')[0] ?? '';
    return {
      kind: 'unavailable',
      // npm heeds overrides of the package at the root alone, which in a folder of somebody else is theirs.
      why: `the optional package chartjs-node-canvas cannot be loaded (${reason}); \`npm install --include=optional\` installs it; where tierbench is a dependency, first add "overrides": { "canvas": "npm:@napi-rs/canvas@1.1.1" } to package.json, a canvas that needs no compiler`,
    };
  }
}

/** Each renderer has a Chart.js of its own; plugins are loaded anew, so that they extend that one. */
function registerPlugins({ register }: typeof Chart, require: NodeJS.Require): void {
  const fresh = (name: string): unknown => {
    const path = require.resolve(name);
    delete require.cache[path];
    return require(path);
  };
  const bars = fresh('chartjs-chart-error-bars') as typeof import('chartjs-chart-error-bars');
  const annotation = fresh('chartjs-plugin-annotation') as typeof import('chartjs-plugin-annotation').default;
  register(bars.LineWithErrorBarsController, bars.PointWithErrorBar, annotation);
}

function registerFont(require: NodeJS.Require): { fontFamily: string; note: string | null } {
  try {
    const fonts = (createRequire(require.resolve('chartjs-node-canvas'))('canvas') as Canvas).GlobalFonts;
    if (fonts === undefined) throw new Error('this canvas cannot load fonts');
    for (const part of FONT_PARTS.filter((each) => !fonts.has(`${FONT} ${each}`))) {
      for (const weight of FONT_WEIGHTS) {
        const file = require.resolve(`@fontsource/inter/files/inter-${part}-${weight}-normal.woff2`);
        if (fonts.registerFromPath(file, `${FONT} ${part}`) === null) throw new Error(`cannot load ${file}`);
      }
    }
    return { fontFamily: [...FONT_PARTS.map((part) => `'${FONT} ${part}'`), 'sans-serif'].join(', '), note: null };
  } catch {
    return {
      fontFamily: 'sans-serif',
      note: 'the PNG charts use a font of this machine: the optional package @fontsource/inter cannot be loaded',
    };
  }
}
