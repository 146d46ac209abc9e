import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { closedPort } from '../contracts/engines/server.ts';
import type { Note } from '../core/findings.ts';
import { autocannonEngine } from '../engines/autocannon/autocannon.ts';
import type { LoadEngine, TrialRequest } from '../engines/engine.ts';
import { openLoopEngine } from '../engines/open-loop/open-loop.ts';
import { loadScenario } from '../files/load-scenario.ts';
import { calibrate, startEcho } from './calibrate.ts';

const openLoop = openLoopEngine();

async function calibrated(engine: LoadEngine, changes: Partial<Parameters<typeof calibrate>[0]> = {}) {
  const notes: Note[] = [];
  const { signal } = new AbortController();
  const note = (found: Note) => void notes.push(found);
  const calibration = await calibrate({ engine, signal, setApart: () => true, note, ...changes });
  return { calibration, notes };
}

/** Does what the engine does, to a request as `change` makes it. */
function changed(engine: LoadEngine, change: (request: TrialRequest) => TrialRequest): LoadEngine {
  return { ...engine, run: (request, ...others) => engine.run(change(request), ...others) };
}

describe('the calibration of a generator', () => {
  test.each([
    { engine: openLoop, floorRatePerS: 200 },
    { engine: autocannonEngine(), floorRatePerS: null },
  ])('finds its ceiling and its floor: $engine.name', async ({ engine, floorRatePerS }) => {
    const threads: number[] = [];
    const { calibration, notes } = await calibrated(engine, {
      setApart(threadId) {
        threads.push(threadId);
        return existsSync(`/proc/self/task/${threadId}`);
      },
    });
    expect(calibration).toMatchObject({ ceilingConcurrency: 50, floorRatePerS });
    const { ceilingPerS = 0, floorP50S = 0, floorP95S = 0, sendLagP99S } = calibration ?? {};
    expect(ceilingPerS).toBeGreaterThan(200);
    expect(floorP50S).toBeGreaterThan(0);
    expect(floorP95S).toBeGreaterThanOrEqual(floorP50S);
    expect(sendLagP99S === null).toBe(floorRatePerS === null);
    expect(threads).toHaveLength(1);
    expect(threads[0]).not.toBe(process.pid);
    expect(notes).toMatchObject([{ code: 'calibrated', engine: engine.name, ceilingPerS, floorP95S }]);
  });

  test('is no ceiling of its own where the echo takes its CPU', async () => {
    const { calibration, notes } = await calibrated(openLoop, { setApart: () => false });
    expect(calibration?.ceilingIsAtLeast).toBe(true);
    expect(notes).toMatchObject([{ code: 'calibrated', ceilingIsAtLeast: true }]);
  });

  test('gives engines of other programs a file of the scenario', async () => {
    const files = new Set<string>();
    await calibrated(
      changed(openLoop, (request) => {
        files.add(request.scenarioFile ?? '');
        return request;
      }),
    );
    const [file = '', ...others] = files;
    expect(others).toEqual([]);
    expect(await loadScenario(file)).toMatchObject({ name: 'calibration' });
  });

  test('is none where nothing is answered, and says so', async () => {
    const baseUrl = `http://127.0.0.1:${await closedPort()}`;
    const lost = changed(openLoop, (request) => ({ ...request, plan: { ...request.plan, baseUrl } }));
    expect(await calibrated(lost)).toEqual({
      calibration: null,
      notes: [{ code: 'not-calibrated', engine: 'open-loop' }],
    });
  });

  test('ends soon when it is interrupted, and says nothing', async () => {
    const interrupt = new AbortController();
    const stopped: boolean[] = [];
    const interrupting: LoadEngine = {
      ...openLoop,
      async run(...given) {
        setTimeout(() => interrupt.abort(), 300);
        const trial = await openLoop.run(...given);
        stopped.push(trial.stopped);
        return trial;
      },
    };
    const result = await calibrated(interrupting, { signal: interrupt.signal });
    expect(result).toEqual({ calibration: null, notes: [] });
    expect(stopped).toEqual([true, true]);
  });
});

test.each([
  { what: 'in one write', writes: ['GET / HTTP/1.1\r\nhost: echo\r\n\r\n'], answers: 1 },
  { what: 'cut anywhere', writes: ['GET / HTTP/1.1\r\nhost: echo\r', '\n', '\r', '\n'], answers: 1 },
  {
    what: 'several at once',
    writes: ['GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HT', 'TP/1.1\r\n\r\n'],
    answers: 3,
  },
])('the echo answers requests that come $what', async ({ writes, answers }) => {
  await using echo = await startEcho();
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(echo.baseUrl).port), noDelay: true });
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  for (const part of writes) {
    socket.write(part);
    await delay(20);
  }
  const heads = () => text.split('HTTP/1.1 200 OK').length - 1;
  await expect.poll(heads).toBe(answers);
  expect(text.endsWith('\r\n\r\n{}')).toBe(true);
  socket.destroy();
});
