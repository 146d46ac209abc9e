import { builtInScenarios, loadScenario } from '../../harness/files/load-scenario.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output/streams.ts';

export async function scenarios(options: { readonly json?: boolean }, output: Output): Promise<number> {
  const all = await Promise.all(builtInScenarios().map((name) => loadScenario(name)));
  const described = all.map(({ name, description, hasThinkTime = false }) => ({ name, description, hasThinkTime }));
  if (options.json) {
    output.out(JSON.stringify(described, null, 2));
  } else {
    const width = Math.max(...described.map(({ name }) => name.length));
    for (const { name, description, hasThinkTime } of described) {
      output.out(`${name.padEnd(width)}  ${description}${hasThinkTime ? ' (pauses as people do)' : ''}`);
    }
    output.out('\nYour own: `tierbench init scenario NAME`, then `tierbench run --scenario ./NAME.ts`.');
  }
  return exitCodes.met;
}
