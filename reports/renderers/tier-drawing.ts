import dagre from '@dagrejs/dagre';
import type { Service, Tier } from '../../harness/core/tier.ts';
import { formatBytes, formatQuantity } from '../../harness/core/units.ts';
import { shippedTypes } from '../../harness/services/registry.ts';
import { plural, shortened } from '../text.ts';
import { html, type Markup } from './markup.ts';

const BOX_WIDTH = 204;
const LINE_HEIGHT = 17;
const MARGIN = 10;
const LONGEST_LINE = 28;
const LOAD = '\u0000load';

/** The services of a tier as boxes with instances, limits and main settings, and an arrow for each connection with its role. */
export function tierDrawing(tier: Tier): Markup {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 26, ranksep: 46, marginx: MARGIN, marginy: MARGIN });
  graph.setNode(LOAD, { width: 34, height: 20 });
  for (const service of tier.services) {
    graph.setNode(service.name, { width: BOX_WIDTH, height: 38 + detailsOf(service).length * LINE_HEIGHT });
  }
  graph.setEdge(LOAD, tier.entry, label(''));
  for (const { name, connectsTo } of tier.services) {
    for (const [role, to] of Object.entries(connectsTo))
      if (graph.hasNode(to)) graph.setEdge(name, to, label(role), role);
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return html`<svg viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" height="${Math.ceil(height)}" role="img" aria-label="${describe(tier)}">
${graph.edges().map((edge: { readonly v: string; readonly w: string; readonly name?: string }) => arrow(graph.edge(edge), placeOf(graph.node(edge.v)), placeOf(graph.node(edge.w))))}
<text x="${MARGIN}" y="${placeOf(graph.node(LOAD)).y + 5}">load</text>
${tier.services.map((service) => box(service, placeOf(graph.node(service.name))))}
</svg>`;
}

function label(text: string) {
  return {
    text: shortened(text, 14),
    width: text === '' ? 0 : 10 + 7 * Math.min(14, text.length),
    height: 16,
    labelpos: 'c',
  };
}

/** Middle of a box, and its size. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function placeOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Place>): Place {
  return { x, y, width, height };
}

/** `api x 2, writer: pooler, 1 cpu, 512 MiB` */
export function describeService({ name, kind, instances, resources, connectsTo }: Service, entry: string): string {
  const connections = Object.entries(connectsTo).map(([role, target]) => `${role}: ${target}`);
  return [
    instances === 1 ? kind : `${kind} x ${instances}`,
    ...(name === entry ? ['receives the load'] : []),
    ...connections,
    ...limitsOf(resources),
  ].join(', ');
}

function limitsOf({ cpus, memoryBytes }: Service['resources']): readonly string[] {
  return [
    ...(cpus === undefined ? [] : [formatQuantity(cpus, 'cpus')]),
    ...(memoryBytes === undefined ? [] : [formatBytes(memoryBytes)]),
  ];
}

function describe(tier: Tier): string {
  const services = tier.services.map(({ name, kind, instances, connectsTo }) => {
    const targets = Object.entries(connectsTo).map(([role, target]) => `${target} (${role})`);
    return `${name} (${kind}, ${plural(instances, 'instance')})${targets.length === 0 ? '' : ` connects to ${targets.join(', ')}`}`;
  });
  return `The load goes to ${tier.entry}. ${services.join('. ')}.`;
}

/** `api × 2`, what each instance may use, and its main settings. */
function detailsOf({ kind, instances, resources, settings }: Service): readonly string[] {
  const limits = limitsOf(resources);
  return [
    instances > 1 ? `${kind} × ${instances}` : kind,
    limits.length === 0 ? 'no limits' : `${limits.join(', ')}${instances > 1 ? ' each' : ''}`,
    ...(shippedTypes.get(kind)?.shownSettings ?? []).flatMap((name) =>
      settings[name] === undefined ? [] : [`${name} ${settings[name]}`],
    ),
  ].map((line) => shortened(line, LONGEST_LINE));
}

/** Several instances are a stack of boxes. */
function box(service: Service, { x: middleX, y: middleY, height }: Place): Markup {
  const [x, y] = [middleX - BOX_WIDTH / 2, middleY - height / 2];
  const size = html`width="${BOX_WIDTH}" height="${height}" rx="8"`;
  const behind = service.instances > 1 ? html`<rect class="copy" x="${x + 6}" y="${y - 6}" ${size}/>` : html``;
  return html`${behind}<rect x="${x}" y="${y}" ${size}/>
<text class="name" x="${x + 12}" y="${y + 24}">${shortened(service.name, 22)}</text>${detailsOf(service).map(
    (line, index) => html`<text class="kind" x="${x + 12}" y="${y + 43 + index * LINE_HEIGHT}">${line}</text>`,
  )}`;
}

/** From the right side of one box to the left side of the other, through the points of the layout. */
function arrow(edge: Record<string, unknown>, from: Place, to: Place): Markup {
  const { points = [], text = '', x = 0, y = 0 } = edge as { points?: Point[]; text?: string; x?: number; y?: number };
  const within = ({ y: middle, height }: Place, wanted: number) =>
    Math.min(middle + height / 2 - 10, Math.max(middle - height / 2 + 10, wanted));
  const start = { x: from.x + from.width / 2, y: within(from, points[0]?.y ?? from.y) };
  const end = { x: to.x - to.width / 2 - 2, y: within(to, points.at(-1)?.y ?? to.y) };
  let path = `M${start.x} ${start.y}`;
  let before: Point = start;
  for (const point of [...points.slice(1, -1), { x: end.x - 8, y: end.y }]) {
    const bend = (before.x + point.x) / 2;
    path += ` C${bend} ${before.y} ${bend} ${point.y} ${point.x} ${point.y}`;
    before = point;
  }
  const role =
    text === '' ? html`` : html`<text class="role" x="${x}" y="${y - 5}" text-anchor="middle">${text}</text>`;
  return html`<path d="${path}"/><path class="head" d="M${end.x} ${end.y} l-9 -4.5 v9 z"/>${role}`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}
