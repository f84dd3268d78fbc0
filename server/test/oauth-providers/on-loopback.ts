/** The same settings, with every endpoint at this origin. */
export function onLoopback<T extends object>(settings: T, origin: string): T {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const { endpoint } = (value ?? {}) as { endpoint?: unknown };
      if (typeof endpoint !== 'string') return [name, value];
      return [name, { ...value, endpoint: endpoint.replace(/^https?:\/\/[^/]+/, origin) }];
    }),
  ) as T;
}
