import type { App, DataOption } from '../harness/core/app.ts';
import { referenceApp } from '../harness/services/reference-app.ts';

/** The app under test. The only place of the command line that chooses it. */
export const app: App = referenceApp;

type TypedDataOption = DataOption & { readonly option: string };

/** What says how much data the app has, each with its option: `--tasks-per-user`. `--seed` is that of the traffic too. */
export const dataOptions: readonly TypedDataOption[] = app.data
  .filter(({ name }) => name !== 'seed')
  .map((each) => ({ ...each, option: `--${each.name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}` }));

/** The one that says how many users there are; undefined for an app without users. */
export const usersOption = dataOptions.find(({ counts }) => counts === 'users');
