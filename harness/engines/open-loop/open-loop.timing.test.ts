import { afterAll } from 'vitest';
import { nonsenseContract } from '../../contracts/engines/answers-contract.ts';
import { closedLoadContract } from '../../contracts/engines/closed-load-contract.ts';
import { openLoadContract, queuesContract } from '../../contracts/engines/open-load-contract.ts';
import { generatorProcesses } from '../shared/generator-processes.ts';
import { openLoopEngine } from './open-loop.ts';

const inOne = () => openLoopEngine();
nonsenseContract('open-loop', inOne);
closedLoadContract('open-loop', inOne);
// Its stalls and queues are those of truth.timing.test.ts.
openLoadContract('open-loop', inOne);

const two = generatorProcesses({ count: 2 });
afterAll(() => two[Symbol.asyncDispose]());
const inTwo = () => openLoopEngine({ processes: two });
openLoadContract('open-loop in 2 processes', inTwo, { isElsewhere: true });
queuesContract('open-loop in 2 processes', inTwo, { isElsewhere: true });
