import { gate } from './gate/gate.ts';
import { noise } from './gate/noise.ts';
import { run } from './run/run.ts';
import type { Study } from './study.ts';

/** Every study there is. */
const studies: readonly Study[] = [run, gate, noise];

export const studiesByName: ReadonlyMap<string, Study> = new Map(studies.map((study) => [study.name, study]));
