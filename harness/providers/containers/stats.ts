import { askEngine, engineAddress } from '../../orphans/engine.ts';

const ANSWER_LIMIT_S = 5;

/** What the engine says of a container's CPU, memory and throttling, at once instead of after a second of watching. */
export async function readContainerStats(containerId: string): Promise<unknown> {
  const engine = engineAddress();
  if (engine === undefined) throw new Error('no container engine was found');
  return await askEngine(engine, 'GET', `/containers/${containerId}/stats?stream=false&one-shot=true`, ANSWER_LIMIT_S);
}
