import type { ChartDescription } from '../charts/chart.ts';
import type { ChartLook } from '../charts/chart-look.ts';

/** What the page carries for its script. */
export interface PageData {
  readonly charts: readonly ChartDescription[];
  readonly light: ChartLook;
  readonly dark: ChartLook;
}
