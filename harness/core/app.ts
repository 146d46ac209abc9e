import type { SettingValue } from './tier.ts';

type Settings = Readonly<Record<string, SettingValue>>;

/** The app under test: how it is built and started, how it learns what it connects to, which data and users it has. */
export interface App {
  readonly name: string;
  /** The folder with its sources and its Dockerfile: absolute, or relative to the installed package. */
  readonly folder: string;
  /** What an image built from `folder` is called, without its tag. */
  readonly image: string;
  /** The program that serves: a file of `folder` without its extension, run by Node. */
  readonly script: string;
  readonly port: number;
  /** Answers 200 when it can serve. */
  readonly readyPath: string;
  /** Its metrics in the text format of Prometheus. */
  readonly metricsPath: string;
  /** The connections of its service in a tier. */
  readonly roles: Readonly<Record<string, AppRole>>;
  /** The role that leads to the database with its data. */
  readonly dataRole: string;
  /** Secrets made for each deployment: the variables that get them. */
  readonly secrets: readonly string[];
  /** Where it listens, as variables. */
  listen(host: string, port: number): Readonly<Record<string, string>>;
  /** Variables it gets where a database on the way cannot keep named prepared statements. */
  readonly withoutPreparedStatements: Readonly<Record<string, string>>;
  /** Its settings are environment variables. */
  readonly settings: AppSettings;
  /** At most, over one role: `copies x (each + each)`; undefined where a setting that matters is no whole number. */
  connections(settings: Settings): { readonly copies: number; readonly each: readonly number[] } | undefined;
  /** Brings the schema of the database at that address up to date. */
  migrate(databaseUrl: string): AppStep;
  readonly data: readonly DataOption[];
  /** Fills the database at that address; the same values, by the names of `data`, make the same data. */
  seed(
    databaseUrl: string,
    values: Readonly<Record<string, string | number>>,
    password: string,
    settings: Settings,
  ): AppStep;
  /** The users that seeding with that many makes. */
  users(count: number, password: string): readonly AppUser[];
}

interface AppSettings {
  /** Set by tierbench itself, besides the variables of the roles. */
  readonly reserved: readonly string[];
  readonly defaults: Settings;
  /** All that a tier may set. */
  readonly names: readonly string[];
  /** What is wrong with a name (`part`) or a value, after the name of the setting. */
  problem(
    name: string,
    value: SettingValue,
  ): { readonly part?: 'key'; readonly what: string; readonly nextStep: string } | undefined;
  /** The one that asks for a port. */
  readonly port: string;
  /** Those that a pooler does not pass on to the database, each with what does the same there. */
  readonly lostBehindPooler: Readonly<Record<string, string>>;
  /** Shown in a drawing of the tier. */
  readonly shown: readonly string[];
}

interface AppRole {
  readonly protocol: 'postgres' | 'redis';
  /** The environment variable that gets the address. */
  readonly variable: string;
  readonly required: boolean;
  /** Kinds of service that it must not end at, each with the reason. */
  readonly not?: Readonly<Record<string, string>>;
}

/** What the data of the app depends on besides the seed of randomness. */
export interface DataOption {
  /** As in the results: `users`. */
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

/** A user of the app as a scenario sees one: an index from 0 and the app's own fields. */
export type AppUser = { readonly index: number; readonly email: string; readonly password: string };
