/**
 * Wire: the fronts. They speak a protocol and decide nothing: bytes become a request of the pipeline or of a room, and
 * the outcome becomes bytes again. `http/` listens and bounds what comes in, `mcp/` serves gateways in both generations
 * of the protocol, `rest/` serves the API, `scim/` the company's directory.
 */

export { createConnect } from './connect/connect.ts';
export type { ConnectDeps } from './connect/page-deps.ts';
export { countAnswers } from './http/answers.ts';
export { createLaneFront } from './http/lane-front.ts';
export { createOriginPolicy } from './http/origin.ts';
export { PassedOnResponse, readElsewhere } from './http/passed-on.ts';
export type { HttpServer, Readiness } from './http/server.ts';
export { listen } from './http/server.ts';
export { createMcpEndpoint } from './mcp/endpoint.ts';
export { createLaneEndpoint } from './mcp/lane.ts';
export type { SessionNews, TellProcesses } from './mcp/sessions/among-processes.ts';
export type { Sessions } from './mcp/sessions/sessions.ts';
export { createSessions } from './mcp/sessions/sessions.ts';
export type { Streams } from './mcp/streams.ts';
export { createStreams } from './mcp/streams.ts';
export { createTaskIds } from './mcp/tasks/ids.ts';
export type { OAuth, OAuthDeps } from './oauth/oauth.ts';
export { createOAuth } from './oauth/oauth.ts';
export type { InstallationFacts, RestApi, StatusFacts, Traffic } from './rest/index.ts';
export { createCoordinator, createRestApi } from './rest/index.ts';
export { createScimFront } from './scim/front.ts';
export { createGatewayPage } from './sign-in/gateway-page.ts';
export { createSignIn } from './sign-in/sign-in.ts';
