import type { Check, PipelineResult } from '../pipeline.ts';
import { visible } from '../text.ts';

/**
 * JUnit XML with the elements that Jenkins, GitLab and the actions of GitHub read: a test case for each check. What decides
 * nothing is skipped with its reason, and what gave no answer is an error.
 */
export function renderJunit({ title, startedAt, durationS, checks, failure }: PipelineResult): string {
  const groups = [...Map.groupBy(checks, ({ group }) => group)];
  const suites = [
    ...groups.map(([group, own]) => suite(group, own.map(testCase), own)),
    ...(failure === null ? [] : [suite('study', [failedCase(title, failure)], [], 1)]),
  ];
  const failures = checks.filter(({ outcome }) => outcome === 'failed').length;
  const skipped = checks.filter(({ outcome }) => outcome === 'undecided').length;
  const [errors, tests] = failure === null ? [0, checks.length] : [1, checks.length + 1];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${quoted(title)} tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${durationS}" timestamp=${quoted(startedAt.slice(0, 19))}>`,
    ...suites,
    '</testsuites>\n',
  ].join('\n');
}

function suite(name: string, cases: readonly string[], checks: readonly Check[], errors = 0): string {
  const count = (kind: Check['outcome']) => checks.filter(({ outcome }) => outcome === kind).length;
  return [
    `  <testsuite name=${quoted(name)} tests="${cases.length}" failures="${count('failed')}" errors="${errors}" skipped="${count('undecided')}" time="0">`,
    ...cases,
    '  </testsuite>',
  ].join('\n');
}

function testCase({ group, name, outcome, text }: Check): string {
  const start = `    <testcase classname=${quoted(group)} name=${quoted(name)} time="0"`;
  switch (outcome) {
    case 'passed':
      return text === '' ? `${start}/>` : `${start}><system-out>${escaped(text)}</system-out></testcase>`;
    case 'failed':
      return `${start}><failure message=${quoted(text)} type="missed">${escaped(text)}</failure></testcase>`;
    case 'undecided':
      return `${start}><skipped message=${quoted(`cannot tell: ${text}`)}/></testcase>`;
  }
}

function failedCase(title: string, { code, text }: NonNullable<PipelineResult['failure']>): string {
  return `    <testcase classname="study" name=${quoted(title)} time="0"><error message=${quoted(text)} type=${quoted(code)}>${escaped(text)}</error></testcase>`;
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '&quot;').replaceAll(/\s+/gu, ' ')}"`;
}

/** Control characters have no place in XML 1.0: they are shown, as everywhere. */
function escaped(text: string): string {
  return visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
