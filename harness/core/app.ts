import type { VariedSetting } from './setting-change.ts';
import type { SettingValue, Tier } from './tier.ts';
import type { Unit } from './units.ts';

type Settings = Readonly<Record<string, SettingValue>>;

/** What is measured: an app in a tier. In a run the id is the name of the tier, and in a sweep what is changed of it too. */
export interface Subject {
  readonly id: string;
  readonly tier: Tier;
  readonly app: App;
  /** In a sweep: what is changed in the tier. */
  readonly variant?: readonly VariedSetting[];
}

/** What the data of an app is made of, by the names of its data options: `{ userCount: 1000, seed: 1 }`. */
export type DataValues = Readonly<Record<string, number>>;

/** The app under test: how it is built and started, how it learns what it connects to, which data and users it has. */
export interface App {
  readonly name: string;
  /** The folder with its sources and its Dockerfile: absolute, or relative to the installed package. */
  readonly folder: string;
  /** What an image built from `folder` is called, without its tag; with `isBuilt` the whole name of one that is there. */
  readonly image: string;
  readonly isBuilt?: boolean;
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
  /** What the data amounts to, by the units of targets: `{ users: 1000, tasks: 1000000 }`. */
  amounts(values: DataValues): DataAmounts;
  /** Fills the database at that address; the same values, by the names of `data`, make the same data. */
  seed(
    databaseUrl: string,
    values: Readonly<Record<string, string | number>>,
    password: string,
    settings: Settings,
  ): AppStep;
  /** The users that are in the data. */
  users(values: DataValues, password: string): readonly AppUser[];
  /** What a person can try when it is up, as lines of a shell: the first is a comment on the others. */
  example(baseUrl: string, user: AppUser): readonly string[];
  /** A page that describes it. */
  readonly pagePath: string;
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
  /** A value as a number in the unit of a target; null where it is none. */
  inUnit(name: string, value: SettingValue, unit: string): number | null;
  /** Those that set a parameter of its database sessions, each with the name that PostgreSQL has for it. */
  readonly session: Readonly<Record<string, string>>;
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

export type DataAmounts = Readonly<Partial<Record<Unit, number>>>;

/** What the data of the app depends on. Every app has `seed`, the seed of randomness. */
export interface DataOption {
  /** As in the results: `userCount`. */
  readonly name: string;
  /** What it counts: `users in the database`. */
  readonly what: string;
  /** The unit of targets of which it is the number. */
  readonly counts?: Unit;
  /** Environment variable that sets it where nobody asks, such as in a compose file. */
  readonly variable: string;
  readonly default: number;
  /** In a quick run, where it is another. */
  readonly quick?: number;
  readonly least: number;
  readonly most: number;
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
