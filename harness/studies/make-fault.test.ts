import { expect, it } from 'vitest';
import type { FaultControl } from '../providers/provider.ts';
import { type FaultInTrial, faultRecord, makeFault } from './make-fault.ts';

const planned = { kind: 'kill', instance: 'cache/1', atS: 3, undoAtS: 6 } as const;
const onwards = new AbortController().signal;

/** A control on a clock that goes on by a second with each call that is made. */
function control(failing: readonly (keyof FaultControl)[] = []) {
  const calls: string[] = [];
  let nowS = 1000;
  const call = (name: keyof FaultControl) => async (instance: string) => {
    calls.push(`${name} ${instance}`);
    nowS += 1;
    if (failing.includes(name)) throw new Error('no answer');
  };
  return {
    calls,
    nowS: () => nowS,
    faults: { kill: call('kill'), start: call('start'), pause: call('pause'), resume: call('resume') },
  };
}

function seconds(fault: FaultInTrial, upToS: number): void {
  for (let startS = -1; startS < upToS; startS += 1) {
    fault.interval({
      startS,
      durationS: 1,
      steps: [],
      iterations: { intended: 0, completed: 0, failed: 0, dropped: 0 },
    });
  }
}

it('makes the fault when it is scheduled, undoes it in time, each once, and says when', async () => {
  const { faults, calls, nowS } = control();
  const fault = makeFault(planned, faults, nowS);
  seconds(fault, 2);
  expect(calls).toEqual([]);
  seconds(fault, 3);
  expect(calls).toEqual(['kill cache/1']);
  seconds(fault, 12);
  const outcome = await fault.settle(onwards);
  expect(calls).toEqual(['kill cache/1', 'start cache/1']);
  // It is made when the call is made, and undone when the call has done its work.
  expect(faultRecord(planned, outcome, 990)).toEqual({ kind: 'kill', instance: 'cache/1', atS: 10, undoneAtS: 12 });
});

it('lets what was paused go on', async () => {
  const { faults, calls, nowS } = control();
  const fault = makeFault({ ...planned, kind: 'pause' }, faults, nowS);
  seconds(fault, 12);
  await fault.settle(onwards);
  expect(calls).toEqual(['pause cache/1', 'resume cache/1']);
});

it('undoes the fault after a trial that was over before it was scheduled', async () => {
  const { faults, calls, nowS } = control();
  const fault = makeFault(planned, faults, nowS);
  seconds(fault, 4);
  expect(await fault.settle(onwards)).toEqual({ madeAtS: 1000, undoneAtS: 1002, failure: null });
  expect(calls).toEqual(['kill cache/1', 'start cache/1']);
});

it('is none when the trial was over before', async () => {
  const { faults, calls, nowS } = control();
  const fault = makeFault(planned, faults, nowS);
  seconds(fault, 2);
  const outcome = await fault.settle(onwards);
  expect(calls).toEqual([]);
  expect(faultRecord(planned, outcome, 990)).toBeUndefined();
});

it('names what did not come back, and what could not be made to fail', async () => {
  const start = control(['start']);
  const killed = makeFault(planned, start.faults, start.nowS);
  seconds(killed, 12);
  expect(await killed.settle(onwards)).toEqual({
    madeAtS: 1000,
    undoneAtS: null,
    failure: { code: 'fault-not-undone', kind: 'kill', instance: 'cache/1', detail: 'no answer' },
  });
  const kill = control(['kill']);
  const standing = makeFault(planned, kill.faults, kill.nowS);
  seconds(standing, 12);
  expect(await standing.settle(onwards)).toMatchObject({
    madeAtS: null,
    failure: { code: 'fault-not-made', kind: 'kill', instance: 'cache/1', detail: 'no answer' },
  });
  expect(kill.calls).toEqual(['kill cache/1']);
});

it('does not wait for what does not come back once all is taken down', async () => {
  const { faults, nowS } = control();
  const fault = makeFault(planned, { ...faults, start: () => new Promise(() => {}) }, nowS);
  seconds(fault, 12);
  const interrupt = new AbortController();
  const settled = fault.settle(interrupt.signal);
  interrupt.abort();
  expect(await settled).toMatchObject({ madeAtS: 1000, undoneAtS: null, failure: null });
});
