/**
 * Config: the environment and the config file, read once and checked. Everything that is wrong is reported at once,
 * each mistake with its place and with what was expected; no value of a secret is ever part of a message.
 *
 * `readSettings` reads the environment, `loadConfigFile` the file: YAML to a tree that knows its lines, references to
 * secrets replaced by their values, the whole checked against the schemas of the API's create requests. No other room
 * reads `process.env` or the file. It applies nothing: what it returns is data.
 */

export type { FurtherChecks } from './check.ts';
export type { ConfigFile, Declared, DeclaredGateway } from './config-file.ts';
export { emptyConfig, loadConfigFile } from './config-file.ts';
export type { HubRequest } from './hub-section.ts';
export type { ConfigMistake, Place } from './mistakes.ts';
export { formatMistake } from './mistakes.ts';
export { redact } from './redact.ts';
export type { RootKeyRequest } from './root-keys.ts';
export type { LogLevel, Role, Settings } from './settings.ts';
export { readSettings, roles } from './settings.ts';
export type { ConfigWatch } from './watch.ts';
export { watchConfigFile } from './watch.ts';
