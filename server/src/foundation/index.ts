/**
 * Foundation: results, faults, clock, ids, bytes of JSON. The few things that every room needs and that know nothing of the
 * product. It never reads the environment, a file or the network.
 */

export { canonicalJson } from './canonical-json.ts';
export type { Clock } from './clock.ts';
export { atMost, elapsedMs, manualClock, pause, systemClock } from './clock.ts';
export { Fault, messageOf } from './fault.ts';
export { newId, randomHex } from './ids.ts';
export { inTime } from './in-time.ts';
export type { JsonItem, JsonMember, Members } from './json-members.ts';
export {
  eachJsonItem,
  isDeeperThan,
  isHeavierThan,
  isMembers,
  jsonItems,
  jsonMembers,
} from './json-members.ts';
export { ownText } from './own-text.ts';
export type { Rests } from './rests.ts';
export { createRests } from './rests.ts';
export type { Err, MaybePromise, Ok, Result } from './result.ts';
export { err, ok } from './result.ts';
export type { Sealer } from './seal.ts';
export { createSealer } from './seal.ts';
export type { SingleFlight } from './single-flight.ts';
export { createSingleFlight } from './single-flight.ts';
export type { Turns } from './turns.ts';
export { createTurns } from './turns.ts';
