import { expect, test } from 'vitest';
import type { Target } from '../harness/core/target.ts';
import { madeUpRun, madeUpTarget, madeUpTrial } from '../test-support/made-up-trial.ts';
import { analyse } from './analysis.ts';
import { renderMarkdown } from './markdown.ts';

const p95 = (value: number): Target =>
  madeUpTarget({ id: `p95-${value}`, value, judged: { by: 'measured', metric: 'latency-p95' } });
const pool = madeUpTarget({
  id: 'pool',
  value: 10,
  comparison: '=',
  unit: 'connections',
  judged: { by: 'setting', option: 'DATABASE_POOL_MAX' },
});

function markdown(trial: Parameters<typeof madeUpTrial>[0], targets: readonly Target[]): string {
  return renderMarkdown(analyse(madeUpRun([madeUpTrial(trial)], targets)), new Map());
}

test('the headline keeps settings apart from what was measured: they prove no speed', () => {
  expect(markdown({}, [p95(0.2), p95(0.01), pool])).toContain(
    '**Measured: 1 met and 1 missed. Settings: 1 of 1 as documented.**',
  );
  expect(markdown({ stopped: true }, [p95(0.2), pool])).toContain(
    '**Measured: 1 inconclusive. Settings: 1 of 1 as documented.**',
  );
  expect(markdown({}, [pool])).toContain('**No target could be judged by what was measured.');
});

test('whoever reads of rates is told what is counted in iterations and what in requests', () => {
  const load = { model: 'open', arrivalRatePerS: 100, arrivals: 'poisson' } as const;
  expect(markdown({ load }, [])).toContain('An arrival is an iteration of the scenario');
  expect(markdown({}, [])).not.toContain('An arrival is');
});

test('each reason stands on a line of its own', () => {
  const text = markdown({ stopped: true, generator: { utilizationRatio: 0.9 } }, [p95(0.2)]);
  expect(text).toMatch(/\*\*no\*\*<br>it was stopped after [^|<]*<br>the generator was busy 90 %[^|<]* \|/);
});

test('a run that failed tells what and the next step as sentences', () => {
  const status = {
    state: 'failed',
    endedAt: '2026-11-21T08:10:00.000Z',
    code: 'URL_NOT_REACHABLE',
    what: 'no answer within 10 s',
    nextStep: 'Start the server.',
  } as const;
  const { incomplete } = analyse({ ...madeUpRun([madeUpTrial()], []), status });
  expect(incomplete).toBe(
    'This run failed (URL_NOT_REACHABLE): no answer within 10 s. Start the server. What was measured until then is shown.',
  );
});
