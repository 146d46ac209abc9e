import { readFileSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import { cruiseOptions, ofTheOperatingSystem, rooms, rules } from './architecture-rules.ts';

/**
 * Checks the import rules of architecture-rules.ts. Fails too when nothing was looked at: a parser that cannot read
 * TypeScript would otherwise pass everything.
 */
const folders = [
  'scenarios',
  'harness',
  'reports',
  'exports',
  'cli',
  'reference-app',
  'bench',
  'tools',
  'test-support',
];
const leastModules = 300;

const { output } = await cruise(folders, { ...cruiseOptions, ruleSet: { forbidden: rules }, validate: true });
if (typeof output === 'string') throw new Error('expected the result, not a text');

const comments = new Map(rules.map((rule) => [rule.name, rule.comment]));
const { violations, totalCruised } = output.summary;
for (const { rule, from, to } of violations) {
  console.error(`${rule.name}: ${from} -> ${to}\n  ${comments.get(rule.name)}`);
}
const own = output.modules
  .map(({ source }) => source)
  .filter((source) => folders.some((folder) => source.startsWith(`${folder}/`)));
const homeless = own.filter((source) => !rooms.some(({ folder }) => source.startsWith(folder)));
for (const source of homeless) console.error(`${source} is in no room of tools/architecture-rules.ts`);
const elsewhere = own.filter(
  (source) => ofTheOperatingSystem.concerns(source) && ofTheOperatingSystem.text.test(readFileSync(source, 'utf8')),
);
for (const source of elsewhere)
  console.error(`${ofTheOperatingSystem.name}: ${source}\n  ${ofTheOperatingSystem.comment}`);
if (own.length < leastModules)
  console.error(`only ${own.length} modules of tierbench were seen: the check did not check`);
console.log(
  `${own.length} modules (${totalCruised} with what they import), ${violations.length + elsewhere.length} violations`,
);
process.exitCode =
  violations.length > 0 || elsewhere.length > 0 || homeless.length > 0 || own.length < leastModules ? 1 : 0;
