import { run } from './run/run.ts';
import type { Study } from './study.ts';

/** Every study there is. */
const studies: readonly Study[] = [run];

export const studiesByName: ReadonlyMap<string, Study> = new Map(studies.map((study) => [study.name, study]));
