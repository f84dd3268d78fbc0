import type { SecretResponse, WorkerResponse, WorkerStatus } from '@sallyport/contracts';
import { headersAsWritten, type Source, type SourceStatus } from '#domain';

type OAuth2 = NonNullable<NonNullable<WorkerResponse['mcp']>['oauth2']>;

/** A source in the words of the wire. No secret is in it: headers are shown as they were written. */
export function workerResponse(
  source: Source,
  status: SourceStatus,
  quarantined: number,
  redirectUri: string,
): WorkerResponse {
  const fromFile = source.origin === 'file';
  const binding = fromFile ? 'static' : 'project';
  const secret = (exists: boolean): SecretResponse => ({ exists, editable: !fromFile, value: '', binding });
  const { uri, retry } = source;
  const limits = {
    timeout: source.timeoutMs / 1000,
    tool_timeouts: Object.fromEntries(
      Object.entries(source.toolTimeoutsMs ?? {}).map(([tool, ms]) => [tool, ms / 1000]),
    ),
    retry,
  };
  return {
    id: source.id,
    type: source.kind === 'worker' ? 'http' : 'mcp',
    enabled: source.enabled,
    pin: source.pin ?? 'off',
    managed: false,
    binding: { type: binding, id: source.projectId },
    ...(source.kind === 'worker'
      ? { http: { uri, ...limits, secret: secret(source.secret !== null) } }
      : {
          mcp: {
            uri,
            ...limits,
            headers: { ...headersAsWritten(source) },
            secrets: Object.fromEntries(Object.keys(source.secrets).map((name) => [name, secret(true)])),
            ...oauth2Response(source, secret),
            ...(source.authProvider == null
              ? {}
              : { auth_provider: { id: source.authProvider.id, scopes: [...source.authProvider.scopes] } }),
            ...(source.stdio == null ? { redirect_uri: redirectUri } : {}),
          },
        }),
    requirements: { met: true, authorization: { met: true, oauth2: { met: true } } },
    status: { ...statusResponse(status, quarantined), message: messageOf(source, status, quarantined) },
    ...(fromFile ? {} : { created_at: source.createdAt, updated_at: source.updatedAt }),
  };
}

function messageOf({ id }: Source, { message }: SourceStatus, quarantined: number): string {
  if (quarantined === 0) return message;
  const tools = quarantined === 1 ? '1 tool is' : `${quarantined} tools are`;
  return `${message}; ${tools} in quarantine: see GET /v1/workers/${id}/changes`;
}

function oauth2Response(source: Source, secret: (exists: boolean) => SecretResponse): { oauth2?: OAuth2 } {
  const kept = source.kept?.oauth2 as (Record<string, string> & { client_secret?: string }) | undefined;
  if (kept === undefined) return {};
  const { client_secret, ...rest } = kept;
  return { oauth2: { ...rest, client_secret: secret(client_secret !== undefined) } };
}

export function statusResponse(status: SourceStatus, quarantined: number): WorkerStatus {
  return {
    state: status.state,
    message: status.message,
    failed_step: status.failedStep,
    steps: status.steps.map((step) => ({ ...step })),
    tool_count: status.toolCount,
    prompt_count: status.promptCount,
    resource_count: status.resourceCount,
    quarantined_count: quarantined,
    checked_at: status.checkedAt,
    protocol_version: status.protocolVersion,
    server_info: status.serverInfo === null ? null : { ...status.serverInfo },
  };
}
