/**
 * How far off predictions are: `npm run bench:sweep [-- --tiers single,pooled] [-- --values 0.2,0.35,0.6] [-- --seconds 40]`.
 * Each tier is swept over the CPUs of its API, and each value is predicted from the others. It takes a machine that nothing
 * else uses.
 */

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatNumber, formatRatio } from '../harness/core/units.ts';
import { runReportSchema } from '../reports/documents/run-json.ts';
import { commandLine, machineLine } from './machine-line.ts';

const { values: flags } = parseArgs({
  options: {
    tiers: { type: 'string', default: 'single,pooled,replicated,cached' },
    values: { type: 'string', default: '0.2,0.35,0.6' },
    seconds: { type: 'string', default: '40' },
  },
});
const cli = fileURLToPath(new URL('../cli/tierbench.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'tierbench-sweep-'));
const rows: string[] = [];
let [inside, predicted] = [0, 0];
for (const tier of flags.tiers.split(',')) {
  const out = join(folder, tier);
  const load = ['--scenario', 'crud', '--p95', '200ms', '--errors', '1%', '--quick', '--search-time', flags.seconds];
  const sweep = ['--sweep', `api.cpus=${flags.values}`, '--all', '--allow-missed', '--out', out];
  spawnSync(process.execPath, [cli, 'run', '--tier', tier, ...load, ...sweep], { stdio: 'inherit' });
  const report = runReportSchema.parse(JSON.parse(await readFile(join(out, 'report.json'), 'utf8')));
  for (const { subject, ratePerS, heldOut } of report.answer.sweep.flatMap(({ points }) => points)) {
    const measured = ratePerS === null ? 'not known' : formatNumber(ratePerS.value);
    if (heldOut === null) {
      rows.push(`| ${subject} | ${measured} | – | – | – |`);
      continue;
    }
    predicted += 1;
    if (heldOut.isInside) inside += 1;
    const { value, low, high } = heldOut.predictedPerS;
    const interval = `${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)})`;
    rows.push(`| ${subject} | ${measured} | ${interval} | ${formatRatio(heldOut.errorRatio)} | ${heldOut.model} |`);
  }
}
await rm(folder, { recursive: true });
console.log(`\n${machineLine(commandLine('bench:sweep'), [], 'Each value predicted from the others of its tier')}\n`);
console.log('| subject | measured, iterations/s | predicted | off by | model |\n| --- | --: | --: | --: | --- |');
console.log(`${rows.join('\n')}\n\n${inside} of ${predicted} measured values lie in the interval of their prediction.`);
