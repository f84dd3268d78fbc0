/**
 * Processes: the office and its lanes. The office is the process that was started; lanes are its children, which take a part of
 * the connections. This room starts them, starts them again, ends them, and carries what they say to one another: the embedded
 * database, connections and requests that change hands, and when what a lane holds in memory may not be right any more. It never
 * knows what a request means.
 */

export { createFreshness, type Freshness } from './freshness.ts';
export type { LaneLink } from './lane-link.ts';
export { openLaneLink } from './lane-link.ts';
export type { Desk, PassedOn } from './messages.ts';
export type { Office, OfficeDeps } from './office.ts';
export { createOffice } from './office.ts';
