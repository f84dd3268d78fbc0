/**
 * Compose: builds every room by hand, top to bottom, and joins them. The only place that picks implementations; it
 * decides nothing else. `app.ts` is the whole process on one page.
 */

export type { App, AppDeps } from './app.ts';
export { createApp } from './app.ts';
export { ownerLink } from './owner-link.ts';
export { welcome } from './welcome.ts';
