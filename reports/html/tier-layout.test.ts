import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Tier } from '../../harness/core/tier.ts';
import { readTier } from '../../harness/files/tier-file.ts';
import { tierDrawing } from './tier-drawing.ts';
import { layoutTier } from './tier-layout.ts';

const folder = join(import.meta.dirname, '../../harness/tiers');
const tiers = await Promise.all(
  (await readdir(folder)).filter((file) => file.endsWith('.yaml')).map((file) => readTier(join(folder, file))),
);

/** Where each connection is at the border between two columns, by the rows of its ends there. */
function segments(tier: Tier) {
  const layout = layoutTier(tier);
  const at = (name: string) => {
    const found = layout.boxes.find(({ service }) => service.name === name);
    if (found === undefined) throw new Error(`no box for ${name}`);
    return found;
  };
  return layout.connections
    .filter(({ sameColumn }) => !sameColumn)
    .flatMap(({ from, to, via }) => {
      const rows = [at(from).row, ...via, at(to).row];
      return rows.slice(1).map((row, index) => ({
        column: at(from).column + index,
        fromRow: rows[index] ?? 0,
        toRow: row,
      }));
    });
}

test('there is a tier to draw', () => expect(tiers.length).toBeGreaterThanOrEqual(4));

describe.each(tiers.map((tier) => [tier.name, tier] as const))('%s', (_, tier) => {
  const layout = layoutTier(tier);

  test('the load comes in at the left, and every arrow goes to the right or stays in its column', () => {
    expect(layout.boxes.filter(({ column }) => column === 0).map(({ service }) => service.name)).toEqual([tier.entry]);
    for (const { from, to, sameColumn, role } of layout.connections) {
      const [left, right] = [from, to].map((name) => layout.boxes.find(({ service }) => service.name === name));
      if (sameColumn) expect(role).toBe('primary');
      else expect(right?.column).toBeGreaterThan(left?.column ?? Number.POSITIVE_INFINITY);
    }
  });

  test('no two boxes overlap, and no two arrows cross', () => {
    for (const one of layout.boxes) {
      for (const other of layout.boxes) {
        if (one !== other && one.column === other.column)
          expect(Math.abs(one.row - other.row)).toBeGreaterThanOrEqual(1);
      }
    }
    const all = segments(tier);
    for (const one of all) {
      for (const other of all) {
        if (one.column !== other.column) continue;
        expect((one.fromRow - other.fromRow) * (one.toRow - other.toRow)).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('the drawing shows each service with its kind, instances, limits and main settings, and each role', () => {
    const { markup } = tierDrawing(tier);
    for (const { name, kind, instances, resources, settings, connectsTo } of tier.services) {
      expect(markup).toContain(`>${name}</text>`);
      expect(markup).toContain(instances > 1 ? `>${kind} × ${instances}</text>` : `>${kind}</text>`);
      if (resources.cpus !== undefined) expect(markup).toMatch(new RegExp(`>${resources.cpus} cpus?`));
      for (const option of ['DATABASE_POOL_MAX', 'default_pool_size', 'max_connections']) {
        if (settings[option] !== undefined) expect(markup).toContain(`>${option} ${settings[option]}</text>`);
      }
      for (const role of Object.keys(connectsTo)) expect(markup).toContain(`>${role}</text>`);
    }
    expect(markup).not.toMatch(/NaN|undefined/);
  });
});

test('a connection past a column passes between its boxes', () => {
  const [pooled] = tiers.filter(({ name }) => name === 'pooled');
  if (pooled === undefined) throw new Error('there is a pooled tier');
  const services = pooled.services.map((service) =>
    service.kind === 'api' ? { ...service, connectsTo: { ...service.connectsTo, direct: 'database' } } : service,
  );
  const layout = layoutTier({ ...pooled, services });
  const direct = layout.connections.find(({ role }) => role === 'direct');
  const pooler = layout.boxes.find(({ service }) => service.kind === 'pooler');
  expect(direct?.via).toHaveLength(1);
  expect(Math.abs((direct?.via[0] ?? 0) - (pooler?.row ?? 0))).toBeGreaterThan(0.5);
});

test('a tier that makes no sense is drawn all the same', () => {
  const [tier] = tiers;
  if (tier === undefined) throw new Error('there is a tier');
  const circle = tier.services.map((service) => ({ ...service, connectsTo: { a: tier.entry, b: 'nowhere' } }));
  expect(tierDrawing({ ...tier, services: circle }).markup).not.toMatch(/NaN|undefined/);
  expect(layoutTier({ ...tier, services: [] })).toMatchObject({ boxes: [], columns: 1 });
});
