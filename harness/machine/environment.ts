import { getCompileCacheDir } from 'node:module';

/**
 * What a program needs of the shell's environment to run at all. Everything else is stated by who starts it: settings of a
 * person's shell (PGOPTIONS, NODE_OPTIONS, K6_VUS, GIT_DIR, LANG) would change what is measured. In a home of its own a
 * program finds no settings of a person either (`~/.pgpass`, `~/.gitconfig`).
 */
export function programEnvironment(home: string): Record<string, string> {
  const names = ['PATH', 'TMPDIR', 'LD_LIBRARY_PATH'];
  const passed = names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  // Stripping types is most of what the app's start from a checkout costs.
  const compileCache = process.env.NODE_COMPILE_CACHE ?? getCompileCacheDir();
  return {
    ...Object.fromEntries(passed),
    ...(compileCache !== undefined && { NODE_COMPILE_CACHE: compileCache }),
    HOME: home,
  };
}

/**
 * Removes from this process's environment what `pg` would read there and apply to each of our connections, whatever address
 * they are given: PGSSLMODE, PGOPTIONS and others. No option of a client can leave all of them out.
 */
export function forgetDatabaseSettings(environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(environment)) {
    if (/^(PG[A-Z_]+|NODE_PG_FORCE_NATIVE)$/.test(name)) delete environment[name];
  }
}
