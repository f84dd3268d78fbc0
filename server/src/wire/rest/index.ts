/**
 * The REST API, `/v1/…`: Arcade's operations, wire-compatible, and our own in the same style. It checks requests against
 * the contracts, asks the rooms, and puts their answers into the words of the wire. It decides nothing about tools:
 * what a caller may see and call is the pipeline's answer. Its only table is `executions`.
 */

export type { RestApi } from './api.ts';
export { createRestApi } from './api.ts';
export { createCoordinator } from './coordinator/front.ts';
export type { RestRooms } from './route.ts';
export type { InstallationFacts, StatusFacts, Traffic } from './status/contract.ts';
