import type { Service, Tier } from '../../harness/core/tier.ts';
import { plural } from '../figures.ts';
import { html, type Markup } from './markup.ts';

const BOX_WIDTH = 140;
const BOX_HEIGHT = 58;
const GAP_X = 56;
const GAP_Y = 22;

interface Placed {
  readonly service: Service;
  readonly column: number;
  readonly row: number;
}

/** The services of a tier as boxes, from the entry on to the right, with an arrow for each connection. */
export function tierDrawing(tier: Tier): Markup {
  const placed = placeServices(tier);
  const columns = Math.max(1, ...placed.map(({ column }) => column + 1));
  const rows = Math.max(1, ...placed.map(({ row }) => row + 1));
  const width = columns * (BOX_WIDTH + GAP_X) + 46;
  const height = rows * (BOX_HEIGHT + GAP_Y) - GAP_Y + 12;
  const entry = placed.find(({ service }) => service.name === tier.entry);
  const arrows = placed.flatMap((from) =>
    Object.values(from.service.connectsTo).flatMap((name) => {
      const to = placed.find(({ service }) => service.name === name);
      return to === undefined || to === from ? [] : [arrow(right(from), middle(from), left(to), middle(to))];
    }),
  );
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${describe(tier)}">
${entry === undefined ? [] : [html`<text x="0" y="${middle(entry) + 5}">load</text>`, arrow(36, middle(entry), left(entry), middle(entry))]}
${arrows}
${placed.map(box)}
</svg>`;
}

function describe(tier: Tier): string {
  const parts = tier.services.map(({ name, kind, instances, connectsTo }) => {
    const targets = Object.values(connectsTo);
    return `${name} (${kind}, ${plural(instances, 'instance')})${targets.length === 0 ? '' : ` connects to ${targets.join(', ')}`}`;
  });
  return `The load goes to ${tier.entry}. ${parts.join('. ')}.`;
}

/** Breadth first from the entry; what nothing connects to stands in the last column. */
function placeServices(tier: Tier): readonly Placed[] {
  const columns = new Map<string, number>([[tier.entry, 0]]);
  const queue = [tier.entry];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const next = (columns.get(name) ?? 0) + 1;
    for (const target of Object.values(tier.services.find((service) => service.name === name)?.connectsTo ?? {})) {
      if (columns.has(target)) continue;
      columns.set(target, next);
      queue.push(target);
    }
  }
  const last = Math.max(...columns.values());
  const used = new Map<number, number>();
  return tier.services.map((service) => {
    const column = columns.get(service.name) ?? last;
    const row = used.get(column) ?? 0;
    used.set(column, row + 1);
    return { service, column, row };
  });
}

function left({ column }: Placed): number {
  return 40 + GAP_X * 0.7 + column * (BOX_WIDTH + GAP_X) - 10;
}

function right(placed: Placed): number {
  return left(placed) + BOX_WIDTH;
}

function top({ row }: Placed): number {
  return row * (BOX_HEIGHT + GAP_Y) + 7;
}

function middle(placed: Placed): number {
  return top(placed) + BOX_HEIGHT / 2;
}

/** Several instances are a stack of boxes. */
function box(placed: Placed): Markup {
  const { name, kind, instances } = placed.service;
  const [x, y] = [left(placed), top(placed)];
  const behind =
    instances > 1
      ? html`<rect class="copy" x="${x + 5}" y="${y - 5}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="8"/>`
      : html``;
  const note = instances > 1 ? `${kind} × ${instances}` : kind === name ? plural(instances, 'instance') : kind;
  return html`${behind}<rect x="${x}" y="${y}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="8"/>
<text x="${x + 12}" y="${y + 25}">${name.length > 16 ? `${name.slice(0, 15)}…` : name}</text><text class="kind" x="${x + 12}" y="${y + 44}">${note}</text>`;
}

function arrow(fromX: number, fromY: number, toX: number, toY: number): Markup {
  const bend = (fromX + toX) / 2;
  return html`<path d="M${fromX} ${fromY} C${bend} ${fromY} ${bend} ${toY} ${toX - 7} ${toY}"/><path class="head" d="M${toX - 1} ${toY} l-9 -4.5 v9 z"/>`;
}
