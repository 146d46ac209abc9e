import { autocannonEngine } from './autocannon.ts';
import { engineContract } from './engine-contract.ts';

engineContract('autocannon', () => autocannonEngine);
