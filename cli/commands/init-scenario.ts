import { writeFile } from 'node:fs/promises';
import { TierbenchError } from '../../harness/core/errors.ts';
import { cannotWrite } from '../../harness/files/atomic-write.ts';
import { scenarioTemplate } from '../../harness/files/scenario-template.ts';
import { exitCodes, type Output } from '../output/streams.ts';

export async function initScenario(name: string, output: Output): Promise<number> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new TierbenchError(
      'SCENARIO_NAME_INVALID',
      `'${name}' is not a name for a scenario`,
      'Use lower-case letters, digits and dashes, a letter first: `tierbench init scenario checkout`.',
    );
  }
  const file = `${name}.ts`;
  const command = `tierbench run --scenario ./${file} --url http://127.0.0.1:3000`;
  try {
    // 'wx' refuses to overwrite what stands there.
    await writeFile(file, scenarioTemplate(name, command), { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new TierbenchError('FILE_EXISTS', `${file} is there already`, 'Choose another name, or remove the file.', {
        cause,
      });
    }
    throw cannotWrite(file, cause);
  }
  output.out(`wrote ${file}\nmeasure it: ${command}`);
  return exitCodes.met;
}
