import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** One file of containers for so many others: they wait for the engine for the most part, and it has no more CPUs. */
const EACH = 3;

/** Take a minute or more, longest first: one of them that started last would run alone. */
const SLOWEST = [
  'cli/run-over-tiers.integration',
  'cli/run.integration',
  'tools/package.integration',
  'harness/providers/local/local-provider.integration',
  'cli/mistakes.integration',
  'harness/providers/local/replicated-tiers.integration',
  'tools/compose.containers',
  'harness/orphans/sigkill.integration',
  'cli/mix.integration',
  'cli/sigkill.integration',
  'cli/export-k6.integration',
];

/**
 * Starts the slowest files first, with the files of containers spread among those of integration, and those of units, which
 * are short, when nothing else is left: so the last workers end at about the same time.
 */
export default class SlowFirstSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = SLOWEST.findIndex((name) => moduleId.includes(`/${name}.`));
      return at < 0 ? SLOWEST.length : at;
    };
    // The order of equal ones stays.
    const sorted = (await super.sort(files)).toSorted((left, right) => rank(left) - rank(right));
    const of = (project: string) => sorted.filter((file) => file.project.name === project);
    const containers = of('containers');
    const mixed = of('integration').flatMap((file, index) =>
      index % (EACH - 1) === 0 ? [...containers.splice(0, 1), file] : [file],
    );
    return [...mixed, ...containers, ...of('unit'), ...of('timing')];
  }
}
