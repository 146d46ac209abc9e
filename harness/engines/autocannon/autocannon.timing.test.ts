import { nonsenseContract } from '../../contracts/engines/answers-contract.ts';
import { timingContract } from '../../contracts/engines/engine-contract.ts';
import { autocannonEngine } from './autocannon.ts';

nonsenseContract('autocannon', () => autocannonEngine());
timingContract('autocannon', () => autocannonEngine());
