import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { refusal } from '#domain';
import { newId } from '#foundation';
import { aboutRoutes } from './about/routes.ts';
import { answerOf, refusalAnswer } from './answer.ts';
import { apiKeyRoutes } from './api-keys/routes.ts';
import { approvalRoutes } from './approvals/routes.ts';
import { auditRoutes } from './audit/routes.ts';
import { authRoutes } from './auth/routes.ts';
import { authProviderRoutes } from './auth-providers/routes.ts';
import { connectionRoutes } from './connections/routes.ts';
import { createExecutions } from './executions/executions.ts';
import { gatewayRoutes } from './gateways/routes.ts';
import { hookRoutes } from './hooks/routes.ts';
import { hubRoutes } from './hub/routes.ts';
import { hubCatalogueRoutes } from './hub-catalogue/routes.ts';
import { invitationRoutes } from './invitations/routes.ts';
import { organizationRoutes } from './organizations/routes.ts';
import { peopleRoutes } from './people/routes.ts';
import { pluginRoutes } from './plugins/routes.ts';
import { explainRoute } from './policy/explain-route.ts';
import { policyRoutes } from './policy/routes.ts';
import { simulateRoute } from './policy/simulate-route.ts';
import { projectRoutes } from './projects/routes.ts';
import type { RestDeps, RestRooms, Route } from './route.ts';
import { secretRoutes } from './secrets/routes.ts';
import { serve } from './serve.ts';
import { serviceAccountRoutes } from './service-accounts/routes.ts';
import { settingsRoutes } from './settings/routes.ts';
import { statusRoutes } from './status/routes.ts';
import { executeRoute } from './tools/execute.ts';
import { toolRoutes } from './tools/routes.ts';
import { userSourceRoutes } from './user-sources/routes.ts';
import { workerRoutes } from './workers/routes.ts';

/** Answers everything below `/v1/`. */
export type RestApi = ReturnType<typeof getRequestListener>;

/** Every operation that takes a key. */
export function restRoutes(deps: RestDeps): readonly Route[] {
  return [
    ...toolRoutes(deps),
    executeRoute(deps),
    ...hubRoutes(deps),
    ...hubCatalogueRoutes(deps),
    ...authRoutes(deps),
    ...connectionRoutes(deps),
    ...settingsRoutes(deps),
    ...workerRoutes(deps),
    ...gatewayRoutes(deps),
    ...apiKeyRoutes(deps),
    ...peopleRoutes(deps),
    ...invitationRoutes(deps),
    ...organizationRoutes(deps),
    ...projectRoutes(deps),
    ...serviceAccountRoutes(deps),
    ...policyRoutes(deps),
    ...pluginRoutes(deps),
    ...hookRoutes(deps),
    ...approvalRoutes(deps),
    ...userSourceRoutes(deps),
    ...authProviderRoutes(deps),
    ...secretRoutes(deps),
    ...auditRoutes(deps),
    explainRoute(deps),
    simulateRoute(deps),
    ...statusRoutes(deps),
  ];
}

const prefixes = ['/v1', '/v1/orgs/:org/projects/:project'];
const prefixesOf = ({ ofOrganization }: Route) => (ofOrganization ? ['/v1'] : prefixes);

/** `/v1/…`, each route also below `/v1/orgs/{org}/projects/{project}`. */
export function createRestApi({ db, ...rooms }: RestRooms): RestApi {
  const deps: RestDeps = { ...rooms, executions: createExecutions({ db, ...rooms }) };
  const app = new Hono();
  addRoutes(app, deps);
  app.notFound(({ req }) =>
    refusalAnswer(refusal('resource.unknown', `there is no route ${req.method} ${req.path}`)),
  );
  app.onError((error, { req }) => {
    const requestId = newId('req', deps.clock.now());
    deps.log.error(
      { request_id: requestId, method: req.method, path: req.path, err: error },
      'a request failed',
    );
    const told = refusal('internal', `something went wrong here; the request was ${requestId}`);
    return refusalAnswer({ ...told, requestId });
  });
  return getRequestListener(app.fetch, { overrideGlobalObjects: false });
}

function addRoutes(app: Hono, deps: RestDeps): void {
  const routes = restRoutes(deps);
  const methods = new Map<string, string[]>();
  const allow = (path: string, method: string) => methods.set(path, [...(methods.get(path) ?? []), method]);
  for (const { path, run } of aboutRoutes(deps, routes)) {
    for (const prefix of prefixes) {
      app.get(prefix + path, async ({ req }) => answerOf(await run(req.url)));
      allow(prefix + path, 'GET');
    }
  }
  for (const route of routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ':$1');
    for (const prefix of prefixesOf(route)) {
      app.on(route.method, prefix + path, ({ req }) =>
        serve(deps, route, { request: req.raw, params: req.param() }),
      );
      allow(prefix + path, route.method);
    }
  }
  for (const [path, allowed] of methods) {
    const list = allowed.join(', ');
    const told = refusal('request.method_not_allowed', `this address takes ${list}`);
    app.all(path, () => refusalAnswer({ ...told, allow: list }));
  }
}
