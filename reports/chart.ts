/** A chart in words and numbers: what to draw, not how. The page and the pictures are drawn from the same. */
export interface ChartDescription {
  /** Safe as a file name and as an id in the page. */
  readonly id: string;
  readonly title: string;
  /** Under which conditions, and what the marks mean. */
  readonly subtitle: string;
  /** What the chart shows, for who cannot see it. */
  readonly alt: string;
  readonly x: Axis;
  /** One above the other, on one x axis. */
  readonly panels: readonly Panel[];
  /** Stretches of the x axis with a name. */
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
  /** A line that others are held against: thin, dashed and quiet, in no style. The subtitle says what it is. */
  readonly isReference?: true;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  /** Null breaks the line. */
  readonly y: number | null;
  /** Ends of the 95 % interval. */
  readonly low?: number;
  readonly high?: number;
  /** Drawn hollow when false: the trial cannot be trusted. */
  readonly sound?: boolean;
  /** The point in words, with units. */
  readonly text: string;
}

export interface TargetLine {
  readonly value: number;
  /** Empty for the second end of a range: the first one names both. */
  readonly label: string;
  /** Where the label would cover what is drawn. */
  readonly shortLabel: string;
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  /** The larger stretch it belongs to; neighbours of the same group are drawn as one. */
  readonly group: string;
}
