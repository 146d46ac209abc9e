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
  /** Rooms or files of them, `node`, `npm`, or a package by its name; `all`, all that is `shipped`, or nothing for data. It may reach itself as well. */
  readonly mayImport: string;
  readonly why: string;
}

const tested = 'Tests and benchmarks use production code, never the other way round.';

/** Every folder of the repository that holds code or data. */
export const rooms: readonly Room[] = [
  {
    folder: 'scenarios/',
    holds: 'what virtual users do; runs unchanged in Node and in k6',
    mayImport: 'nothing',
    why: 'k6 runs these files as they are: it knows no npm and no node:.',
  },
  {
    folder: 'harness/core/',
    holds: 'the words and types: load, tier, trial, target, finding, metric, error, unit',
    mayImport: 'zod',
    why: 'The words and types of tierbench are free of clocks, sockets and files, so that decisions can be tested as tables. Findings are stored: their types are those of their schemas.',
  },
  {
    folder: 'harness/statistics/',
    holds: 'intervals, steady state, bootstrap, paired changes',
    mayImport: 'core',
    why: 'A formula takes its data and its randomness as arguments.',
  },
  {
    folder: 'harness/histograms/',
    holds: 'latencies as HdrHistogram V2 in microseconds',
    mayImport: 'core hdr-histogram-js node',
    why: 'One place knows how latencies are stored.',
  },
  {
    folder: 'harness/models/',
    holds: 'service demands, the search for the sustained rate, scalability, queues, plans',
    mayImport: 'core statistics',
    why: 'A model takes what was measured as numbers: it is tested with known answers and simulated servers.',
  },
  {
    folder: 'harness/judging/',
    holds: 'trial -> summary, validity, bottleneck; run -> verdicts and comparisons',
    mayImport: 'core statistics histograms models',
    why: 'A verdict follows from the stored results alone.',
  },
  {
    folder: 'harness/services/',
    holds: 'one file for each kind of service, and the registry of them',
    mayImport: 'core',
    why: 'The configuration of a server follows from the tier alone, for every provider and for the compose file.',
  },
  {
    folder: 'harness/files/',
    holds: 'tier and target files (YAML), the results folder',
    mayImport: 'core services machine/own-package machine/file-system scenarios node npm',
    why: 'Reading and writing files decides nothing; what a setting may be is known where the server is described.',
  },
  {
    folder: 'harness/engines/',
    holds: 'who makes the load: `open-loop`, `autocannon`, `k6`',
    mayImport:
      'core histograms statistics http-client files/load-scenario scenarios container-engine orphans machine operating-system node npm',
    why: 'An engine makes load; what is loaded and who watches is not its business. k6 is a program, or in a container.',
  },
  {
    folder: 'harness/http-client/',
    holds: 'HTTP/1.1 on plain sockets, for the open-loop engine',
    mayImport: 'node',
    why: 'It sends a request and reads the response; which requests, and when, is not its business.',
  },
  {
    folder: 'harness/providers/',
    holds: 'who starts a tier: `local`, `containers`, `url`',
    mayImport: 'core container-engine machine operating-system orphans services node npm',
    why: 'A provider starts services; who loads and watches them is not its business.',
  },
  {
    folder: 'harness/container-engine/',
    holds: 'the one client of Docker',
    mayImport: 'core machine operating-system node npm',
    why: 'It creates, finds and removes containers; what runs in them is not its business.',
  },
  {
    folder: 'harness/probes/',
    holds: 'what is read once a second while a trial runs',
    mayImport: 'core operating-system machine/clock node npm',
    why: 'A probe reads one source of evidence.',
  },
  {
    folder: 'harness/orphans/',
    holds: 'finds and removes what a killed command left',
    mayImport: 'core container-engine operating-system node npm',
    why: 'Cleaning up after a killed command must work when everything else does not.',
  },
  {
    folder: 'harness/machine/',
    holds: 'what this machine is and can run, and where tierbench lies on it',
    mayImport: 'core operating-system node npm',
    why: 'What the machine has is a fact, not a decision.',
  },
  {
    folder: 'harness/operating-system/',
    holds: 'what the operating system says of processes, CPUs and limits',
    mayImport: 'core node',
    why: 'One file for each system reads files of the kernel and runs its programs: elsewhere what it lacks is a value.',
  },
  {
    folder: 'harness/studies/',
    holds: 'a study proposes trials; one place measures them',
    mayImport:
      'core statistics histograms models judging files engines/engine providers/provider probes/probe probes/sampler machine/clock machine/facts machine/own-package machine/placement operating-system scenarios/kit zod node',
    why: 'A study runs on any engine, provider and probe; the command line chooses them.',
  },
  {
    folder: 'reports/',
    holds: 'results folder -> terminal, Markdown, JSON, HTML, PNG',
    mayImport: 'core statistics histograms models judging services files/atomic-write files/results-schema node npm',
    why: 'A report is made from the results folder alone, so that it can be made again later.',
  },
  {
    folder: 'exports/',
    holds: 'folders and files that work without tierbench: k6, Docker Compose',
    mayImport:
      'core services judging statistics histograms files engines machine/own-package machine/clock scenarios node npm',
    why: 'An exported folder works without tierbench; what it holds is decided by the other rooms.',
  },
  {
    folder: 'reference-app/',
    holds: 'the app that ships with tierbench; a process of its own',
    mayImport: 'node npm',
    why: 'It is a starting point for a real API: it knows nothing of what measures it.',
  },
  {
    folder: 'harness/prices/',
    holds: 'data: what the scaling documents say that things cost',
    mayImport: '',
    why: 'Copy one to write your own.',
  },
  { folder: 'harness/tiers/', holds: 'data: the built-in tiers', mayImport: '', why: 'Copy one to write your own.' },
  {
    folder: 'harness/targets/',
    holds: 'data: every figure of the scaling documents, as targets',
    mayImport: '',
    why: 'A figure is judged, or a file says why not.',
  },
  {
    folder: 'cli/',
    holds: 'the words people type, progress, exit codes',
    mayImport: 'shipped',
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

function imported(name: string): string {
  if (name === 'node') return node;
  if (name === 'npm') return npm;
  const beside = rooms.find(({ folder }) => new RegExp(`^(harness/)?${name.split('/')[0]}/$`).test(folder));
  if (beside === undefined) return `${npm}${name}/`;
  const path = `^${beside.folder}${name.split('/').slice(1).join('/')}`;
  return path.endsWith('/') ? path : String.raw`${path}\.ts$`;
}

const ofRooms = rooms
  .filter(({ mayImport }) => !['all', 'shipped', ''].includes(mayImport))
  .map(({ folder, mayImport, why }): Rule => {
    const allowed = mayImport === 'nothing' ? [] : mayImport.split(' ').map(imported);
    return {
      name: `room ${folder}`,
      comment: why,
      from: { path: `^${folder}`, pathNot: tests },
      to: { pathNot: [`^${folder}`, ...allowed] },
    };
  });

export const rules: Rule[] = [
  ...ofRooms,
  {
    name: 'providers-are-strangers-to-each-other',
    comment: 'What two providers share stands beside them, not in one of them.',
    from: { path: '^harness/providers/([^/]+)/', pathNot: tests },
    to: { path: '^harness/providers/[^/]+/', pathNot: '^harness/providers/$1/' },
  },
  {
    name: 'only-the-container-engine-speaks-docker',
    comment: 'One room knows the API of the container engine.',
    from: { path: '^(harness|cli|exports|reports)/', pathNot: `${tests}|^harness/container-engine/` },
    to: { path: '(^|/)node_modules/(dockerode|testcontainers)/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'the-tests-of-the-reference-app-stand-alone',
    comment: 'Who takes the app as a starting point takes its tests along.',
    from: { path: '^reference-app/' },
    to: { pathNot: ['^reference-app/', node, npm] },
  },
  {
    name: 'engines-are-strangers-to-one-another',
    comment: 'What two engines need is in harness/engines/shared/: an engine can be removed with its folder.',
    from: { path: '^harness/engines/([^/]+)/', pathNot: `${tests}|^harness/engines/shared/` },
    to: { path: '^harness/engines/[^/]+/', pathNot: '^harness/engines/($1|shared)/' },
  },
  {
    name: 'studies-are-strangers-to-one-another',
    comment: 'What two studies share stands beside them: a study can be removed with its folder.',
    from: { path: '^harness/studies/([^/]+)/', pathNot: tests },
    to: { path: '^harness/studies/[^/]+/', pathNot: '^harness/studies/$1/' },
  },
  {
    name: 'what-engines-share-knows-none-of-them',
    comment: 'The common life cycle of a trial gets its transport handed in.',
    from: { path: '^harness/engines/shared/', pathNot: tests },
    to: { path: '^harness/engines/[^/]+/', pathNot: '^harness/engines/shared/' },
  },
  {
    name: 'production-from-tests',
    comment: 'Contracts, fixtures, benchmarks, tools and test support are not shipped.',
    from: { path: '^(scenarios|harness|reports|exports|cli|reference-app)/', pathNot: tests },
    to: { path: String.raw`\.test\.ts$|^harness/contracts/|^(bench|tools|test-support)/|^reference-app/test/` },
  },
  {
    name: 'nobody-imports-the-reference-app',
    comment: 'It is started as a process, as a stranger would be.',
    from: { path: '^(scenarios|harness|reports|exports|cli)/', pathNot: tests },
    to: { path: '^reference-app/' },
  },
  {
    name: 'only-png-draws',
    comment: 'The native canvas is optional and heavy: one file loads it, when it is needed.',
    from: { pathNot: '^reports/charts/png\\.ts$|\\.test\\.ts$|^node_modules/' },
    to: { path: '(^|/)node_modules/(chartjs-node-canvas|canvas|@napi-rs/canvas)/' },
  },
  {
    name: 'only-the-command-line-parses-words',
    comment: 'Nothing else knows that tierbench is called from a terminal.',
    from: { pathNot: '^cli/|\\.test\\.ts$|^node_modules/|^reference-app/|^bench/' },
    to: { path: '(^|/)node_modules/commander/' },
  },
  {
    name: 'no-cycles',
    comment: 'Two files that need each other are one file or lack a third.',
    from: { pathNot: '^node_modules/' },
    to: { circular: true },
  },
  {
    name: 'nothing-unresolvable',
    comment: 'An import that cannot be found fails at run time.',
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

export const cruiseOptions: ICruiseOptions = {
  doNotFollow: { path: ['node_modules', 'dist'] },
  exclude: { path: ['^dist/', '^results/', 'fixtures/'] },
  tsPreCompilationDeps: true,
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'require', 'node', 'default', 'types'],
  },
};
