import { engineContract } from '../engine-contract.ts';
import { openLoopEngine } from './open-loop.ts';

engineContract('open-loop', () => openLoopEngine());
