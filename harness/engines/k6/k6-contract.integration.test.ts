import { describe } from 'vitest';
import { k6EngineWith } from '../../../test-support/k6-engine.ts';
import { lacks, programFor } from '../../../test-support/requirements.ts';
import { engineContract, programContract } from '../../contracts/engines/engine-contract.ts';

describe.skipIf(lacks('k6'))('k6 (needs k6)', () => {
  engineContract('k6', k6EngineWith(programFor('k6')), {
    offers: { supports: ['closed', 'open'], arrivals: ['constant'] },
  });
});
// How k6 makes loads and reads answers is the same in both; what the script asks of k6 is not.
describe.skipIf(lacks('k6-1'))('k6 1.x (needs k6-1)', () => {
  programContract('k6 1.x', k6EngineWith(programFor('k6-1')));
});
