/**
 * Every error a person can act on. Codes are stable: programs may depend on them. docs/errors.md is made from this table
 * (`npm run docs`), and so is the type of the codes.
 */
export const errorCodes = {
  'What was typed': {
    COMMAND_LINE_INVALID: 'an unknown command or option, or one without its value',
    OPTIONS_INVALID: 'values of options are wrong; all of them are listed',
    INPUTS_INVALID: 'several of the files and names given are wrong; all of them are listed',
    URL_INVALID: 'the address is not http or https, or contains credentials, a query or a fragment',
    FILE_EXISTS: 'the file to be written is there already',
    FOLDER_NOT_EMPTY: 'the folder to be written holds files already',
    SCENARIO_NAME_INVALID: 'not a name for a new scenario',
    SOURCE_INVALID: 'neither a folder nor a commit with the app, or its packages cannot be installed',
  },
  Files: {
    FILE_NOT_FOUND: 'there is no such file',
    FILE_NOT_READABLE: 'a folder, a file without permission, too large, or not text',
    TIER_UNKNOWN: 'neither a built-in tier nor a path',
    TIER_FILE_INVALID: 'problems in a tier file, each with line and column',
    TARGET_FILE_INVALID: 'problems in a targets file, each with line and column',
    ACCEPT_FILE_INVALID: 'problems in a file of accepted slowdowns, each with line and column',
    MIX_FILE_INVALID: 'problems in a file of weights for the scenario mixed, each with line and column',
    WORKLOAD_FILE_INVALID: 'problems in a workload file, each with line and column',
    PRICES_UNKNOWN: 'neither built-in prices nor a path',
    PRICE_FILE_INVALID: 'problems in a price file, each with line and column',
    MEASUREMENTS_INVALID: 'problems in a file of measurements, each with its line',
    USERS_FILE_INVALID: 'problems in a users file, each with line and column',
  },
  Scenarios: {
    SCENARIO_NOT_FOUND: 'neither a built-in scenario nor a file',
    SCENARIO_INVALID: 'the file does not load, or does not define a scenario',
    SCENARIO_THREW: 'it threw although every answer was right, or in a timer of its own',
    SCENARIO_INVALID_ACTION: 'it yielded something that is neither `send` nor `think`',
    SCENARIO_INVALID_REQUEST: 'it sent a request that is none',
    SCENARIO_HANGS: 'it keeps its thread: it loops without coming to an end',
    SCENARIO_SENDS_NOTHING: 'its iterations end without a request, over and over',
    SCENARIO_TOO_MANY_STEPS: 'its requests have more than 200 names, such as one for each id',
    SCENARIO_BEGINS_FOREVER: 'its `begin` does not come to an end',
    SCENARIO_CANNOT_BE_BUNDLED: 'it imports what k6 does not have; each place is listed',
    ANSWERS_WRONG: 'the API answered wrongly at concurrency 1, before any load',
  },
  Load: {
    LOAD_MODEL_NOT_SUPPORTED: 'the engine cannot offer this kind of load',
    INVALID_LOAD: 'a concurrency or an arrival rate that nobody can offer',
    INVALID_BASE_URL: 'the address the load goes to is not one',
    TOO_FEW_USERS: 'fewer users than virtual users; no two share one',
    GENERATOR_ENDED: 'a process that makes the load ended during a trial',
    AUTOCANNON_UNKNOWN: 'another version of autocannon is installed than tierbench knows',
  },
  k6: {
    K6_MISSING: 'there is no k6, and its image cannot be had or run',
    K6_UNUSABLE: 'the named program, or the image, cannot be run or is not k6',
    K6_VERSION_NOT_SUPPORTED: 'a k6 of another version than 1.x and 2.x',
    K6_FAILED: 'k6 ended before the trial was over, did not end, or wrote something else than measurements',
    K6_SESSION_NOT_JSON: '`begin` returns what k6 cannot hand on to its virtual users',
    SCENARIO_FILE_UNKNOWN: 'k6 reads scenarios from files, and this one came without',
  },
  'Starting a tier': {
    NO_TIER_CAN_RUN: 'none of the tiers can run on this machine; the reasons are listed',
    TIER_CANNOT_RUN_HERE: 'the provider cannot run this tier; the reasons are listed',
    TIER_NOT_CONNECTED: 'services depend on each other in a cycle',
    COMPOSE_NAMES_CLASH: 'two tiers, or services of them, would have one name in a compose file',
    POSTGRES_NOT_INSTALLED: 'the embedded PostgreSQL of this platform is not installed',
    SERVICE_DID_NOT_START: 'a service ended before it was ready; its last lines are shown',
    SERVICE_NOT_READY: 'a service runs but does not become ready',
    ENGINE_NOT_AVAILABLE: 'no container engine answers that this account may use',
    IMAGE_NOT_AVAILABLE: 'an image is not here and cannot be pulled',
    IMAGE_BUILD_FAILED: 'the image of the API could not be built; the last lines are shown',
    REPLICA_BEHIND: 'a replica did not get what was written to its primary in time',
    SERVER_NOT_INSTALLED: 'a server program of the distribution is not installed',
    MIGRATION_FAILED: 'the database could not be migrated',
    SEED_FAILED: 'the database could not be filled',
    PORT_BUSY: 'a port the tier file asks for is taken',
    SERVICE_ENDED: 'a service crashed; what was measured until then is kept',
    FAULT_FAILED: 'a service could not be made to fail, or did not come back after it',
    TIERS_ENDED_EARLY: 'more than one tier ended early; each is listed with its own error',
    FOLDER_NOT_REACHABLE: 'the account of the servers cannot get to a folder',
    FOLDER_NOT_WRITABLE: 'temporary files or records cannot be written',
    DISK_FULL: 'no space is left for temporary files',
    URL_NOT_REACHABLE: 'nothing answers at the address',
    URL_ANSWERS_BADLY: 'a server accepts connections at the address, but what it answers is not HTTP/1.1 or has no end',
    CERTIFICATE_REFUSED:
      'the certificate at the address is self-signed, expired, for another name, or of an unknown authority',
    REMOTE_HOST_REFUSED: 'the address is not this machine, and load on other machines was not allowed',
  },
  Results: {
    CANNOT_WRITE: 'a result or report could not be written; what was written before is kept',
    RESULTS_FOLDER_IN_USE: 'the folder holds results already',
    RESULTS_VERSION: 'the results folder was written in another schema version, by an older or newer tierbench',
    RESULTS_NOT_READABLE: 'not a results folder of this version, or a damaged one; every damaged file is listed',
    COMMAND_ENDED: 'the process ended before its command was done, such as by `process.exit` in a scenario',
    INTERNAL: 'a defect of tierbench',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;

type Groups = typeof errorCodes;
export type ErrorCode = { [Group in keyof Groups]: keyof Groups[Group] }[keyof Groups];

const known: ReadonlySet<string> = new Set(Object.values(errorCodes).flatMap((group) => Object.keys(group)));

/** For codes that come from elsewhere, such as the log of k6. */
export function isErrorCode(text: string): text is ErrorCode {
  return known.has(text);
}
