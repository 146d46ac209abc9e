/** A chart as data: what to draw, not how. The page and the PNG files are drawn from the same. */
export interface ChartDescription {
  /** Safe as a file name and as an id in the page. */
  readonly id: string;
  readonly title: string;
  /** The conditions, and what the marks mean. */
  readonly subtitle: string;
  /** What the chart shows, for a reader who cannot see it. */
  readonly alt: string;
  readonly x: Axis;
  /** One above the other, on one x axis. */
  readonly panels: readonly Panel[];
  /** Named intervals of the x axis. */
  readonly spans: readonly Span[];
  /** Points of the x axis at which something happened. */
  readonly moments: readonly Moment[];
}

interface Moment {
  readonly at: number;
  readonly label: string;
}

export interface Axis {
  /** With its unit. */
  readonly title: string;
  readonly scale: 'linear' | 'log';
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly Tick[];
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface Panel {
  readonly y: Axis;
  /** Share of the height, relative to the other panels. */
  readonly weight: number;
  readonly series: readonly Series[];
  readonly targets: readonly TargetLine[];
}

export interface Series {
  readonly label: string;
  /** Which colour, dash and mark; the same number looks the same everywhere. Null: the colour of text. */
  readonly style: number | null;
  readonly inLegend: boolean;
  readonly marks: boolean;
  /** A thin dashed line that others are compared with, in no style. The subtitle says what it is. */
  readonly isReference?: true;
  /** In place of the dash of its style: whole for what was measured, dotted for what a model says. */
  readonly line?: 'whole' | 'dotted';
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  /** Null breaks the line. */
  readonly y: number | null;
  /** Ends of the 95 % interval. */
  readonly low?: number;
  readonly high?: number;
  /** Drawn hollow when false: the trial is invalid. */
  readonly valid?: boolean;
  /** The point in words, with units. */
  readonly text: string;
}

export interface TargetLine {
  readonly value: number;
  /** Empty for the second end of a range: the first one names both. */
  readonly label: string;
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  /** The larger interval it belongs to; neighbours of the same group get one name. */
  readonly group: string;
}

/** All values of the lines, with the ends of their intervals. */
export function valuesOf(series: readonly Series[]): readonly number[] {
  return series.flatMap(({ points }) =>
    points.flatMap(({ y, low, high }) => [y, low, high].filter((value) => typeof value === 'number')),
  );
}

/** Names of tiers are a person's: what is no letter or digit becomes a dash. */
export function fileNamePart(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^\.+/, '');
}
