import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Makes dist/: what tsc emits, and the files that are read at run time beside it. */
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'cli', 'reference-app'], { stdio: 'inherit' });
for (const file of globSync(['harness/{tiers,targets}/**/*.yaml', 'reference-app/migrations/*.sql'])) {
  cpSync(file, join('dist', file));
}
