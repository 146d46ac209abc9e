import { describe, expect, test } from 'vitest';
import { metrics } from '../../core/metrics.ts';
import type { Probe } from '../../probes/probe.ts';

export interface ProbeUnderTest extends AsyncDisposable {
  readonly probe: Probe;
}

/** What every probe must do. `unreachable` makes one whose source is there but cannot be read; it may be left out. */
export function probeContract(
  name: string,
  make: () => Promise<ProbeUnderTest>,
  unreachable?: () => Promise<ProbeUnderTest>,
): void {
  describe(`${name} keeps the probe contract`, () => {
    test('reads something with its second call at the latest, each value finite, not negative and with its source', async () => {
      await using made = await make();
      await using probe = made.probe;
      const first = await probe.read();
      await passes(50);
      const second = await probe.read();
      expect(second.length).toBeGreaterThan(0);
      for (const { source, metric, value } of [...first, ...second]) {
        expect(source).toMatch(/^(machine|generator|[\w-]+\/\d+)$/);
        expect(Number.isFinite(value) && value >= 0, `${source} ${metric} = ${value}`).toBe(true);
        if (metrics[metric].role === 'limit') expect(value, `${source} ${metric}`).toBeGreaterThan(0);
      }
    });

    test('names each value once in a reading', async () => {
      await using made = await make();
      await using probe = made.probe;
      await probe.read();
      await passes(50);
      const names = (await probe.read()).map(({ source, metric, detail }) => `${source} ${metric} ${detail}`);
      expect(names).toEqual([...new Set(names)]);
    });

    test('holds nothing open after it is disposed of, and may be disposed of twice', async () => {
      await using made = await make();
      const before = openSockets();
      await made.probe.read();
      await made.probe[Symbol.asyncDispose]();
      await made.probe[Symbol.asyncDispose]();
      await expect.poll(openSockets, { timeout: 5000 }).toBeLessThanOrEqual(before);
    });

    if (unreachable === undefined) return;
    test('rejects when its source cannot be read, and does not hang', { timeout: 20_000 }, async () => {
      await using made = await unreachable();
      await using probe = made.probe;
      await expect(probe.read()).rejects.toThrow(/\w/);
      await expect(probe.read()).rejects.toThrow(/\w/);
    });
  });
}

/** Clients only: a test's own servers hold theirs. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap' || kind === 'TCPSocket').length;
}

function passes(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
