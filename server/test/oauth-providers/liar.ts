import { plain } from './plain.ts';
import { type Answer, json, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

const answers = {
  oversized_token: changed({ access_token: 'a'.repeat(20_000) }),
  endless: () => ({
    status: 200,
    headers: type('json'),
    body: `{"access_token":"x","padding":"${'p'.repeat(5e6)}"}`,
  }),
  not_json: () => ({ status: 200, headers: type('json'), body: '{"access_token": "half of' }),
  html: () => ({ status: 200, headers: type('html'), body: '<h1>Sign in to the hotel wifi</h1>' }),
  an_array: () => ({ status: 200, headers: type('json'), body: '["access_token"]' }),
  nothing: () => ({ status: 200, headers: type('json'), body: '' }),
  no_token: changed({ access_token: undefined }),
  empty_token: changed({ access_token: '' }),
  token_is_number: changed({ access_token: 17 }),
  token_with_line_breaks: changed({ access_token: 'abc\r\nx-admin: yes' }),
  token_beyond_ascii: changed({ access_token: 'tökèn' }),
  refresh_token_oversized: changed({ refresh_token: 'r'.repeat(20_000) }),
  wrong_token_type: changed({ token_type: 'mac' }),
  expires_negative: changed({ expires_in: -5 }),
  expires_huge: changed({ expires_in: 1e300 }),
  expires_string: changed({ expires_in: '3600' }),
  expires_words: changed({ expires_in: 'tomorrow' }),
  error_with_secret: () =>
    json(400, {
      error: 'invalid_grant',
      error_description: 'client_secret was hunter2 <script>alert(1)</script>',
    }),
  error_in_words: () => json(400, { error: '<b>Dear user, mail your password to us</b>' }),
  error_with_200: () => json(200, { error: 'invalid_grant' }),
  error_object: () => json(400, { error: { code: 7, message: 'no' } }),
  busy: () => ({ ...json(429, { error: 'slow_down' }), status: 429 }),
  failing: () => ({ status: 500, headers: type('html'), body: '<h1>oops</h1>' }),
  redirects_to_private: () => ({ status: 307, headers: { location: '/private' }, body: '' }),
} satisfies Record<string, (answer: Answer) => Answer>;

export type Lie = keyof typeof answers;
export const lies = Object.keys(answers) as Lie[];

/**
 * By the book, but for what `lie` says of the answers of its token endpoint. Whoever follows `redirects_to_private` is counted in
 * `asked.other`. That `iss` is somebody else's is told by `iss`.
 */
export interface LiarStandIn extends StandIn {
  lie: Lie | null;
}

export async function startLiar(options?: StandInOptions): Promise<LiarStandIn> {
  const standIn = await startStandIn({ ...plain, name: 'liar' }, options);
  const liar = Object.defineProperties(standIn, { lie: { value: null, writable: true } }) as LiarStandIn;
  standIn.change = (answer, { place }) =>
    place === 'token' && liar.lie !== null ? answers[liar.lie](answer) : answer;
  return liar;
}

function changed(members: object): (answer: Answer) => Answer {
  return (answer) =>
    answer.status === 200
      ? { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), ...members }) }
      : answer;
}

function type(of: 'json' | 'html'): Record<string, string> {
  return { 'content-type': of === 'json' ? 'application/json' : 'text/html' };
}
