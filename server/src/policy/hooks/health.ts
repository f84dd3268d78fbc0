import type { HealthStatus } from '@sallyport/contracts';
import type { Clock } from '#foundation';
import type { EntryList } from '../entries.ts';
import type { KeptPlugin, PluginEntry } from './contract.ts';
import type { Webhook } from './webhook.ts';

const everyMs = 60_000;

/** What active hook servers say of their health: asked when they are new or changed, and every minute. Decides nothing. */
export function createHealth(
  plugins: EntryList<KeptPlugin>,
  webhookOf: (plugin: PluginEntry) => Webhook,
  clock: Clock,
) {
  const watched = new Map<string, { readonly plugin: PluginEntry; status: HealthStatus | 'unknown' }>();
  let closed = false;

  async function check(id: string): Promise<void> {
    const one = watched.get(id);
    if (one === undefined || closed) return;
    one.status = await webhookOf(one.plugin).health();
  }

  function watch(plugin: PluginEntry): void {
    const { plugin_type: type, status } = plugin.definition.plugin;
    if (type !== 'webhook' || status === 'inactive') watched.delete(plugin.id);
    else {
      watched.set(plugin.id, { plugin, status: watched.get(plugin.id)?.status ?? 'unknown' });
      void check(plugin.id);
    }
  }

  for (const plugin of plugins.all()) watch(plugin);
  plugins.onChange((before, after) => {
    if (after !== null) watch(after);
    else if (before !== null) watched.delete(before.id);
  });
  const stop = clock.every(everyMs, () => {
    for (const id of watched.keys()) void check(id);
  });
  return {
    of: (id: string) => watched.get(id)?.status ?? 'unknown',
    close() {
      closed = true;
      stop();
    },
  };
}
