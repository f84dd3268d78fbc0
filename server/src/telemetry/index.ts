/** Telemetry: structured logs. Rooms get a `Log` passed in; nothing else writes to the console. */

export type { Log, LogLevel } from './log.ts';
export { createLog, silentLog } from './log.ts';
