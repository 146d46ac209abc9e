import type { Service, Tier } from '../../harness/core/tier.ts';

/** Where the services of a tier stand in its drawing: columns from where the load comes in to the right. */
export interface TierLayout {
  readonly boxes: readonly PlacedService[];
  readonly connections: readonly Connection[];
  readonly columns: number;
  /** In units of `rowHeight`. */
  readonly rows: number;
}

export interface PlacedService {
  readonly service: Service;
  readonly column: number;
  /** Middle of the box, in rows from the top. */
  readonly row: number;
}

export interface Connection {
  readonly role: string;
  readonly from: string;
  readonly to: string;
  /** The rows it passes through between its two boxes, one for each column it crosses. */
  readonly via: readonly number[];
  /** Both stand in one column. */
  readonly sameColumn: boolean;
}

/** A box, or the place that a connection takes in a column it only crosses. */
interface Item {
  readonly id: string;
  readonly height: number;
}

interface Edge {
  readonly role: string;
  readonly from: string;
  readonly to: string;
}

const CROSSING_HEIGHT = 0.4;

/**
 * Each service stands right of all that connect to it, so that arrows go to the right; a replica follows its primary and
 * stands with it. Within a column services are ordered by what they are connected to in the column before (the barycentre
 * method of K. Sugiyama, S. Tagawa and M. Toda, IEEE Transactions on Systems, Man, and Cybernetics 11, 1981), which keeps
 * arrows from crossing.
 */
export function layoutTier(tier: Tier): TierLayout {
  const known = new Set(tier.services.map(({ name }) => name));
  const edges = tier.services.flatMap(({ name, connectsTo }) =>
    Object.entries(connectsTo).map(([role, to]): Edge => ({ role, from: name, to })),
  );
  const drawn = edges.filter(({ from, to }) => known.has(to) && to !== from);
  const columnOf = assignColumns(
    tier,
    drawn.filter(({ role }) => role !== 'primary'),
  );
  const count = Math.max(0, ...columnOf.values()) + 1;
  const columns = Array.from({ length: count }, (): Item[] => []);
  for (const { name } of tier.services) columns[columnOf.get(name) ?? 0]?.push({ id: name, height: 1 });
  const chains = drawn.map((edge) => {
    const [from = 0, to = 0] = [columnOf.get(edge.from), columnOf.get(edge.to)];
    const crossed = Array.from({ length: Math.max(0, to - from - 1) }, (_, index) => {
      const id = `${edge.from}>${edge.to}>${edge.role}>${index}`;
      columns[from + 1 + index]?.push({ id, height: CROSSING_HEIGHT });
      return id;
    });
    return { edge, crossed };
  });
  const links = chains.flatMap(({ edge, crossed }) => {
    const path = [edge.from, ...crossed, edge.to];
    return path.slice(1).map((to, index) => ({ from: path[index] ?? edge.from, to }));
  });
  const rows = placeRows(orderColumns(columns, links));
  const rowOf = (id: string) => rows.get(id) ?? 0;
  return {
    boxes: tier.services.map((service) => ({
      service,
      column: columnOf.get(service.name) ?? 0,
      row: rowOf(service.name),
    })),
    connections: chains.map(({ edge, crossed }) => ({
      ...edge,
      via: crossed.map(rowOf),
      sameColumn: columnOf.get(edge.from) === columnOf.get(edge.to),
    })),
    columns: count,
    rows: Math.max(1, ...columns.map(heightOf)),
  };
}

/** The longest way from the entry; what nothing connects to stands in the last column. */
function assignColumns(tier: Tier, edges: readonly Edge[]): ReadonlyMap<string, number> {
  const columns = new Map<string, number>();
  const visit = (name: string, column: number, path: readonly string[]) => {
    if (path.includes(name) || (columns.get(name) ?? -1) >= column) return;
    columns.set(name, column);
    for (const { from, to } of edges) if (from === name) visit(to, column + 1, [...path, name]);
  };
  visit(tier.entry, 0, []);
  const last = Math.max(0, ...columns.values());
  for (const { name } of tier.services) if (!columns.has(name)) columns.set(name, last);
  return columns;
}

function orderColumns(
  columns: readonly (readonly Item[])[],
  links: readonly { readonly from: string; readonly to: string }[],
): readonly (readonly Item[])[] {
  const ordered: (readonly Item[])[] = [];
  for (const items of columns) {
    const before = ordered.at(-1) ?? [];
    const positions = new Map(before.map(({ id }, index) => [id, index]));
    const barycentre = (id: string) => {
      const own = links.flatMap(({ from, to }) => (to === id ? (positions.get(from) ?? []) : []));
      return own.length === 0 ? before.length : own.reduce((sum, position) => sum + position, 0) / own.length;
    };
    // Of those with the same place, the order in which they are connected to.
    const place = (id: string) => links.findIndex(({ to }) => to === id);
    ordered.push(
      items.toSorted((one, other) => barycentre(one.id) - barycentre(other.id) || place(one.id) - place(other.id)),
    );
  }
  return ordered;
}

/** One below the other, each column in the middle of the drawing. */
function placeRows(columns: readonly (readonly Item[])[]): ReadonlyMap<string, number> {
  const highest = Math.max(1, ...columns.map(heightOf));
  const rows = new Map<string, number>();
  for (const items of columns) {
    let top = (highest - heightOf(items)) / 2;
    for (const { id, height } of items) {
      rows.set(id, top + height / 2);
      top += height;
    }
  }
  return rows;
}

function heightOf(items: readonly Item[]): number {
  return items.reduce((sum, { height }) => sum + height, 0);
}
