import { expect, it } from 'vitest';
import { systemOf } from '../operating-system/this-system.ts';
import { choosePlacement, cpuPlacement, planPlacement } from './placement.ts';

it('gives the generator the last CPU and the system the others', () => {
  expect(planPlacement([0, 1])).toEqual({ generatorCpus: [1], systemCpus: [0] });
  expect(planPlacement([7, 2, 4])).toEqual({ generatorCpus: [7], systemCpus: [2, 4] });
});

it('gives each thread of the generator a CPU, as long as one is left for the system', () => {
  expect(planPlacement([0, 1, 2, 3], 2)).toEqual({ generatorCpus: [2, 3], systemCpus: [0, 1] });
  expect(planPlacement([0, 1], 4)).toEqual({ generatorCpus: [1], systemCpus: [0] });
});

it('says why they share all CPUs', () => {
  expect(choosePlacement(1, [3], '/usr/bin/taskset')).toEqual({
    placement: null,
    why: { code: 'cpus-shared', cause: 'one-cpu' },
  });
  expect(choosePlacement(1, [], '/usr/bin/taskset').why).toEqual({ code: 'cpus-shared', cause: 'cpus-unknown' });
  expect(choosePlacement(1, [0, 1], '/usr/bin/taskset').placement).not.toBeNull();
});

it('knows a system that keeps no process to a CPU', () => {
  const macos = systemOf('darwin');
  expect(choosePlacement(1, [0, 1], '/usr/bin/taskset', macos).why).toEqual({
    code: 'cpus-shared',
    cause: 'not-on-this-system',
  });
  expect(cpuPlacement(macos)).toMatchObject({ state: 'limited' });
});
