import type { Reporter, TestModule } from 'vitest/node';
import { type Requirement, requirements } from './requirements.ts';

/**
 * Says by name what was skipped and how to enable it. With TIERBENCH_TEST_REQUIRE_ALL=1 a skip fails the run: in
 * continuous integration nothing may pass by not running.
 */
export default class SkippedTestsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => `${module.relativeModuleId}: ${test.fullName}`),
    );
    if (skipped.length === 0) return;
    const missing = (Object.keys(requirements) as Requirement[]).filter((name) => !requirements[name].isThere());
    const lines = [
      '',
      `${skipped.length} tests were skipped:`,
      ...skipped.map((name) => `  ${name}`),
      ...missing.map((name) => `to enable those that need ${name}: ${requirements[name].how}`),
    ];
    if (process.env.TIERBENCH_TEST_REQUIRE_ALL === '1') {
      lines.push('TIERBENCH_TEST_REQUIRE_ALL=1: a skipped test is a failure');
      process.exitCode = 1;
    }
    console.log(lines.join('\n'));
  }
}
