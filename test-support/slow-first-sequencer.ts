import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** One file of containers for so many others: they wait for the engine for the most part, and it has no more CPUs. */
const EACH = 3;

/**
 * Starts the files of containers spread among those of integration, and those of units, which are short, when nothing else
 * is left: so the last workers end at about the same time.
 */
export default class SlowFirstSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const of = (project: string) => sorted.filter((file) => file.project.name === project);
    const containers = of('containers');
    const mixed = of('integration').flatMap((file, index) =>
      index % (EACH - 1) === 0 ? [...containers.splice(0, 1), file] : [file],
    );
    return [...mixed, ...containers, ...of('unit'), ...of('timing')];
  }
}
