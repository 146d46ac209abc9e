import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Finding } from '../core/machine.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { controlGroupLimits } from './facts.ts';

const GIBIBYTE = 1024 ** 3;
/** 1,000,000 seeded tasks with their indexes and write-ahead log take about 1 GiB. */
const DISK_WANTED_BYTES = 2 * GIBIBYTE;
/** PostgreSQL, one API process and the generator, each with some hundred MiB. */
const MEMORY_WANTED_BYTES = GIBIBYTE;
/** 1,000 connections have two ends on this machine. */
const FILES_WANTED = 4096;

export async function freeDisk(folder = tmpdir()): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const detail = `${gibibytes(freeBytes)} free in ${folder}`;
  if (freeBytes >= DISK_WANTED_BYTES) return { state: 'ready', detail };
  return {
    state: 'limited',
    detail: `${detail}, less than ${gibibytes(DISK_WANTED_BYTES)}; set TMPDIR to a larger disk`,
  };
}

export function freeMemory(): Finding {
  const limitBytes = controlGroupLimits().memoryBytes ?? Number.POSITIVE_INFINITY;
  const availableBytes = Math.min(thisSystem.availableMemoryBytes(), limitBytes);
  const detail = `${gibibytes(availableBytes)} available`;
  if (availableBytes >= MEMORY_WANTED_BYTES) return { state: 'ready', detail };
  return { state: 'limited', detail: `${detail}, less than ${gibibytes(MEMORY_WANTED_BYTES)}; stop other programs` };
}

export function openFiles(limit = thisSystem.openFilesLimit()): Finding {
  if (limit === undefined) return { state: 'ready', detail: 'the limit cannot be read here' };
  const detail = `${limit === Number.POSITIVE_INFINITY ? 'unlimited' : limit} open files per process`;
  if (limit >= FILES_WANTED) return { state: 'ready', detail };
  return {
    state: 'limited',
    detail: `${detail}, less than ${FILES_WANTED}; raise it with \`ulimit -n ${FILES_WANTED}\``,
  };
}

function gibibytes(bytes: number): string {
  return `${(bytes / GIBIBYTE).toFixed(1)} GiB`;
}
