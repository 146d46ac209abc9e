import { Command, CommanderError } from 'commander';
import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import { forgetDatabaseSettings } from '../harness/machine/environment.ts';
import { version } from '../harness/machine/own-package.ts';
import { dataOptions } from './app.ts';
import { failUntilConcluded, keepIgnoringSighup } from './command-life.ts';
import { exitCodes, printError, processOutput } from './output/streams.ts';
import type { TypedRunOptions } from './run-options.ts';

/**
 * The command line. Options only: each command's own file is loaded when it is called, so that `--help` is quick.
 * Sets the exit code (`exitCodes`), which is that of an error until the command has come to its end.
 */
export async function main(words: readonly string[]): Promise<void> {
  const conclude = failUntilConcluded(processOutput);
  keepIgnoringSighup();
  forgetDatabaseSettings();
  let exitCode: number = exitCodes.met;
  const program = commands(async (run) => {
    exitCode = await run();
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    conclude(exitCode);
  } catch (error) {
    if (!(error instanceof CommanderError)) printError(error, processOutput);
    conclude(error instanceof CommanderError && error.exitCode === 0 ? exitCodes.met : exitCodes.couldNotRun);
  }
}

/** An empty value is most likely that of a variable of the shell that is not set. */
function refuseEmpty(command: Command): void {
  const problems = command.options.flatMap((option): Problem[] => {
    const values: unknown[] = [command.getOptionValue(option.attributeName())].flat();
    const isEmpty = values.some((value) => typeof value === 'string' && value.trim() === '');
    return isEmpty ? [{ what: `${option.long} is empty`, nextStep: 'give it a value, or leave it out' }] : [];
  });
  if (problems.length === 0) return;
  throw new TierbenchError('OPTIONS_INVALID', 'an option is empty', 'Fix what is named above.', { problems });
}

type Conclude = (run: () => Promise<number>) => Promise<void>;

function commands(conclude: Conclude): Command {
  const program = new Command('tierbench')
    .description(
      'Load tests and capacity planning for an API at each scaling tier, with verdicts against documented targets.',
    )
    .configureHelp({ helpWidth: processOutput.width })
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('next: add --help to see what there is.')
    .configureOutput({
      writeOut: (text) => processOutput.out(text.trimEnd()),
      writeErr: (text) => processOutput.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error:/, 'error COMMAND_LINE_INVALID:')),
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 targets met, 1 could not run, 2 a target was missed, 3 inconclusive.\nStart with: tierbench run --quick',
    )
    .hook('preAction', (_program, command) => refuseEmpty(command))
    .version(version());

  runOptions(
    program
      .command('run')
      .description(
        'start each tier, run the scenarios against it, and report throughput and p95 latency against the targets',
      ),
  ).action((typed: TypedRunOptions) =>
    conclude(async () => (await import('./commands/run.ts')).run(typed, processOutput)),
  );

  runOptions(
    program
      .command('study')
      .description('conduct a study by its name, with a question of its own')
      .argument('<name>', 'a study of harness/studies/registry.ts')
      .requiredOption('--question <json>', 'what is asked, as the study defines it'),
  ).action((name: string, typed: TypedRunOptions & { readonly question: string }) =>
    conclude(async () => (await import('./commands/run.ts')).study(name, typed, processOutput)),
  );

  const gate = program
    .command('gate')
    .description('measure two versions of the app side by side: slower, not slower, or too noisy here to decide')
    .option(
      '--base <source>',
      'what to compare with: a branch, tag or commit of this repository, a folder, an image with its tag, or a URL',
    )
    .option('--head <source>', 'what may be slower (default: the repository around the working directory, as it is)')
    .option('--noise', 'instead: measure one version against itself for a minute, and say what a gate can see here')
    .option('--tier <tier>', 'a built-in tier or a file of your own (default: single)')
    .option('--scenario <scenario>', 'a built-in scenario or a file of your own (default: crud)')
    .option(
      '--target <targets>',
      'hold head against these targets too: a file, or ids of `tierbench targets`, separated by commas',
    )
    .option(
      '--rate <perS>',
      'iterations that arrive per second (default: half of what a pilot trial of the base completes)',
    )
    .option('--minutes <count>', 'the most that the pairs may take; fewer where the answer is clear (default: 10)')
    .option('--tolerance <share>', 'a change that matters, such as 10% (default)')
    .option(
      '--accept <file>',
      'slowdowns that are accepted for a time (default: tierbench.accept.yaml where it lies in the working directory)',
    )
    .option('--duration <s>', 'seconds that are measured in each trial (default: 6)')
    .option('--warm-up <s>', 'seconds of load before them (default: 2)')
    .option('--provider <name>', 'where the services run: auto, local, containers')
    .option('--allow-remote', 'with URLs: load a host other than this machine')
    .option('--cacert <file>', 'with URLs: trust the certificate authorities in this file (PEM) too')
    .option('--insecure', 'with URLs: do not check certificates; those of this machine never are')
    .option('--users <file>', 'with URLs: a YAML or JSON list of { email, password } to sign in with')
    .option('--seed <number>', 'seed of data, traffic and order (default: 1)')
    .option('--install-missing', 'install what the tier needs and this machine lacks, saying each command first')
    .option('--out <folder>', 'the results folder to make')
    .option('--json', 'print report.json instead of the summary')
    .option('--quiet', 'no progress')
    .action((typed) => conclude(async () => (await import('./commands/gate.ts')).gate(typed, processOutput)));
  pipelineOptions(gate);
  for (const { option, what } of dataOptions) gate.option(`${option} <count>`, `${what} (default: 100)`);

  const up = program
    .command('up')
    .description('start a tier and keep it running until Ctrl-C')
    .option('--tier <tier>', 'a built-in tier or a file of your own', 'single')
    .option('--provider <name>', 'where its services run: auto, local, containers', 'auto')
    .option('--install-missing', 'install what the tier needs and this machine lacks, saying each command first')
    .option('--seed <number>', 'seed of the data', '1')
    .action((typed) => conclude(async () => (await import('./commands/up.ts')).up(typed, processOutput)));
  for (const { option, what } of dataOptions) up.option(`${option} <count>`, what, '100');

  pipelineOptions(
    program
      .command('report')
      .description('make the report of a results folder again, and files for a pipeline')
      .argument('<folder>', 'a folder that `tierbench run` or `gate` made')
      .option('--json', 'print report.json instead of the summary'),
  ).action((folder: string, typed) =>
    conclude(async () => (await import('./commands/report.ts')).report(folder, typed, processOutput)),
  );

  program
    .command('compare')
    .description('hold results of `run` against the first of them: what is worse, and what may not be compared')
    .argument('<results...>', 'folders; with a name: before=FOLDER; with repeats of a run: before=FOLDER,FOLDER')
    .option('--markdown <file>', 'write the body of a comment on a pull request')
    .option('--out <folder>', 'write a report there: page, Markdown, JSON and charts')
    .option('--json', 'print JSON instead of the summary')
    .action((results: string[], typed) =>
      conclude(async () => (await import('./commands/compare.ts')).compare(results, typed, processOutput)),
    );

  program
    .command('history')
    .description('results of runs or gates over time: a chart of each figure, and where it changed for good')
    .argument('<folder>', 'a folder that holds results folders')
    .option('--out <folder>', 'write a report there: page, Markdown, JSON and charts')
    .option('--json', 'print JSON instead of the summary')
    .action((folder: string, typed) =>
      conclude(async () => (await import('./commands/history.ts')).history(folder, typed, processOutput)),
    );

  program
    .command('fit')
    .description('fit a model of scalability, or of p95, to measurements from anywhere')
    .argument(
      '<files...>',
      'CSV (concurrency,throughput[,latency_ms] or rate,p95_ms), results folders, or outputs of k6, autocannon, wrk, oha, vegeta or hey',
    )
    .option('--p95 <time>', 'with rate,p95: up to which rate p95 is at most this, such as 200ms')
    .option('--noise <kind>', 'of throughput: absolute (default), or relative where larger values vary more')
    .option('--seed <number>', 'seed of the bootstrap (default: 1)')
    .option('--out <folder>', 'write a report there: page, Markdown, JSON and charts')
    .option('--json', 'print JSON instead of the summary')
    .action((files: string[], typed) =>
      conclude(async () => (await import('./commands/fit.ts')).fit(files, typed, processOutput)),
    );

  program
    .command('plan')
    .description('which tier of a run carries a load, with how many instances, and what is saturated next')
    .argument('<folder>', 'a folder that `tierbench run` made')
    .option('--workload <file>', 'what users do, in YAML: docs/plan.md; options below count instead of what it says')
    .option('--users <count>', 'users a day; this and what follows may be a range: 2..4')
    .option('--rate <perS>', 'instead: requests per second at the peak')
    .option('--concurrent <count>', 'instead: users at once')
    .option('--scenario <scenario>', 'what they do (default: mixed where it was measured)')
    .option('--sessions <count>', 'sessions of a user on a day (default: 2..4)')
    .option('--requests <count>', 'requests of a session (default: 15..25)')
    .option('--peak-factor <factor>', 'rate of the busiest time over the mean of the day (default: 2..4)')
    .option('--think <s>', 'seconds between two requests of a user (default: 3..7)')
    .option('--growth <percent>', 'how much more it is to carry (default: 0%)')
    .option('--headroom <percent>', 'share of each service that is to stay free at the peak (default: 20%)')
    .option('--failures <count>', 'instances of each service that may fail at the peak (default: 1)')
    .option('--largest-instance <cpus>', 'CPUs that a service of one instance may be given (default: 8)')
    .option(
      '--cpu-factor <range>',
      'how many times faster the planned CPUs are than those of the run: 2 or 1.5..3 (default: 1)',
    )
    .option('--prices <file>', 'what things cost, in YAML, or the figures of lsf-auth or scalability-strategy')
    .option('--out <folder>', 'write a report there: page, Markdown and JSON')
    .option('--json', 'print JSON instead of the summary')
    .action((folder: string, typed) =>
      conclude(async () => (await import('./commands/plan.ts')).plan(folder, typed, processOutput)),
    );

  program
    .command('targets')
    .description('print every figure of the scaling documents and how it is judged')
    .option('--targets <file>', 'a targets file of your own instead of the built-in ones')
    .option('--result <folder>', 'judge those that a model judges by a plan from this run, each with its calculation')
    .option('--scenario <scenario>', 'with --result: what users do (default: mixed where it was measured)')
    .option('--out <folder>', 'with --result: write a report there')
    .option('--json', 'print JSON')
    .action((typed) => conclude(async () => (await import('./commands/lists.ts')).targets(typed, processOutput)));

  program
    .command('tiers')
    .description('print the built-in tiers, and where each runs on this machine')
    .option('--json', 'print JSON')
    .action((typed) => conclude(async () => (await import('./commands/lists.ts')).tiers(typed, processOutput)));

  program
    .command('compose')
    .description('print a docker compose file of the tiers, a profile each')
    .option('--tier <tiers...>', 'built-in tiers or files of your own (default: every built-in tier)')
    .action((typed) => conclude(async () => (await import('./commands/compose.ts')).compose(typed, processOutput)));

  program
    .command('scenarios')
    .description('print the built-in scenarios')
    .option('--json', 'print JSON')
    .action((typed) => conclude(async () => (await import('./commands/lists.ts')).scenarios(typed, processOutput)));

  program
    .command('doctor')
    .description(
      'what this machine can run, what is missing and how to get it; removes what a killed command left behind',
    )
    .option('--install', 'run the commands that install what is missing')
    .option('--noise', 'measure for a minute which changes `tierbench gate` can see here')
    .option('--json', 'print JSON')
    .action((typed) => conclude(async () => (await import('./commands/doctor.ts')).doctor(typed, processOutput)));

  const init = program.command('init').description('write a file to start from');
  init
    .command('scenario')
    .description('write NAME.ts, a scenario of your own')
    .argument('<name>', 'its name: lower-case letters, digits and dashes')
    .action((name: string) =>
      conclude(async () => (await import('./commands/init-scenario.ts')).initScenario(name, processOutput)),
    );

  init
    .command('ci')
    .description('write a workflow for GitHub or a job for GitLab that gates each pull request')
    .argument('[service]', 'github or gitlab (default: gitlab where there is a .gitlab-ci.yml, else github)')
    .action((service: string | undefined) =>
      conclude(async () => (await import('./commands/init-ci.ts')).initCi(service, processOutput)),
    );

  const exported = program.command('export').description('write what other tools run');
  exported
    .command('k6')
    .description('write a folder that plain `k6 run` can run anywhere: the scenario, and thresholds from the targets')
    .option('--scenario <scenario>', 'a built-in scenario or a file of your own')
    .option('--mix <weights>', 'with mixed: PART=WEIGHT separated by commas, or a YAML file')
    .option('--rate <perS>', 'iterations that arrive per second')
    .option('--concurrency <count>', 'instead of --rate: virtual users who each wait for their answers')
    .option('--duration <s>', 'seconds that are measured (default: 30)')
    .option('--warm-up <s>', 'seconds of load before them (default: 5)')
    .option('--timeout <s>', 'a request not answered by then has failed (default: 10)')
    .option('--seed <number>', 'seed of the traffic (default: 1)')
    .option('--user-count <count>', 'with --rate: virtual users to have spare, each with a user of its own')
    .option('--targets <file>', 'a targets file of your own instead of the built-in ones')
    .option('--p95 <time>', 'a target instead of those: the p95 latency of every step is at most this, such as 200ms')
    .option('--errors <share>', 'a target instead of those: at most this share of all requests fails, such as 0.1%')
    .option('--tier <tier>', 'the tier that will be measured, for targets that are about one')
    .option('--out <folder>', 'the folder to write')
    .action((typed) => conclude(async () => (await import('./commands/export-k6.ts')).exportK6(typed, processOutput)));

  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

function pipelineOptions(command: Command): Command {
  return command
    .option('--junit <file>', 'write JUnit XML: a test case for each metric or target')
    .option(
      '--summary <file>',
      'write Markdown for the summary of a job (default: GITHUB_STEP_SUMMARY where it is set)',
    )
    .option('--comment <file>', 'write the body of a comment on a pull request, with a marker to update it in place')
    .option('--bencher <file>', 'write Bencher Metric Format (JSON)')
    .option('--benchmark-json <file>', 'write JSON for github-action-benchmark (customSmallerIsBetter)');
}

function runOptions(command: Command): Command {
  for (const { option, what, default: usual, quick } of dataOptions) {
    command.option(`${option} <count>`, `${what} (default: ${usual}${quick === undefined ? '' : `; quick: ${quick}`})`);
  }
  return command
    .option(
      '--tier <tiers>',
      'built-in tiers or files of your own, separated by commas, measured in this order (default: single,pooled,replicated,cached)',
    )
    .option(
      '--scenario <scenarios>',
      'built-in scenarios or files of your own, separated by commas (default: login,crud,mixed,browse; quick: login,crud,mixed)',
    )
    .option(
      '--mix <weights>',
      'how often mixed picks each of its parts: PART=WEIGHT separated by commas, or a YAML file (default: browse=80,crud=15,login=5)',
    )
    .option(
      '--engine <name>',
      'what makes the load: open-loop (default), k6, or autocannon, which offers numbers of users only',
    )
    .option(
      '--provider <name>',
      'where the services run: auto (default: containers where an engine answers, else local), local, containers, url',
    )
    .option(
      '--url <url>',
      'measure an API that already runs there instead of starting a tier; more by name: URL,search=URL',
    )
    .option('--allow-remote', 'with --url: load a host other than this machine')
    .option('--cacert <file>', 'with --url: trust the certificate authorities in this file (PEM) too')
    .option('--insecure', 'with --url: do not check certificates; those of this machine never are')
    .option('--quick', 'a short run of all tiers in about 9 minutes: 6 s a trial, fewer rates, 100 tasks for each user')
    .option(
      '--rate <list>',
      'arrival rates to measure, in iterations of the scenario each second (default: a search for the highest that meets the targets, and the documented rates)',
    )
    .option('--precision <percent>', 'how wide the interval of a sustained rate may be (default: 5%; quick: 10%)')
    .option('--search-time <s>', 'seconds of trials each search may take (default: 300; quick: 15)')
    .option('--arrivals <process>', 'how arrivals follow one another: poisson (default) or constant')
    .option(
      '--concurrency <list>',
      'numbers of virtual users to measure (default: those the documents speak of; with autocannon 1,2,5,10,25,50,100)',
    )
    .option(
      '--stages <list>',
      'instead of --rate: one open load whose rate changes, as SECONDS:RATE; it goes evenly from each to the next, as in stages of k6 (0:50,60:200,120:50)',
    )
    .option('--k6 <path>', 'with --engine k6: the program to use (default: k6 on the PATH, else its image)')
    .option('--workers <count>', 'processes of the open-loop or autocannon engine (default: 1)')
    .option('--duration <s>', 'seconds measured in each trial (default: 30; quick: 6)')
    .option(
      '--warm-up <s>',
      'seconds of load before them; 0 leaves out all but the pilot trial of a search (default: 5; quick: 1)',
    )
    .option('--cool-down <s>', 'seconds of rest between scenarios, faults and tiers (default: 5; quick: 2)')
    .option('--timeout <s>', 'a request not answered by then has failed (default: 10)')
    .option('--seed <number>', 'seed of data and traffic: same seed, same requests (default: 1)')
    .option('--users <file>', 'with --url: a YAML or JSON list of { email, password } to sign in with')
    .option(
      '--fault <faults>',
      'kill or pause services of each tier that has them, after its trials: kill:cache,pause:api/2',
      (faults: string, before: readonly string[] = []) => [...before, faults],
    )
    .option('--faults', 'kill and pause every service in turn')
    .option(
      '--sweep <setting>',
      'measure each tier with each of these values instead: api.instances=1,2,3 (also cpus, memory, any setting of a tier file); several options make every combination',
      (setting: string, before: readonly string[] = []) => [...before, setting],
    )
    .option('--all', 'with --sweep: measure also values of which those around them say as much')
    .option('--install-missing', 'install what the tiers need and this machine lacks, saying each command first')
    .option('--skip-think-times', 'leave the think times of scenarios out')
    .option(
      '--targets <file>',
      'judge against a targets file of your own, or documents (default: documents; none with --url, --p95 or --errors)',
    )
    .option('--p95 <time>', 'a target: the p95 latency of every step is at most this, such as 200ms')
    .option('--errors <share>', 'a target: at most this share of all requests fails, such as 0.1%')
    .option('--out <folder>', 'the results folder (default: results/<time>-<run id>)')
    .option('--allow-missed', 'exit with 0 once the run is complete, whatever the verdicts')
    .option('--json', 'print report.json on standard output')
    .option('--quiet', 'no progress');
}
