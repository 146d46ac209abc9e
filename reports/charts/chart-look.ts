import type { ChartDescription } from './chart.ts';

/** How charts look. Plain data, so that it can stand in the page. */
export interface ChartLook {
  readonly fontFamily: string;
  readonly text: string;
  readonly mutedText: string;
  readonly grid: string;
  readonly surface: string;
  readonly shade: string;
  /** Distinguished by colour, dash and mark, so that one of them is enough. */
  readonly series: readonly SeriesLook[];
}

export interface SeriesLook {
  readonly color: string;
  readonly dash: readonly number[];
  readonly mark: 'circle' | 'rect' | 'triangle' | 'rectRot' | 'crossRot' | 'star';
}

/**
 * Hues of Okabe and Ito ("Color Universal Design", 2008), which people with any kind of colour blindness can tell apart,
 * darkened or lightened until each has a contrast of at least 3 to 1 against its ground (WCAG 2.2, 1.4.11).
 */
const lightHues = ['#0072b2', '#c4500a', '#007d5c', '#a6407f', '#7a6200', '#4d5560'];
const darkHues = ['#56b4e9', '#f5915b', '#35c79b', '#e08cc0', '#e3cf4c', '#b9c0c8'];
const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [12, 4]];
const marks = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot', 'star'] as const;

function seriesLooks(hues: readonly string[]): readonly SeriesLook[] {
  return marks.map((mark, index) => ({ color: hues[index] ?? '', dash: dashes[index] ?? [], mark }));
}

export function lightLook(fontFamily: string): ChartLook {
  return {
    fontFamily,
    text: '#1b2026',
    mutedText: '#59636e',
    grid: '#e4e7ea',
    surface: '#ffffff',
    shade: '#f1f4f6',
    series: seriesLooks(lightHues),
  };
}

export function darkLook(fontFamily: string): ChartLook {
  return {
    fontFamily,
    text: '#e8ebee',
    mutedText: '#a3adb7',
    grid: '#31383f',
    surface: '#171b1f',
    shade: '#20262b',
    series: seriesLooks(darkHues),
  };
}

/** What the page carries for its script. */
export interface PageData {
  readonly charts: readonly ChartDescription[];
  readonly light: ChartLook;
  readonly dark: ChartLook;
}
