/**
 * Stand-ins for OAuth providers, on loopback, one for each way in which the real ones differ: codes are good once, PKCE, redirect
 * URI and client authentication are checked, and tokens are worth something at their API until they end.
 *
 *     const google = await startGoogle({ now: clock.now });
 *     google.redirectUris.add(redirectUri);           // exactly these are taken
 *     create({ id: 'google', type: 'oauth2', oauth2: google.settings });   // all requests in full, or of a well-known one:
 *     onLoopback(known.oauth2, google.origin);        // its facts, with the endpoints here (the paths are the real ones)
 *     const page = await consentAt(url, { as: 'ann', allow: true });   // what a user does in a browser; anybody may be one
 *
 * - Its API: `GET {origin}/stand-in/whoami` with a bearer token says `{user, scopes}`, or 401; `grantOf(token)` says it here.
 * - Secrets of a run: `given` has every token, `codes` every code, and there is `clientSecret`. Grep for them.
 * - Counts: `asked.token`, `asked.user_info`, …; `requests` has what came, with headers and parameters.
 * - Switches: `outage`, `refuseClient`, `revokeAll()`, `expireAll()`, `lifeS`, `graceMs` (rotating refresh tokens), `withheld`
 *   scopes, `testers` (Google), `iss`, and `before` and `change` for whatever else.
 * - A real browser on the consent page: fill `input[name=login]`, press Allow or Deny.
 * - `startSlow` answers where the test lets it; `startLiar` says what `lie` is set to.
 */

export { startGitHub } from './github.ts';
export { startGoogle } from './google.ts';
export type { Grant, User } from './grants.ts';
export { type LiarStandIn, type Lie, lies, startLiar } from './liar.ts';
export { startMicrosoft } from './microsoft.ts';
export { startNotion } from './notion.ts';
export { onLoopback } from './on-loopback.ts';
export { startPlain } from './plain.ts';
export { startSlack } from './slack.ts';
export { type SlowStandIn, startSlow } from './slow.ts';
export type { Asked, Place, StandIn, StandInOptions } from './stand-in.ts';
export { consentAt, type Walk } from './walk.ts';
