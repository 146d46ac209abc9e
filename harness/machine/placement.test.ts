import { expect, it } from 'vitest';
import { allowedCpus, choosePlacement, planPlacement } from './placement.ts';

it('gives the generator the last CPU and the system the others', () => {
  expect(planPlacement([0, 1])).toEqual({ generatorCpus: [1], systemCpus: [0] });
  expect(planPlacement([7, 2, 4])).toEqual({ generatorCpus: [7], systemCpus: [2, 4] });
});

it('says why they share all CPUs', () => {
  expect(choosePlacement([3], '/usr/bin/taskset')).toEqual({
    placement: null,
    why: 'the load generator and the system share all CPUs: there is only one CPU',
  });
  expect(choosePlacement([], '/usr/bin/taskset').why).toContain('does not say');
  expect(choosePlacement([0, 1], '/usr/bin/taskset').placement).not.toBeNull();
});

it('reads which CPUs may be used', () => {
  expect(allowedCpus('Name:\tnode\nCpus_allowed:\t7d\nCpus_allowed_list:\t0,2-4,6\nMems_allowed_list:\t0\n')).toEqual([
    0, 2, 3, 4, 6,
  ]);
  expect(allowedCpus('')).toEqual([]);
});
