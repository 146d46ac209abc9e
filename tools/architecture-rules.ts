import type { ICruiseOptions, IFlattenedRuleSet } from 'dependency-cruiser';

/** Who may import whom. Each rule says why; `npm run check:architecture` fails when one is broken. */

const tests = String.raw`\.test\.ts$|^harness/contracts/|^reference-app/test/|^test-support/`;
const node =
  '^(node:)?(assert|buffer|child_process|cluster|crypto|dns|events|fs|http|https|module|net|os|path|perf_hooks|process|stream|timers|tls|url|util|worker_threads|zlib)';
const npm = '(^|/)node_modules/';

type Rule = NonNullable<IFlattenedRuleSet['forbidden']>[number] & { readonly name: string; readonly comment: string };

/** A folder: a row of the table in docs/architecture.md. */
export interface Room {
  readonly folder: string;
  /** What is in it. */
  readonly holds: string;
  /** In words. */
  readonly mayImport: string;
  readonly why: string;
}

const roomsWithRules: Room[] = [];

/** `from` may reach only what is listed (and itself). */
const only = (name: string, from: string, allowed: readonly string[], comment: string, holds: string): Rule => {
  const mayImport = allowed.flatMap(inWords).filter((room) => room !== inWords(from)[0]);
  roomsWithRules.push({ folder: from.slice(1), holds, mayImport: mayImport.join(', ') || 'nothing', why: comment });
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from, pathNot: tests },
    to: { pathNot: [from, ...allowed] },
  };
};

/** `^harness/(core|files)/` is `core` and `files`. */
function inWords(pattern: string): string[] {
  if (pattern === node) return ['modules of Node'];
  if (pattern === npm) return ['packages'];
  const path = pattern.replace(/^\^|^\(\^\|\/\)node_modules\//u, '').replace(/\\\.ts\$|\/$/u, '');
  const [, before = '', choices, after = ''] = /^(.*?)\(([^)]*)\)(.*)$/u.exec(path) ?? [];
  const paths = choices === undefined ? [path] : choices.split('|').map((choice) => `${before}${choice}${after}`);
  return paths.map((each) => `\`${each.replace(/^harness\//u, '')}\``);
}

