import type { Service, Tier } from '../../harness/core/tier.ts';
import { formatBytes, formatQuantity } from '../../harness/core/units.ts';
import { findServiceType } from '../../harness/services/registry.ts';
import { plural, shortened } from '../figures.ts';
import { html, type Markup } from './markup.ts';
import { type Connection, layoutTier, type PlacedService, type TierLayout } from './tier-layout.ts';

const BOX_WIDTH = 204;
const LINE_HEIGHT = 17;
const GAP_X = 80;
const GAP_Y = 26;
/** Room for the word `load` and its arrow. */
const LEFT = 82;
const TOP = 10;
const LONGEST_LINE = 28;

/** The services of a tier as boxes with instances, limits and main settings, and an arrow for each connection with its role. */
export function tierDrawing(tier: Tier): Markup {
  const layout = layoutTier(tier);
  const lines = Math.max(1, ...tier.services.map((service) => detailsOf(service).length));
  const size: Size = { height: 38 + lines * LINE_HEIGHT, rowHeight: 38 + lines * LINE_HEIGHT + GAP_Y };
  const width = LEFT + layout.columns * (BOX_WIDTH + GAP_X) - GAP_X + 30;
  const height = TOP + layout.rows * size.rowHeight - GAP_Y + 8;
  const entry = layout.boxes.find(({ service }) => service.name === tier.entry);
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${describe(tier)}">
${entry === undefined ? [] : [html`<text x="0" y="${middle(entry, size) + 5}">load</text>`, arrow(34, middle(entry, size), left(entry) - 2, middle(entry, size))]}
${layout.connections.map((connection) => connectionMarkup(connection, layout, size))}
${layout.boxes.map((placed) => box(placed, size))}
</svg>`;
}

interface Size {
  readonly height: number;
  readonly rowHeight: number;
}

function describe(tier: Tier): string {
  const parts = tier.services.map(({ name, kind, instances, connectsTo }) => {
    const targets = Object.entries(connectsTo).map(([role, target]) => `${target} (${role})`);
    return `${name} (${kind}, ${plural(instances, 'instance')})${targets.length === 0 ? '' : ` connects to ${targets.join(', ')}`}`;
  });
  return `The load goes to ${tier.entry}. ${parts.join('. ')}.`;
}

/** `api × 2`, what each instance may use, and its main settings. */
function detailsOf({ kind, instances, resources, settings }: Service): readonly string[] {
  const limits = [
    ...(resources.cpus === undefined ? [] : [formatQuantity(resources.cpus, 'cpus')]),
    ...(resources.memoryBytes === undefined ? [] : [formatBytes(resources.memoryBytes)]),
  ];
  return [
    instances > 1 ? `${kind} × ${instances}` : kind,
    limits.length === 0 ? 'no limits' : `${limits.join(', ')}${instances > 1 ? ' each' : ''}`,
    ...(findServiceType(kind)?.shownSettings ?? []).flatMap((name) =>
      settings[name] === undefined ? [] : [`${name} ${settings[name]}`],
    ),
  ].map((line) => shortened(line, LONGEST_LINE));
}

function left({ column }: PlacedService): number {
  return LEFT + column * (BOX_WIDTH + GAP_X);
}

function middle({ row }: Pick<PlacedService, 'row'>, { rowHeight }: Size): number {
  return TOP + row * rowHeight - GAP_Y / 2;
}

/** Several instances are a stack of boxes. */
function box(placed: PlacedService, size: Size): Markup {
  const { name, instances } = placed.service;
  const [x, y] = [left(placed), middle(placed, size) - size.height / 2];
  const behind =
    instances > 1
      ? html`<rect class="copy" x="${x + 6}" y="${y - 6}" width="${BOX_WIDTH}" height="${size.height}" rx="8"/>`
      : html``;
  return html`${behind}<rect x="${x}" y="${y}" width="${BOX_WIDTH}" height="${size.height}" rx="8"/>
<text class="name" x="${x + 12}" y="${y + 24}">${shortened(name, 22)}</text>${detailsOf(placed.service).map(
    (line, index) => html`<text class="kind" x="${x + 12}" y="${y + 43 + index * LINE_HEIGHT}">${line}</text>`,
  )}`;
}

function connectionMarkup(connection: Connection, layout: TierLayout, size: Size): Markup {
  const from = layout.boxes.find(({ service }) => service.name === connection.from);
  const to = layout.boxes.find(({ service }) => service.name === connection.to);
  if (from === undefined || to === undefined) return html``;
  const role = shortened(connection.role, 14);
  if (connection.sameColumn || to.column < from.column) return besideColumn(from, to, role, layout, size);
  const points = [
    { x: left(from) + BOX_WIDTH, y: portY(connection, from, layout, size) },
    ...connection.via.flatMap((row, index) => {
      const x = left({ ...from, column: from.column + 1 + index });
      const y = middle({ row }, size);
      return [
        { x, y },
        { x: x + BOX_WIDTH, y },
      ];
    }),
    { x: left(to) - 2, y: entryY(connection, to, layout, size) },
  ];
  const [start = { x: 0, y: 0 }, ...rest] = points;
  const end = rest.at(-1) ?? start;
  let path = `M${start.x} ${start.y}`;
  for (const [index, point] of rest.entries()) {
    const before = points[index] ?? start;
    const x = point === end ? point.x - 8 : point.x;
    const bend = (before.x + x) / 2;
    path += ` C${bend} ${before.y} ${bend} ${point.y} ${x} ${point.y}`;
  }
  // On the side from which the line does not come.
  const roleY = start.y < end.y - 1 ? end.y + 16 : end.y - 6;
  return html`<path d="${path}"/>${head(end.x, end.y)}<text class="role" x="${end.x - 12}" y="${roleY}" text-anchor="end">${role}</text>`;
}

/** A replica below its primary: straight up or down; around what stands between them. */
function besideColumn(from: PlacedService, to: PlacedService, role: string, layout: TierLayout, size: Size): Markup {
  const upwards = to.row < from.row;
  const neighbours = layout.boxes.every(
    ({ column, row }) => column !== from.column || (row - from.row) * (row - to.row) >= 0,
  );
  const edge = size.height / 2;
  if (from.column === to.column && neighbours) {
    const x = left(from) + BOX_WIDTH / 2;
    const fromY = middle(from, size) + (upwards ? -edge : edge);
    const toY = middle(to, size) + (upwards ? edge + 2 : -edge - 2);
    const tip = upwards ? 'l-4.5 8 h9 z' : 'l-4.5 -8 h9 z';
    return html`<path d="M${x} ${fromY} V${toY}"/><path class="head" d="M${x} ${toY} ${tip}"/><text class="role" x="${x + 10}" y="${(fromY + toY) / 2 + 4}">${role}</text>`;
  }
  const x = Math.max(left(from), left(to)) + BOX_WIDTH;
  const [fromY, toY] = [middle(from, size), middle(to, size)];
  return html`<path d="M${left(from) + BOX_WIDTH} ${fromY} C${x + 40} ${fromY} ${x + 40} ${toY} ${left(to) + BOX_WIDTH + 9} ${toY}"/><path class="head" d="M${left(to) + BOX_WIDTH + 2} ${toY} l8 -4.5 v9 z"/>`;
}

/** Where a connection leaves its box: those of one box one below the other, in the order of where they go. */
function portY(connection: Connection, from: PlacedService, layout: TierLayout, size: Size): number {
  const own = layout.connections
    .filter((each) => each.from === connection.from && !each.sameColumn)
    .toSorted((one, other) => firstRow(one, layout) - firstRow(other, layout));
  return spread(middle(from, size), own.indexOf(connection), own.length);
}

/** Where it arrives, in the order of where they come from. */
function entryY(connection: Connection, to: PlacedService, layout: TierLayout, size: Size): number {
  const own = layout.connections
    .filter((each) => each.to === connection.to && !each.sameColumn)
    .toSorted((one, other) => lastRow(one, layout) - lastRow(other, layout));
  return spread(middle(to, size), own.indexOf(connection), own.length);
}

function spread(centre: number, index: number, count: number): number {
  return centre + (index - (count - 1) / 2) * 20;
}

function firstRow({ via, to }: Connection, layout: TierLayout): number {
  return via[0] ?? rowOf(to, layout);
}

function lastRow({ via, from }: Connection, layout: TierLayout): number {
  return via.at(-1) ?? rowOf(from, layout);
}

function rowOf(name: string, { boxes }: TierLayout): number {
  return boxes.find(({ service }) => service.name === name)?.row ?? 0;
}

function arrow(fromX: number, fromY: number, toX: number, toY: number): Markup {
  return html`<path d="M${fromX} ${fromY} L${toX - 8} ${toY}"/>${head(toX, toY)}`;
}

function head(x: number, y: number): Markup {
  return html`<path class="head" d="M${x} ${y} l-9 -4.5 v9 z"/>`;
}
