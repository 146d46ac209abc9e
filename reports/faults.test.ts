import { describe, expect, test } from 'vitest';
import type { FaultRecord } from '../harness/core/trial.ts';
import { madeUpTrial } from '../test-support/made-up-trial.ts';
import { describeFault, faultsOf, faultsTable } from './faults.ts';

/** A trial of 20 s whose seconds 6 to 9 answer nothing, unless said otherwise. */
function faultOf(
  fault: Partial<FaultRecord>,
  okPerS: (second: number) => number = (second) => (second >= 6 && second < 10 ? 0 : 100),
) {
  const measured = madeUpTrial({ purpose: 'fault', measuredS: 20, okPerS });
  const [found] = faultsOf([
    { ...measured, fault: { kind: 'kill', instance: 'cache/1', atS: 6, undoneAtS: 10, ...fault } },
  ]);
  if (found === undefined) throw new Error('there is a fault');
  return found;
}

describe('what a fault did, in words', () => {
  test.each<[string, ReturnType<typeof faultOf>, string]>([
    [
      'it served again at once',
      faultOf({}),
      'cache/1 killed: no request failed; served as before: when it was up again',
    ],
    ['it took a while', faultOf({ undoneAtS: 8 }), 'served as before: 2 s after it was up again'],
    ['nobody noticed', faultOf({}, () => 100), 'served as before: all the time'],
    [
      'another part took over',
      faultOf({ undoneAtS: 16 }, (second) => (second >= 6 && second < 8 ? 0 : 100)),
      'served as before: while it lasted, from 2 s on',
    ],
    [
      'nothing to compare with',
      faultOf({}, (second) => (second < 6 ? 0 : 100)),
      'served as before: cannot be said: nothing was answered before',
    ],
    ['it never served again', faultOf({}, (second) => (second < 6 ? 100 : 0)), 'served as before: not until the end'],
    [
      'the part did not come back',
      faultOf({ undoneAtS: null }, (second) => (second < 6 ? 100 : 0)),
      'served as before: not again: cache/1 did not come back',
    ],
    [
      'it was paused',
      faultOf({ kind: 'pause', undoneAtS: 8 }),
      'cache/1 paused: no request failed; served as before: 2 s after it went on',
    ],
  ])('%s', (_, fault, expected) => {
    expect(describeFault(fault)).toContain(expected);
  });
});

test('its time line marks the moments', () => {
  expect(faultOf({}).chart?.moments).toEqual([
    { at: 6, label: 'killed' },
    { at: 10, label: 'up again' },
  ]);
  expect(faultOf({ kind: 'pause', undoneAtS: null }).chart?.moments).toEqual([{ at: 6, label: 'paused' }]);
});

test('the table has throughput before, during and after', () => {
  const [row] = faultsTable('cached', [faultOf({})]).rows;
  expect(row?.map(({ text }) => text)).toEqual([
    'cache/1 killed',
    'none',
    'none',
    '100/s',
    '0/s',
    '100/s',
    'when it was up again',
  ]);
});