export const rules: Rule[] = [
  only(
    'scenarios-import-only-themselves',
    '^scenarios/',
    [],
    'k6 runs these files as they are: it knows no npm and no node:.',
    'what virtual users do; runs unchanged in Node and in k6',
  ),
  only(
    'core-imports-nothing',
    '^harness/core/',
    ['(^|/)node_modules/zod/'],
    'The words and types of tierbench are free of clocks, sockets and files, so that decisions can be tested as tables. Findings are stored: their types are those of their schemas.',
    'the words and types: load, tier, trial, target, finding, metric, error, unit',
  ),
  only(
    'statistics-are-pure',
    '^harness/statistics/',
    ['^harness/core/'],
    'A formula takes its data and its randomness as arguments.',
    'intervals, steady state, bootstrap, paired changes',
  ),
  only(
    'histograms-wrap-one-library',
    '^harness/histograms/',
    ['^harness/core/', '(^|/)node_modules/hdr-histogram-js/', node],
    'One place knows how latencies are stored.',
    'latencies as HdrHistogram V2 in microseconds',
  ),
  only(
    'models-are-pure',
    '^harness/models/',
    ['^harness/(core|statistics)/'],
    'A model takes what was measured as numbers: it is tested with known answers and simulated servers.',
    'service demands, the search for the sustained rate',
  ),
  only(
    'judging-is-pure',
    '^harness/judging/',
    ['^harness/(core|statistics|histograms|models)/'],
    'A verdict follows from the stored results alone.',
    'trial -> summary, validity, bottleneck; run -> verdicts and comparisons',
  ),
  only(
    'service-types-are-pure',
    '^harness/services/',
    ['^harness/core/'],
    'The configuration of a server follows from the tier alone, for every provider and for the compose file.',
    'one file for each kind of service, and the registry of them',
  ),
  only(
    'files-know-core-and-services',
    '^harness/files/',
    ['^harness/(core|services)/', '^harness/machine/(own-package|file-system)\\.ts$', '^scenarios/', node, npm],
    'Reading and writing files decides nothing; what a setting may be is known where the server is described.',
    'tier and target files (YAML), the results folder',
  ),
  only(
    'engines-are-strangers-to-the-rest',
    '^harness/engines/',
    [
      '^harness/(core|histograms|statistics|http-client)/',
      '^harness/files/load-scenario\\.ts$',
      '^scenarios/',
      '^harness/(container-engine|orphans|machine|operating-system)/',
      node,
      npm,
    ],
    'An engine makes load; what is loaded and who watches is not its business. k6 is a program, or in a container.',
    'who makes the load: `open-loop`, `autocannon`, `k6`',
  ),
  only(
    'the-http-client-knows-nothing-of-trials',
    '^harness/http-client/',
    [node],
    'It sends a request and reads the response; which requests, and when, is not its business.',
    'HTTP/1.1 on plain sockets, for the open-loop engine',
  ),
  only(
    'providers-are-strangers-to-the-rest',
    '^harness/providers/',
    ['^harness/(core|container-engine|machine|operating-system|orphans|services)/', node, npm],
    'A provider starts services; who loads and watches them is not its business.',
    'who starts a tier: `local`, `containers`, `url`',
  ),
  {
    name: 'providers-are-strangers-to-each-other',
    comment: 'What two providers share stands beside them, not in one of them.',
    severity: 'error',
    from: { path: '^harness/providers/([^/]+)/', pathNot: tests },
    to: { path: '^harness/providers/[^/]+/', pathNot: '^harness/providers/$1/' },
  },
  only(
    'the-container-engine-is-one-client',
    '^harness/container-engine/',
    ['^harness/(core|machine|operating-system)/', node, npm],
    'It creates, finds and removes containers; what runs in them is not its business.',
    'the one client of Docker',
  ),
  {
    name: 'only-the-container-engine-speaks-docker',
    comment: 'One room knows the API of the container engine.',
    severity: 'error',
    from: { path: '^(harness|cli|exports|reports)/', pathNot: `${tests}|^harness/container-engine/` },
    to: { path: '(^|/)node_modules/(dockerode|testcontainers)/', dependencyTypesNot: ['type-only'] },
  },
  only(
    'probes-are-strangers-to-the-rest',
    '^harness/probes/',
    ['^harness/(core|operating-system)/', '^harness/machine/clock\\.ts$', node, npm],
    'A probe reads one source of evidence.',
    'what is read once a second while a trial runs',
  ),
  only(
    'orphans-know-the-container-engine-only',
    '^harness/orphans/',
    ['^harness/(core|container-engine|operating-system)/', node, npm],
    'Cleaning up after a killed command must work when everything else does not.',
    'finds and removes what a killed command left',
  ),
  only(
    'machine-asks-the-operating-system',
    '^harness/machine/',
    ['^harness/(core|operating-system)/', node, npm],
    'What the machine has is a fact, not a decision.',
    'what this machine is and can run, and where tierbench lies on it',
  ),
  only(
    'the-operating-system-is-asked-here',
    '^harness/operating-system/',
    ['^harness/core/', node],
    'One file for each system reads files of the kernel and runs its programs: elsewhere what it lacks is a value.',
    'what the operating system says of processes, CPUs and limits',
  ),
  only(
    'studies-know-parts-by-their-interfaces',
    '^harness/studies/',
    [
      '^harness/(core|statistics|histograms|models|judging|files)/',
      '^harness/engines/engine\\.ts$',
      '^harness/providers/provider\\.ts$',
      '^harness/probes/(probe|sampler)\\.ts$',
      '^harness/machine/(clock|facts|own-package|placement)\\.ts$',
      '^harness/operating-system/',
      '^scenarios/kit\\.ts$',
      '(^|/)node_modules/zod/',
      node,
    ],
    'A study runs on any engine, provider and probe; the command line chooses them.',
    'a study proposes trials; one place measures them',
  ),
  only(
    'reports-read-results-only',
    '^reports/',
    [
      '^harness/(core|statistics|histograms|models|judging|services)/',
      '^harness/files/(atomic-write|results-schema)\\.ts$',
      node,
      npm,
    ],
    'A report is made from the results folder alone, so that it can be made again later.',
    'results folder -> terminal, Markdown, JSON, HTML, PNG',
  ),
  only(
    'exports-are-pure-renderings',
    '^exports/',
    [
      '^harness/(core|services|judging|statistics|histograms|files)/',
      '^harness/engines/',
      '^harness/machine/(own-package|clock)\\.ts$',
      '^scenarios/',
      node,
      npm,
    ],
    'An exported folder works without tierbench; what it holds is decided by the other rooms.',
    'folders and files that work without tierbench: k6, Docker Compose',
  ),
  only(
    'the-reference-app-stands-alone',
    '^reference-app/',
    ['^reference-app/', node, npm],
    'It is a starting point for a real API: it knows nothing of what measures it.',
    'the app that ships with tierbench; a process of its own',
  ),
  {
    name: 'the-tests-of-the-reference-app-stand-alone',
    comment: 'Who takes the app as a starting point takes its tests along.',
    severity: 'error',
    from: { path: '^reference-app/' },
    to: { pathNot: ['^reference-app/', node, npm] },
  },
  {
    name: 'engines-are-strangers-to-one-another',
    comment: 'What two engines need is in harness/engines/shared/: an engine can be removed with its folder.',
    severity: 'error',
    from: { path: '^harness/engines/([^/]+)/', pathNot: `${tests}|^harness/engines/shared/` },
    to: { path: '^harness/engines/[^/]+/', pathNot: '^harness/engines/($1|shared)/' },
  },
  {
    name: 'studies-are-strangers-to-one-another',
    comment: 'What two studies share stands beside them: a study can be removed with its folder.',
    severity: 'error',
    from: { path: '^harness/studies/([^/]+)/', pathNot: tests },
    to: { path: '^harness/studies/[^/]+/', pathNot: '^harness/studies/$1/' },
  },
  {
    name: 'what-engines-share-knows-none-of-them',
    comment: 'The common life cycle of a trial gets its transport handed in.',
    severity: 'error',
    from: { path: '^harness/engines/shared/', pathNot: tests },
    to: { path: '^harness/engines/[^/]+/', pathNot: '^harness/engines/shared/' },
  },
  {
    name: 'production-from-tests',
    comment: 'Contracts, fixtures, benchmarks, tools and test support are not shipped.',
    severity: 'error',
    from: { path: '^(scenarios|harness|reports|exports|cli|reference-app)/', pathNot: tests },
    to: { path: String.raw`\.test\.ts$|^harness/contracts/|^(bench|tools|test-support)/|^reference-app/test/` },
  },
  {
    name: 'nobody-imports-the-reference-app',
    comment: 'It is started as a process, as a stranger would be.',
    severity: 'error',
    from: { path: '^(scenarios|harness|reports|exports|cli)/', pathNot: tests },
    to: { path: '^reference-app/' },
  },
  {
    name: 'only-png-draws',
    comment: 'The native canvas is optional and heavy: one file loads it, when it is needed.',
    severity: 'error',
    from: { pathNot: '^reports/charts/png\\.ts$|\\.test\\.ts$|^node_modules/' },
    to: { path: '(^|/)node_modules/(chartjs-node-canvas|canvas|@napi-rs/canvas)/' },
  },
  {
    name: 'only-the-command-line-parses-words',
    comment: 'Nothing else knows that tierbench is called from a terminal.',
    severity: 'error',
    from: { pathNot: '^cli/|\\.test\\.ts$|^node_modules/|^reference-app/|^bench/' },
    to: { path: '(^|/)node_modules/commander/' },
  },
  {
    name: 'no-cycles',
    comment: 'Two files that need each other are one file or lack a third.',
    severity: 'error',
    from: { pathNot: '^node_modules/' },
    to: { circular: true },
  },
  {
    name: 'nothing-unresolvable',
    comment: 'An import that cannot be found fails at run time.',
    severity: 'error',
    from: { pathNot: '^node_modules/' },
    to: { couldNotResolve: true },
  },
];

