import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePageScript } from '../reports/renderers/page-bundle.ts';

/** Makes dist/: what tsc emits, and the files that are read at run time beside it. */
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'cli', 'reports/page', 'reference-app'], {
  stdio: 'inherit',
});
for (const file of globSync(['harness/{tiers,targets,prices}/**/*.yaml', 'reference-app/migrations/*.sql'])) {
  cpSync(file, join('dist', file));
}
writeFileSync('dist/reports/page/page-script.bundle.js', await bundlePageScript('dist/reports/page/page-script.js'));
