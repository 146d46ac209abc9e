import { afterAll } from 'vitest';
import { nonsenseContract } from '../../contracts/engines/answers-contract.ts';
import { timingContract } from '../../contracts/engines/engine-contract.ts';
import { generatorProcesses } from '../shared/generator-processes.ts';
import { openLoopEngine } from './open-loop.ts';

nonsenseContract('open-loop', () => openLoopEngine());
timingContract('open-loop', () => openLoopEngine());

const two = generatorProcesses({ count: 2 });
afterAll(() => two[Symbol.asyncDispose]());
timingContract('open-loop in 2 processes', () => openLoopEngine({ processes: two }), { isElsewhere: true });
