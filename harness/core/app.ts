import type { SettingValue } from './tier.ts';

/** What the app must be given to make its data, besides the database: `{ name: 'users', default: 1000 }`. */
export interface DataOption {
  /** As in a study's question and in the results: `tasksPerUser`. */
  readonly name: string;
  /** Environment variable that sets it where nobody asks, such as in a compose file. */
  readonly variable: string;
  readonly default: number;
}

/** One of the app's programs, run to its end. */
export interface AppStep {
  /** `migrate` */
  readonly name: string;
  /** A file of the app's folder without its extension, run by Node. */
  readonly script: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secretEnvironment: Readonly<Record<string, string>>;
}

/** A user of the app as scenarios see one: an index from 0 and the app's own fields. */
export interface AppUser {
  readonly index: number;
  readonly email: string;
  readonly password: string;
}

/** The app under test: how it is built and started, how it is told what it connects to, which data and users it has. @public */
export interface App {
  readonly name: string;
  /** The folder with its sources and its Dockerfile: absolute, or of the installed package. */
  readonly folder: string;
  /** What an image built from `folder` is called, without its tag. */
  readonly image: string;
  /** The program that serves: a file of `folder` without its extension, run by Node. */
  readonly script: string;
  readonly port: number;
  /** Answers 200 when it can serve. */
  readonly readyPath: string;
  readonly metricsPath: string;
  /** The connections of its service in a tier: role -> the variable that gets the address, and what it may not lead to. */
  readonly roles: Readonly<Record<string, AppRole>>;
  /** Its settings are environment variables. Of these tierbench sets each itself, besides the variables of `roles`. */
  readonly reserved: readonly string[];
  /** Secrets made for each deployment: variable -> bytes. */
  readonly secrets: Readonly<Record<string, number>>;
  /** Where the service listens, as variables. */
  listen(host: string, port: number): Readonly<Record<string, string>>;
  /** The setting that fixes its port. */
  readonly portSetting: string;
  /** Variables that differ from the tier because a database on the way cannot keep named prepared statements. */
  readonly withoutPreparedStatements: Readonly<Record<string, string>>;
  /** What is wrong with a setting: its value says a unit although its name does, it has no effect behind a pooler. */
  settingProblem(name: string, value: SettingValue): { readonly what: string; readonly nextStep: string } | undefined;
  /** Settings that a pooler does not pass on, so that they have no effect behind one. */
  readonly lostBehindPooler: readonly string[];
  /** Connections an instance opens over one role when its pools are full: `copies x (each + each)`. */
  connections(settings: Readonly<Record<string, SettingValue>>): AppConnections | undefined;
  /** Settings shown in a drawing of the tier. */
  readonly shownSettings: readonly string[];
  /** Brings the schema of the database at that address up to date. */
  migrate(databaseUrl: string): AppStep;
  readonly data: readonly DataOption[];
  /** Fills the database at that address; the same values make the same data. `values` by the names of `data`. */
  seed(
    databaseUrl: string,
    values: Readonly<Record<string, string | number>>,
    password: string,
    settings: Readonly<Record<string, SettingValue>>,
  ): AppStep;
  /** The users that seeding with that many makes. */
  users(count: number, password: string): readonly AppUser[];
}

interface AppRole {
  readonly protocol: 'postgres' | 'redis';
  readonly variable: string;
  readonly required: boolean;
  /** Kinds of service that it must not end at, each with the reason. */
  readonly not: Readonly<Record<string, string>>;
}

interface AppConnections {
  readonly copies: number;
  readonly each: readonly number[];
}
