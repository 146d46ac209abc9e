import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunResult } from '../../harness/core/run.ts';
import { hostileRun, madeUpTierRun, troubledRun } from '../../test-support/made-up-run.ts';
import { chromiumProgram, lacks } from '../../test-support/requirements.ts';
import { reportOf } from '../documents/registry.ts';
import { renderHtml } from './html.ts';
import { pageScript } from './page-bundle.ts';

const launchArguments = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(lacks('chromium'))('the page in a browser (needs chromium)', () => {
  const run = madeUpTierRun();
  let complete = '';
  let folder = '';
  let browser: Browser;

  beforeAll(async () => {
    const executablePath = chromiumProgram();
    if (executablePath === undefined) throw new Error('chromium is not installed: apt-get install chromium');
    folder = await mkdtemp(join(tmpdir(), 'tierbench-test-page-'));
    complete = await pageOf(run);
    browser = await chromium.launch({ executablePath, args: launchArguments });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function pageOf(result: RunResult): Promise<string> {
    return renderHtml(reportOf(result).document, await pageScript());
  }

  const openDetails = "document.querySelectorAll('details').forEach((each) => { each.open = true; })";

  interface Seen {
    readonly page: Page;
    /** Console messages, errors and requests for anything but the page itself. */
    readonly complaints: readonly string[];
  }

  async function open(html: string, options: { width?: number; dark?: boolean } = {}): Promise<Seen> {
    const file = join(folder, 'report.html');
    await writeFile(file, html);
    const page = await browser.newPage({
      viewport: { width: options.width ?? 1280, height: 900 },
      colorScheme: options.dark === true ? 'dark' : 'light',
    });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) complaints.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return { page, complaints };
  }

  /** How many different colours the pixels of each chart have. */
  function coloursOfCharts(page: Page): Promise<number[]> {
    return page.locator('canvas').evaluateAll((canvases) =>
      canvases.map((canvas) => {
        const drawn = canvas as unknown as {
          width: number;
          height: number;
          getContext(kind: '2d'): { getImageData(...area: number[]): { data: Uint8ClampedArray } };
        };
        const { data } = drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height);
        return new Set(new Uint32Array(data.buffer)).size;
      }),
    );
  }

  test.each([
    { width: 1280, dark: false },
    { width: 1280, dark: true },
    { width: 360, dark: false },
    { width: 360, dark: true },
  ])(
    'draws every chart, also the folded ones, without an error or a request ($width px, dark: $dark)',
    async (options) => {
      const { page, complaints } = await open(complete, options);
      await page.evaluate(openDetails);
      const drawn = async () => (await coloursOfCharts(page)).filter((colours) => colours > 10).length;
      await expect.poll(drawn).toBe(await page.locator('canvas').count());
      expect(complaints).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      await page.close();
    },
  );

  test('the answer and its table are seen first, in full, on a wide screen and on a phone', async () => {
    for (const width of [1280, 360]) {
      const { page } = await open(complete, { width });
      const answer = await page.locator('.answer').boundingBox();
      expect((answer?.y ?? 0) + (answer?.height ?? 0)).toBeLessThan(900);
      const [table, card] = (await page.evaluate(
        "[document.querySelector('table')].flatMap((each) => [each.scrollWidth, each.parentElement.clientWidth])",
      )) as [number, number];
      expect(table).toBeLessThanOrEqual(card);
      await page.close();
    }
  });

  test.each([true, false])('all text has a contrast of at least 4.5 to 1, in trouble too (dark: %s)', async (dark) => {
    const { page } = await open(await pageOf(troubledRun(run)), { dark });
    await page.evaluate(openDetails);
    const contrasts = (await page.evaluate(contrastScript)) as { text: string; contrast: number }[];
    expect(contrasts.length).toBeGreaterThan(100);
    expect(contrasts.filter(({ contrast }) => contrast < 4.5)).toEqual([]);
    await page.close();
  });

  test('the button turns the page dark and light again, with the keyboard', async () => {
    const { page, complaints } = await open(complete);
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await ground()).not.toBe(light);
    await page.keyboard.press('Enter');
    expect(await ground()).toBe(light);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('headings step down one at a time, tables have captions, charts have words', async () => {
    const { page } = await open(complete);
    const levels = await page
      .locator('h1, h2, h3, h4')
      .evaluateAll((all) => all.map((each) => Number(each.nodeName.slice(1))));
    expect(levels[0]).toBe(1);
    for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
    expect(await page.locator('table').count()).toBe(await page.locator('table > caption').count());
    const words = await page
      .locator('canvas')
      .evaluateAll((all) => all.map((each) => each.getAttribute('aria-label') ?? ''));
    for (const alt of words) expect(alt.length).toBeGreaterThan(40);
    await page.close();
  });

  test('prints in light colours', async () => {
    const { page } = await open(complete, { dark: true });
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect((await page.pdf({ preferCSSPageSize: true })).length).toBeGreaterThan(20_000);
    await page.close();
  });

  test('names and messages that try to be scripts stay text', async () => {
    const { page, complaints } = await open(await pageOf(hostileRun(run)), { width: 360 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect(await page.title()).toContain('<img src=x');
    expect(await page.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('every line of a drawing stays in its box', async () => {
    const { page } = await open(complete);
    await page.evaluate(openDetails);
    const outside = await page.locator('.drawing svg').evaluateAll((drawings) =>
      drawings.flatMap((drawing) => {
        const svg = drawing as unknown as SVGLike;
        const boxes = [...svg.querySelectorAll('rect:not(.copy)')].map((each) => each.getBBox());
        return [...svg.querySelectorAll('text.name, text.kind')]
          .filter((text) => {
            const { x, y, width, height } = text.getBBox();
            return !boxes.some(
              (box) => x >= box.x && y >= box.y && x + width <= box.x + box.width && y + height <= box.y + box.height,
            );
          })
          .map((text) => text.textContent);
      }),
    );
    expect(outside).toEqual([]);
    await page.close();
  });

  test('the policy of the page would stop a script that slipped in', async () => {
    const { page, complaints } = await open(complete);
    await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = "document.title = 'hacked'";
      document.body.append(script);
      new Image().src = 'http://127.0.0.1:9/x.png';
    `);
    expect(await page.title()).not.toBe('hacked');
    await expect.poll(() => complaints.filter((each) => each.includes('Content Security Policy'))).toHaveLength(2);
    await page.close();
  });
});

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of an SVG element that is used here. */
interface SVGLike {
  querySelectorAll(selector: string): Iterable<{ readonly textContent: string; getBBox(): Box }>;
}

/** WCAG 2.2 contrast of each text with what lies below it. */
const contrastScript = `(() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((each) => each / 255).map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = channels(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text === '' || element.closest('script, canvas, svg') || element.getClientRects().length === 0) continue;
    const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
    found.push({ text: text.slice(0, 40), contrast: (one + 0.05) / (other + 0.05) });
  }
  return found;
})()`;
