import { cruise } from 'dependency-cruiser';
import { cruiseOptions, rules } from './architecture-rules.ts';

/**
 * Checks the import rules of architecture-rules.ts. Fails too when nothing was looked at: a parser that cannot read
 * TypeScript would otherwise pass everything.
 */
const folders = ['scenarios', 'harness', 'reports', 'exports', 'cli', 'reference-app'];
const leastModules = 30;

const { output } = await cruise(folders, { ...cruiseOptions, ruleSet: { forbidden: rules }, validate: true });
if (typeof output === 'string') throw new Error('expected the result, not a text');

const comments = new Map(rules.map((rule) => [rule.name, rule.comment]));
const { violations, totalCruised } = output.summary;
for (const { rule, from, to } of violations) {
  console.error(`${rule.name}: ${from} -> ${to}\n  ${comments.get(rule.name)}`);
}
const own = output.modules.filter(({ source }) => folders.some((folder) => source.startsWith(`${folder}/`))).length;
if (own < leastModules) console.error(`only ${own} modules of tierbench were seen: the check did not check`);
console.log(`${own} modules (${totalCruised} with what they import), ${violations.length} violations`);
process.exitCode = violations.length > 0 || own < leastModules ? 1 : 0;
