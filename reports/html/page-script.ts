import type { ChartDescription } from '../chart.ts';
import type { chartConfig } from '../chart-config.ts';
import type { drawingPlugin } from '../chart-drawing.ts';
import type { ChartLook } from '../chart-looks.ts';

/** What the page carries for its script. */
export interface PageData {
  readonly charts: readonly ChartDescription[];
  readonly light: ChartLook;
  readonly dark: ChartLook;
}

/** The parts of the browser that are used here. */
interface Browser {
  readonly document: {
    readonly documentElement: { readonly dataset: Record<string, string> };
    getElementById(id: string): PageElement | null;
  };
  matchMedia(query: string): {
    readonly matches: boolean;
    addEventListener(type: 'change', listener: () => void): void;
  };
  addEventListener(type: 'beforeprint' | 'afterprint', listener: () => void): void;
  readonly Chart: new (canvas: PageElement, config: ChartWithDrawing) => { destroy(): void };
}

type ChartWithDrawing = ReturnType<typeof chartConfig> & { plugins: ReturnType<typeof drawingPlugin>[] };

interface PageElement {
  textContent: string | null;
  hidden: boolean;
  addEventListener(type: 'click', listener: () => void): void;
}

/**
 * Draws the charts, and draws them again when the page turns dark, light or to paper. It is carried into the page as it
 * is, beside `chartConfig` and what that calls, so it uses nothing else of any module.
 */
export function startPage(browser: Browser, configOf: typeof chartConfig, pluginOf: typeof drawingPlugin): void {
  const { document } = browser;
  const data = JSON.parse(document.getElementById('page-data')?.textContent ?? '{}') as PageData;
  const prefersDark = browser.matchMedia('(prefers-color-scheme: dark)');
  const theme = document.getElementById('theme');
  let drawn: { destroy(): void }[] = [];

  const isDark = () =>
    document.documentElement.dataset.theme === undefined
      ? prefersDark.matches
      : document.documentElement.dataset.theme === 'dark';
  const draw = (look: ChartLook) => {
    for (const chart of drawn) chart.destroy();
    drawn = data.charts.flatMap((chart) => {
      const canvas = document.getElementById(`chart-${chart.id}`);
      return canvas === null
        ? []
        : [new browser.Chart(canvas, { ...configOf(chart, look, false), plugins: [pluginOf(chart, look)] })];
    });
  };
  const show = () => {
    draw(isDark() ? data.dark : data.light);
    if (theme !== null) theme.textContent = isDark() ? 'Light page' : 'Dark page';
  };

  if (theme !== null) {
    theme.hidden = false;
    theme.addEventListener('click', () => {
      document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
      show();
    });
  }
  prefersDark.addEventListener('change', show);
  browser.addEventListener('beforeprint', () => draw(data.light));
  browser.addEventListener('afterprint', show);
  show();
}
