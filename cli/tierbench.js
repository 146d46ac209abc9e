#!/usr/bin/env node
// Plain JavaScript without new syntax, so that an old Node can read it far enough to say what it lacks.
import { Console } from 'node:console';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;

// Only a command that has come to its end sets another one.
process.exitCode = 1;

if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  process.stderr.write(`tierbench needs Node.js ${NEEDED_MAJOR} or newer; this is ${process.versions.node}.\n`);
} else {
  // What a scenario prints goes to stderr: stdout is the command's own, such as for `--json`.
  globalThis.console = new Console(process.stderr, process.stderr);
  // In a checkout the TypeScript sources run as they are; the package carries what tsc made of them.
  const source = new URL('./main.ts', import.meta.url);
  const inCheckout = existsSync(source);
  // Stripping types costs more than everything else `--help` does, so what was stripped once is kept.
  if (inCheckout) module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)));
  import(inCheckout ? source.href : new URL('../dist/cli/main.js', import.meta.url).href)
    .then(({ main }) => main(process.argv.slice(2)))
    .then(() => {
      // What was written goes out first, and what cannot be written is noticed: its error comes after the callback. A timer
      // that a scenario file has left running does not keep the command.
      process.stdout.write('', () =>
        setImmediate(() => process.stderr.write('', () => setImmediate(() => process.exit()))),
      );
    });
}
