import type { Chart } from 'chart.js';
import type { Axis, ChartDescription, Panel, Span } from './chart.ts';
import type { ChartLook } from './chart-look.ts';

/** What stands on a chart beside its lines: named spans, moments and targets. */

/** A line or a box, as chartjs-plugin-annotation takes it. */
interface Annotated {
  readonly type: 'line' | 'box';
  readonly [option: string]: unknown;
}

export function annotationsOf(chart: ChartDescription, look: ChartLook): readonly Annotated[] {
  const groups: Span[] = [];
  for (const span of chart.spans) {
    const last = groups.at(-1);
    if (last?.group === span.group) groups[groups.length - 1] = { ...last, to: span.to };
    else groups.push({ ...span, label: span.group });
  }
  return [
    ...chart.spans.map((span) => spanBox(span, look, look.shade, 11, 8)),
    ...groups.map((group) => spanBox(group, look, 'transparent', 13, 25)),
    ...chart.panels.flatMap((panel, index) => panel.targets.map((target) => targetLine(target, panel, index, look))),
    ...chart.moments.map(
      ({ at, label }): Annotated => ({
        type: 'line',
        scaleID: 'x',
        value: at,
        borderColor: look.text,
        borderWidth: 1.25,
        label: { ...labelLook(look), content: label, position: 'end', yAdjust: -14 },
      }),
    ),
  ];
}

/** The name stands above the chart, where it fits over its own span. */
function spanBox(span: Span, look: ChartLook, color: string, size: number, above: number): Annotated {
  const isBold = size > 12;
  return {
    type: 'box',
    xScaleID: 'x',
    // Of no scale, so that it covers all panels.
    yScaleID: 'all',
    xMin: span.from,
    xMax: span.to,
    backgroundColor: color,
    borderWidth: 0,
    drawTime: 'beforeDraw',
    label: {
      display: ({ chart: { ctx, scales } }: { readonly chart: Chart }) => {
        const { x } = scales;
        if (x === undefined) return false;
        ctx.save();
        ctx.font = `${isBold ? '600 ' : ''}${size}px ${look.fontFamily}`;
        const { width } = ctx.measureText(span.label);
        ctx.restore();
        return width <= x.getPixelForValue(span.to) - x.getPixelForValue(span.from) + 6;
      },
      content: span.label,
      position: { x: 'center', y: 'start' },
      yAdjust: -above - 8,
      padding: 0,
      color: isBold ? look.text : look.mutedText,
      font: { family: look.fontFamily, size, weight: isBold ? 600 : 400 },
    },
  };
}

function targetLine({ value, label }: Panel['targets'][number], panel: Panel, index: number, look: ChartLook) {
  return {
    type: 'line',
    scaleID: `y${index}`,
    value,
    borderColor: look.text,
    borderWidth: 1.25,
    label: {
      ...labelLook(look),
      display: label !== '',
      content: label,
      position: freeEnd(panel, value),
      yAdjust: placeOn(panel.y, value) > 0.9 ? 10 : -10,
    },
  } satisfies Annotated;
}

function labelLook(look: ChartLook) {
  return {
    display: true,
    backgroundColor: `${look.surface}d9`,
    color: look.text,
    padding: { x: 4, y: 1 },
    font: { family: look.fontFamily, size: 12, weight: 600 },
  } as const;
}

/** The end of a target's line that has fewer points near it. */
function freeEnd({ y, series }: Panel, value: number): 'start' | 'end' {
  const distance = (end: 0 | -1) =>
    Math.min(
      1,
      ...series.flatMap(({ points }) => {
        const near = points.at(end)?.y ?? null;
        return near === null ? [] : [Math.abs(placeOn(y, near) - placeOn(y, value))];
      }),
    );
  return distance(0) > distance(-1) ? 'start' : 'end';
}

/** 0 at the lower end of the axis, 1 at the upper. */
function placeOn({ scale, from, to }: Axis, value: number): number {
  return scale === 'log' ? Math.log(Math.max(value, from) / from) / Math.log(to / from) : (value - from) / (to - from);
}
