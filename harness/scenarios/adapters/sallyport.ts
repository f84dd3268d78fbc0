import { type GatewayProcess, startGateway } from '../../gateway-process.ts';
import type { Adapter, Control, RecordedDecision, ToolRef } from '../gateway-under-test.ts';

const slug = 'judged';

/** Sallyport itself: a server process of its own on a temporary directory, driven by its REST API alone. */
export const adapter: Adapter = {
  name: 'Sallyport',
  worker: 'strict',
  async start({ github, atlassian }) {
    const gateway = await startGateway({
      workers: [
        { id: 'github', http: { uri: github.workerUri, secret: { value: github.secret } } },
        { id: 'atlassian', mcp: { uri: atlassian.mcpUri } },
      ],
      gateways: [{ name: 'Judged', slug, access: 'granted' }],
    });
    const api = createApi(gateway);
    const keys = new Map<string, string>();
    return {
      async connect(user) {
        // A key that can act as this user and nobody else: an administrator's could name anybody.
        let key = keys.get(user);
        if (key === undefined) {
          const made = await api('POST', '/v1/api_keys', { name: user, users: [user], scopes: ['call'] });
          key = String(made.key);
          keys.set(user, key);
        }
        const headers = { Authorization: `Bearer ${key}`, 'Arcade-User-ID': user };
        return { url: `${gateway.origin}/mcp/${slug}`, headers };
      },
      wireName: ({ toolkit, tool }) => (toolkit === 'Github' ? `Github_${tool}` : `atlassian_${tool}`),
      control: createControl(api),
      stop: () => gateway.stop(),
    };
  },
};

/** The toolkit of an MCP server has the id of its source. */
const globs = (tools: readonly ToolRef[]) =>
  tools.map(({ toolkit, tool }) => (toolkit === 'Github' ? `Github.${tool}` : `atlassian.${tool}`));

function createControl(api: Api): Control {
  async function addRule(rule: object, tools: readonly ToolRef[]): Promise<string> {
    const { id } = await api('POST', '/v1/rules', { name: 'Judged', tools: globs(tools), ...rule });
    return String(id);
  }
  return {
    async grant(user, tools) {
      const grant = { subject: { user }, tools: globs(tools), gateway: slug, effect: 'allow' };
      return String((await api('POST', '/v1/grants', grant)).id);
    },
    revoke: async (grant) => void (await api('DELETE', `/v1/grants/${grant}`)),
    blockInput: (pattern, tools) =>
      addRule({ direction: 'input', match: { pattern }, action: 'block' }, tools),
    redactOutput: (match, tools) => addRule({ direction: 'output', match, action: 'redact' }, tools),
    removeRule: async (rule) => void (await api('DELETE', `/v1/rules/${rule}`)),
    async records(user) {
      const query = new URLSearchParams({ user_id: user, kind: 'tool_call', limit: '100' });
      const { items } = await api('GET', `/v1/audit_events?${query}`);
      return (items as AuditEvent[]).map(recordedDecision);
    },
  };
}

interface AuditEvent {
  readonly decision: RecordedDecision['decision'];
  readonly tool: string | null;
  readonly user_id: string | null;
  readonly policy: { readonly rules: readonly { readonly outcome: string; readonly count: number }[] } | null;
}

function recordedDecision(event: AuditEvent): RecordedDecision {
  const redactions = (event.policy?.rules ?? []).filter(({ outcome }) => outcome === 'redacted');
  return {
    decision: event.decision,
    tool: event.tool ?? '',
    user: event.user_id ?? '',
    redactions: redactions.reduce((sum, { count }) => sum + count, 0),
    raw: JSON.stringify(event),
  };
}

type Api = (method: string, path: string, body?: object) => Promise<Record<string, unknown>>;

function createApi({ origin, key }: GatewayProcess): Api {
  return async (method, path, body) => {
    const answer = await fetch(origin + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}: ${text}`);
    return text === '' ? {} : JSON.parse(text);
  };
}
