/**
 * The process: `node server.ts`, options in the environment. Password hashes run on Node's thread pool, four threads
 * unless UV_THREADPOOL_SIZE says otherwise; it is read before this file is, so it can only be set from outside. More
 * threads than cores do not make hashing faster; set it when PASSWORD_HASH_CONCURRENCY is above four.
 */
import cluster from 'node:cluster';
import { joinCluster, startCluster } from './cluster.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { announceListening, explainFailedStart, type Instance, startInstance } from './instance.ts';

function fail(lines: readonly string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return fail(['The app cannot start with these options:', ...error.problems.map((problem) => `- ${problem}`)]);
  }
}

async function startOrExit(config: Config): Promise<Instance> {
  try {
    return await (config.INSTANCES > 1 ? startCluster(config) : startInstance(config));
  } catch (error) {
    return fail([explainFailedStart(error, config)]);
  }
}

async function serve(config: Config): Promise<void> {
  const instance = await startOrExit(config);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, async () => {
      // Asked twice: at once.
      if (stopping) process.exit(1);
      stopping = true;
      process.exit(await instance.stop());
    });
  }
  announceListening({ host: instance.host, port: instance.port, instances: config.INSTANCES });
}

const config = readConfigOrExit();
await (cluster.isWorker ? joinCluster(config) : serve(config));
