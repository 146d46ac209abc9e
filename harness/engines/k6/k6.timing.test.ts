import { describe } from 'vitest';
import { k6EngineWith } from '../../../test-support/k6-engine.ts';
import { lacks, programFor } from '../../../test-support/requirements.ts';
import { nonsenseContract } from '../../contracts/engines/answers-contract.ts';
import { timingContract } from '../../contracts/engines/engine-contract.ts';

describe.skipIf(lacks('k6'))('k6 (needs k6)', () => {
  const makeEngine = k6EngineWith(programFor('k6'));
  nonsenseContract('k6', makeEngine, { takesCutsForNonsense: true, repeatsGets: true });
  timingContract('k6', makeEngine, { isElsewhere: true });
});