/** What no import shows: files and programs that only some systems have. */
export const ofTheOperatingSystem = {
  name: 'only-one-room-knows-the-operating-system',
  comment: 'What differs between Linux and macOS is asked of harness/operating-system/.',
  text: /\/proc\b|\/sys\/fs\/cgroup|process\.platform/,
  concerns: (source: string): boolean =>
    /^(scenarios|harness|reports|exports|cli|reference-app)\//.test(source) &&
    !source.startsWith('harness/operating-system/') &&
    !new RegExp(tests).test(source),
};

const tested = 'Tests and benchmarks use production code, never the other way round.';

/** Every folder of the repository that holds code or data. */
export const rooms: readonly Room[] = [
  ...roomsWithRules,
  {
    folder: 'harness/tiers/',
    holds: 'data: the built-in tiers',
    mayImport: '',
    why: 'Copy one to write your own.',
  },
  {
    folder: 'harness/targets/',
    holds: 'data: every figure of the scaling documents, as targets',
    mayImport: '',
    why: 'A figure is judged, or a file says why not.',
  },
  {
    folder: 'cli/',
    holds: 'the words people type, progress, exit codes',
    mayImport: 'all that is shipped',
    why: 'The only room that chooses engine, provider and probes, and that knows options.',
  },
  {
    folder: 'harness/contracts/',
    holds: 'suites that every engine, provider and probe passes',
    mayImport: 'all',
    why: tested,
  },
  { folder: 'test-support/', holds: 'what tests of several rooms share', mayImport: 'all', why: tested },
  { folder: 'bench/', holds: 'benchmarks of tierbench itself', mayImport: 'all', why: tested },
  { folder: 'tools/', holds: 'checks of this repository, and pages made from its code', mayImport: 'all', why: tested },
];

export const cruiseOptions: ICruiseOptions = {
  doNotFollow: { path: ['node_modules', 'dist'] },
  exclude: { path: ['^dist/', '^results/', 'fixtures/'] },
  tsPreCompilationDeps: true,
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'require', 'node', 'default', 'types'],
  },
};
