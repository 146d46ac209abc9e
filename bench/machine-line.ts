import { machineFacts } from '../harness/machine/facts.ts';

/** Who measured, where and with what: to stand above every table. */
export function machineLine(command: string, versions: readonly string[], placement: string): string {
  const { cpuModel, cpus, memoryBytes, operatingSystem, kernel, node } = machineFacts();
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  return [
    `${cpuModel}, ${cpus} CPUs, ${memory}, ${operatingSystem}, Linux ${kernel}; ${[`Node ${node.slice(1)}`, ...versions].join(', ')}.`,
    `${placement}. \`${command}\``,
  ].join(' ');
}

/** As a person typed it. */
export function commandLine(script: string): string {
  const words = process.argv.slice(2);
  return `npm run ${script}${words.length > 0 ? ` -- ${words.join(' ')}` : ''}`;
}
