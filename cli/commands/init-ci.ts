import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { suggestion } from '../../harness/core/closest-match.ts';
import { TierbenchError } from '../../harness/core/errors.ts';
import { cannotWrite } from '../../harness/files/atomic-write.ts';
import { ciTemplates } from '../ci-templates.ts';
import { exitCodes, type Output } from '../output/streams.ts';

/** Writes a workflow for GitHub or a job for GitLab; where none is named, for GitLab where it is in use already. */
export async function initCi(named: string | undefined, output: Output): Promise<number> {
  const service = named ?? (existsSync('.gitlab-ci.yml') ? 'gitlab' : 'github');
  if (service !== 'github' && service !== 'gitlab') {
    const nextStep = suggestion(service, Object.keys(ciTemplates));
    throw new TierbenchError('OPTIONS_INVALID', `'${service}' is neither github nor gitlab`, nextStep);
  }
  const { file, text, next } = ciTemplates[service]();
  try {
    await mkdir(dirname(file), { recursive: true });
    // 'wx' refuses to overwrite what stands there.
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(file, cause);
    throw new TierbenchError('FILE_EXISTS', `${file} is there already`, 'Remove it, or change it by hand.', { cause });
  }
  output.out(`wrote ${file}\n${next}`);
  return exitCodes.met;
}
