import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '#foundation';
import { anyCharacter } from '../../test/any-character.ts';
import { type HeardLine, heardLog } from './heard-log.ts';
import { createLog, type LogLevel } from './log.ts';

function logInto(level: LogLevel) {
  const lines: string[] = [];
  const log = createLog({ level, clock: manualClock(), write: (line) => void lines.push(line) });
  return { log, lines, said: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const time = '2026-01-01T00:00:00.000Z';

describe('the log', () => {
  it('writes what is said of every call in the form of every other line', () => {
    const { log, said } = logInto('info');
    const of = log.child({ source: 'files' });
    const fields = { decision: 'allowed', duration_ms: 1.25, code: undefined, isRetry: false };
    of.each(fields, 'tool call');
    of.info(fields, 'tool call');
    const line = { level: 30, time, source: 'files', decision: 'allowed', duration_ms: 1.25, isRetry: false };
    assert.deepEqual(said(), [
      { ...line, msg: 'tool call' },
      { ...line, msg: 'tool call' },
    ]);
    log.each({}, 'nothing more');
    assert.deepEqual(said()[2], { level: 30, time, msg: 'nothing more' });
  });

  it('says nothing below its level', () => {
    const { log, said } = logInto('warn');
    for (const one of [log, log.child({ a: 1 })]) {
      one.debug({}, 'debug');
      one.info({}, 'info');
      one.each({}, 'each');
      one.warn({}, 'warn');
      one.error({}, 'error');
    }
    assert.deepEqual(
      said().map(({ msg }) => msg),
      ['warn', 'error', 'warn', 'error'],
    );
  });

  it('makes one line of JSON of whatever names there are', () => {
    const name = fc.oneof(
      fc.string({ unit: anyCharacter }),
      // Halves of surrogate pairs, quotes, line ends of every kind, and what a terminal acts on.
      fc
        .array(fc.constantFrom('\ud800', '\udfff', '"', '\\', '\n', '\r', '\u2028', '\0', '\x1b[2J', 'é'))
        .map((parts) => parts.join('')),
    );
    const value = fc.oneof(name, fc.double(), fc.boolean(), fc.constant(undefined));
    const { log, lines } = logInto('info');
    fc.assert(
      fc.property(fc.record({ tool: name, source: value, gateway: value, duration_ms: value }), (fields) => {
        lines.length = 0;
        log.child({ bound: fields.tool }).each(fields, 'tool call');
        const [line = '', ...more] = lines;
        assert.deepEqual(more, []);
        assert.match(line, /^[^\n\r]+\n$/);
        const said = JSON.parse(line);
        const isWhole = fields.tool.isWellFormed();
        if (isWhole) assert.deepEqual([said.tool, said.bound], [fields.tool, fields.tool]);
        assert.ok(Buffer.from(line).toString() === line, 'what is written is UTF-8');
        assert.equal(said.msg, 'tool call');
      }),
    );
  });
});

it('whoever hears the log hears each line from a level on, with all fields', () => {
  const { log, said } = logInto('error');
  const heard: HeardLine[] = [];
  const both = heardLog(log, 'info', (line) => heard.push(line));
  both.child({ source: 'files' }).child({ trace_id: 'abc' }).warn({ step: 'connected' }, 'it is gone');
  both.debug({}, 'not so loud');
  both.each({ decision: 'refused' }, 'tool call');
  both.error({}, 'both');
  assert.deepEqual(heard, [
    { level: 'warn', message: 'it is gone', fields: { source: 'files', trace_id: 'abc', step: 'connected' } },
    { level: 'info', message: 'tool call', fields: { decision: 'refused' } },
    { level: 'error', message: 'both', fields: {} },
  ]);
  assert.deepEqual(
    said().map(({ msg }) => msg),
    ['both'],
  );
});
