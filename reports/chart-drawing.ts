import type { ChartDescription, Panel, Span } from './chart.ts';
import type { ChartLook } from './chart-looks.ts';

/**
 * What Chart.js does not draw by itself: intervals, target lines with their labels, named spans. Like chart-config.ts
 * these functions are carried into the page as they are.
 */
export const chartDrawingFunctions = [
  drawingPlugin,
  drawSpans,
  drawSpanNames,
  drawNames,
  drawPanelFrames,
  drawIntervals,
  drawTargets,
  drawMoments,
  placeLabel,
  sharedArea,
  drawnMarks,
];

/** The part of a canvas' context that is used here. */
interface Pen {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  textAlign: string;
  textBaseline: string;
  save(): void;
  restore(): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  measureText(text: string): { readonly width: number };
}

interface Scale {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  getPixelForValue(value: number): number;
}

/** The part of a Chart.js chart that is used here. */
interface DrawnChart {
  readonly legend?: { height: number; fit(): void };
  readonly ctx: Pen;
  readonly chartArea: { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };
  readonly scales: Readonly<Record<string, Scale>>;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export function drawingPlugin(chart: ChartDescription, look: ChartLook) {
  return {
    id: 'tierbench',
    /** Room between the legend and the chart, for which Chart.js has no option. */
    beforeInit({ legend }: DrawnChart) {
      if (legend === undefined) return;
      const fit = legend.fit;
      legend.fit = () => {
        fit.call(legend);
        legend.height += 10;
      };
    },
    beforeDraw(drawn: DrawnChart) {
      drawSpans(drawn, chart, look);
    },
    beforeDatasetsDraw(drawn: DrawnChart) {
      for (const [index, panel] of chart.panels.entries()) drawIntervals(drawn, panel, index, look);
    },
    afterDatasetsDraw(drawn: DrawnChart) {
      for (const [index, panel] of chart.panels.entries()) drawTargets(drawn, panel, index, look);
      if (chart.panels.length > 1) drawPanelFrames(drawn, chart, look);
      if (chart.spans.length > 0) drawSpanNames(drawn, chart, look);
      if (chart.moments.length > 0) drawMoments(drawn, chart, look);
    },
  };
}

function drawSpans({ ctx, chartArea, scales }: DrawnChart, chart: ChartDescription, look: ChartLook): void {
  const x = scales.x;
  if (x === undefined) return;
  ctx.save();
  ctx.fillStyle = look.shade;
  for (const span of chart.spans) {
    const left = x.getPixelForValue(span.from);
    ctx.fillRect(left, chartArea.top, x.getPixelForValue(span.to) - left, chartArea.bottom - chartArea.top);
  }
  ctx.restore();
}

/** The group above, each span's own name below it; a name that would touch the one before it is left out. */
function drawSpanNames({ ctx, chartArea, scales }: DrawnChart, chart: ChartDescription, look: ChartLook): void {
  const x = scales.x;
  if (x === undefined) return;
  const groups: Span[] = [];
  for (const span of chart.spans) {
    const last = groups.at(-1);
    if (last?.group === span.group) groups[groups.length - 1] = { ...last, to: span.to };
    else groups.push(span);
  }
  ctx.save();
  ctx.textAlign = 'center';
  ctx.textBaseline = 'alphabetic';
  ctx.fillStyle = look.text;
  ctx.font = `600 13px ${look.fontFamily}`;
  drawNames(ctx, x, groups, ({ group }) => group, chartArea.top - 22);
  ctx.fillStyle = look.mutedText;
  ctx.font = `11px ${look.fontFamily}`;
  drawNames(ctx, x, chart.spans, ({ label }) => label, chartArea.top - 6);
  ctx.restore();
}

function drawNames(ctx: Pen, x: Scale, spans: readonly Span[], nameOf: (span: Span) => string, y: number): void {
  let takenTo = Number.NEGATIVE_INFINITY;
  for (const span of spans) {
    const name = nameOf(span);
    const centre = x.getPixelForValue((span.from + span.to) / 2);
    const width = ctx.measureText(name).width;
    if (centre - width / 2 < takenTo + 4) continue;
    ctx.fillText(name, centre, y);
    takenTo = centre + width / 2;
  }
}

/** A line on the ground of each panel but the lowest, where the axis has one. */
function drawPanelFrames({ ctx, chartArea, scales }: DrawnChart, chart: ChartDescription, look: ChartLook): void {
  ctx.save();
  ctx.strokeStyle = look.mutedText;
  ctx.lineWidth = 1;
  for (const index of chart.panels.keys()) {
    const y = Math.round(scales[`y${index}`]?.bottom ?? chartArea.bottom) + 0.5;
    ctx.beginPath();
    ctx.moveTo(chartArea.left, y);
    ctx.lineTo(chartArea.right, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** A bar with caps from the low to the high end of each interval; bars of several series stand a little apart. */
function drawIntervals({ ctx, scales }: DrawnChart, panel: Panel, index: number, look: ChartLook): void {
  const x = scales.x;
  const y = scales[`y${index}`];
  if (x === undefined || y === undefined) return;
  ctx.save();
  ctx.lineWidth = 1.5;
  const drawn = panel.series.filter(({ points }) => points.some(({ low }) => low !== undefined));
  for (const [position, { points, style }] of drawn.entries()) {
    const aside = (position - (drawn.length - 1) / 2) * 4;
    ctx.strokeStyle = (style === null ? undefined : look.series[style % look.series.length]?.color) ?? look.text;
    for (const { x: at, low, high } of points) {
      if (low === undefined || high === undefined || low === high) continue;
      const centre = x.getPixelForValue(at) + aside;
      const top = y.getPixelForValue(Math.min(high, panel.y.to));
      const bottom = y.getPixelForValue(Math.max(low, panel.y.from));
      // Within the mark itself a bar would only smudge it.
      if (bottom - top < 14) continue;
      ctx.beginPath();
      ctx.moveTo(centre, top);
      ctx.lineTo(centre, bottom);
      for (const end of [top, bottom]) {
        ctx.moveTo(centre - 5, end);
        ctx.lineTo(centre + 5, end);
      }
      ctx.stroke();
    }
  }
  ctx.restore();
}

function drawTargets({ ctx, chartArea, scales }: DrawnChart, panel: Panel, index: number, look: ChartLook): void {
  const x = scales.x;
  const y = scales[`y${index}`];
  if (x === undefined || y === undefined || panel.targets.length === 0) return;
  ctx.save();
  ctx.strokeStyle = look.text;
  ctx.lineWidth = 1.25;
  const taken = drawnMarks(panel, x, y);
  for (const { value } of panel.targets) {
    const at = y.getPixelForValue(value);
    ctx.beginPath();
    ctx.moveTo(chartArea.left, at);
    ctx.lineTo(chartArea.right, at);
    ctx.stroke();
  }
  ctx.font = `600 12px ${look.fontFamily}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const { value, label, shortLabel } of panel.targets) {
    if (label === '') continue;
    const lineY = y.getPixelForValue(value);
    const long = placeLabel(ctx.measureText(label).width, lineY, chartArea, taken);
    const short = placeLabel(ctx.measureText(shortLabel).width, lineY, chartArea, taken);
    const [{ box }, words] = long.covered <= short.covered ? [long, label] : [short, shortLabel];
    taken.push(box);
    ctx.globalAlpha = 0.85;
    ctx.fillStyle = look.surface;
    ctx.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    ctx.globalAlpha = 1;
    ctx.fillStyle = look.text;
    ctx.fillText(words, box.left + 4, (box.top + box.bottom) / 2);
  }
  ctx.restore();
}

/** A line through all panels, with its name at the top: to the left of it where there is no room to the right. */
function drawMoments({ ctx, chartArea, scales }: DrawnChart, chart: ChartDescription, look: ChartLook): void {
  const x = scales.x;
  if (x === undefined) return;
  ctx.save();
  ctx.strokeStyle = look.text;
  ctx.fillStyle = look.text;
  ctx.lineWidth = 1.25;
  ctx.font = `600 12px ${look.fontFamily}`;
  ctx.textBaseline = 'alphabetic';
  for (const [index, { at, label }] of chart.moments.entries()) {
    const centre = x.getPixelForValue(at);
    ctx.beginPath();
    ctx.moveTo(centre, chartArea.top - 4);
    ctx.lineTo(centre, chartArea.bottom);
    ctx.stroke();
    const next = chart.moments[index + 1];
    const end = next === undefined ? chartArea.right : x.getPixelForValue(next.at);
    const fits = ctx.measureText(label).width + 8 <= end - centre;
    ctx.textAlign = fits || index === 0 ? 'left' : 'right';
    ctx.fillText(label, centre + (fits || index === 0 ? 4 : -4), chartArea.top - (fits ? 6 : 6 + 14 * (index % 2)));
  }
  ctx.restore();
}

/** Above or below the line, and as far left or right as it takes to stand clear of what is drawn already. */
function placeLabel(
  textWidth: number,
  lineY: number,
  area: Box,
  taken: readonly Box[],
): { readonly box: Box; readonly covered: number } {
  const width = textWidth + 8;
  const height = 15;
  let best = { left: area.left + 4, top: lineY - height, right: area.left + 4 + width, bottom: lineY };
  let fewest = Number.POSITIVE_INFINITY;
  for (const share of [1, 0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]) {
    for (const top of [lineY - height - 1, lineY + 2]) {
      if (top < area.top - 1 || top + height > area.bottom + 1) continue;
      const left = area.left + 4 + (area.right - area.left - width - 8) * share;
      const box = { left, top, right: left + width, bottom: top + height };
      const covered = taken.reduce((area, other) => area + sharedArea(box, other), 0);
      if (covered < fewest) {
        best = box;
        fewest = covered;
      }
    }
  }
  return { box: best, covered: fewest };
}

function sharedArea(one: Box, other: Box): number {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Boxes around the marks, and along the lines between them. */
function drawnMarks(panel: Panel, x: Scale, y: Scale): Box[] {
  const boxes: Box[] = [];
  for (const { points } of panel.series) {
    for (const [index, point] of points.entries()) {
      if (point.y === null) continue;
      const next = points[index + 1];
      const steps = next === undefined || next.y === null ? 1 : 12;
      for (let step = 0; step < steps; step += 1) {
        const share = step / steps;
        const fromX = x.getPixelForValue(point.x);
        const fromY = y.getPixelForValue(Math.max(point.y, panel.y.from));
        const toX = next === undefined ? fromX : x.getPixelForValue(next.x);
        const toY = next === undefined || next.y === null ? fromY : y.getPixelForValue(Math.max(next.y, panel.y.from));
        const [centreX, centreY] = [fromX + (toX - fromX) * share, fromY + (toY - fromY) * share];
        const reach = step === 0 ? 6 : 2;
        boxes.push({ left: centreX - reach, top: centreY - reach, right: centreX + reach, bottom: centreY + reach });
      }
    }
  }
  return boxes;
}
