/** What a large company might lay down for one gateway: none of it concerns what the bench sends, all of it is looked at. */

export const benchUser = 'bench@example.com';

const grantCount = 5000;

/** Ten rules for what goes in, ten for what comes out. */
export function rulesOf(gateway: string): readonly object[] {
  const matches = [
    { detector: 'ssn' },
    { detector: 'payment_card' },
    { detector: 'private_key' },
    { detector: 'api_key' },
    { detector: 'email' },
    { pattern: 'CONFIDENTIAL-[0-9]{4}' },
    { pattern: '(?i)project\\s+(titan|nautilus)' },
    { pattern: 'ACCT[0-9]{10}' },
    { pattern: '\\b10\\.20\\.[0-9]{1,3}\\.[0-9]{1,3}\\b' },
    { path: '$..password' },
  ];
  return (['input', 'output'] as const).flatMap((direction) =>
    matches.map((match, index) => ({
      name: `${gateway} ${direction} ${index}`,
      direction,
      gateway,
      tools: ['Bench.*'],
      match,
      action: index % 2 === 0 ? 'block' : 'redact',
    })),
  );
}

/** A few for the caller and for everybody, the rest for others; some deny, some speak of one tool, some of what a tool does. */
export function grantsOf(gateway: string): readonly object[] {
  const own = { subject: { user: benchUser }, tools: ['Bench.*'], gateway, effect: 'allow' };
  const everyone = { subject: { everyone: true }, tools: ['*.Delete*'], gateway, effect: 'deny' };
  const others = Array.from({ length: grantCount - 2 }, (_, index) => ({
    subject: index % 5 === 0 ? { group: `t${index % 400}` } : { user: `u${index % 2500}` },
    tools: index % 3 === 0 ? [`Bench.Tool${index % 500}`] : [`K${index % 50}.*`],
    ...(index % 7 === 0 ? { metadata: { read_only: true } } : {}),
    gateway,
    effect: index % 11 === 0 ? 'deny' : 'allow',
  }));
  return [own, everyone, ...others];
}
