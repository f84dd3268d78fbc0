import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { temporaryDirectory } from '../../test/database.ts';
import { createLogOutput } from './log-output.ts';
import { openProcessLog } from './process-log.ts';

/** A pipe that holds 64 KiB, and whose ends can be read and written without waiting. */
function openPipe(path: string) {
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(1024 * 1024);
  return {
    fd,
    /** What has arrived. */
    read(): string {
      let text = '';
      for (;;) {
        try {
          const read = readSync(reader, buffer);
          if (read === 0) return text;
          text += buffer.toString('utf8', 0, read);
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
          return text;
        }
      }
    },
    closeReader: () => closeSync(reader),
    close: () => closeSync(fd),
  };
}

describe('what the log is written to', () => {
  let directory: string;
  let pipes = 0;
  let pipe: ReturnType<typeof openPipe>;
  before(() => {
    directory = temporaryDirectory();
  });
  beforeEach(() => {
    pipe = openPipe(join(directory, `pipe-${pipes++}`));
  });
  after(() => rmSync(directory, { recursive: true }));

  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => `line ${from + n} ${'x'.repeat(90)}\n`);

  it('has everything once it is flushed, in order', async () => {
    const output = createLogOutput({ fd: pipe.fd, onLost: () => assert.fail('nothing is lost') });
    for (const line of lines(0, 400)) output.write(line);
    await output.flush();
    assert.equal(pipe.read(), lines(0, 400).join(''));
    output.write('one more\n');
    output.flushNow();
    assert.equal(pipe.read(), 'one more\n');
  });

  it('gets what it had no room for once there is', async () => {
    const output = createLogOutput({ fd: pipe.fd, onLost: () => assert.fail('nothing is lost') });
    for (const line of lines(0, 3000)) output.write(line);
    let read = '';
    const flushed = output.flush();
    let isDone = false;
    void flushed.then(() => {
      isDone = true;
    });
    while (!isDone) {
      read += pipe.read();
      await new Promise(setImmediate);
    }
    assert.equal(read + pipe.read(), lines(0, 3000).join(''));
  });

  it('costs lines and nothing else where nobody reads, and how many is told', async () => {
    const lost: number[] = [];
    const output = createLogOutput({
      fd: pipe.fd,
      maxKeptBytes: 100_000,
      onLost(count) {
        lost.push(count);
        output.write(`lost ${count}\n`);
      },
    });
    // The pipe takes 64 KiB of the first hundred thousand; what is kept beyond that is as much again.
    for (const line of lines(0, 900)) output.write(line);
    await new Promise(setImmediate);
    for (const line of lines(900, 5000)) output.write(line);
    assert.deepEqual(lost, []);
    let read = '';
    while (!/lost \d+\n/.test(read)) {
      read += pipe.read();
      await new Promise(setImmediate);
    }
    const [count = 0] = lost;
    assert.equal(read.match(/^line \d+/gm)?.length, 5000 - count);
    assert.ok(count > 1000, String(count));
  });

  it('is left alone once its reader is gone', async () => {
    const output = createLogOutput({ fd: pipe.fd, onLost: () => assert.fail('nothing is lost') });
    pipe.closeReader();
    output.write('nobody reads this\n');
    await output.flush();
    for (const line of lines(0, 100_000)) output.write(line);
    await output.flush();
    output.flushNow();
  });

  it('is tried again where a disk is full, and ending waits for nothing', async () => {
    const fd = openSync('/dev/full', 'w');
    const output = createLogOutput({ fd, maxKeptBytes: 1000, onLost() {} });
    output.write('no room\n');
    output.flushNow();
    for (const line of lines(0, 100)) output.write(line);
    output.flushNow();
    closeSync(fd);
  });

  it('shows people what happened, and acts on nothing that others wrote', async () => {
    const { log, print, flush } = await openProcessLog({ level: 'info', format: 'pretty', fd: pipe.fd });
    log.each({ tool: 'Kit.\x1b[2JClear\u009b1A', source: 'a\\u001bb' }, 'tool call');
    log.each({ tool: 'Kit.Echo', decision: 'refused', code: 'source.timeout', duration_ms: 2 }, 'tool call');
    log.info({}, 'said by a process: \x1b]0;title\x07 \r\b');
    log.error({ err: new Error('broken \x1b[31m') }, 'it broke');
    print('as it is\n');
    await flush();
    const read = pipe.read();
    assert.match(read, /tool call/);
    assert.match(read, /tool call Kit\.Echo refused source\.timeout \(2 ms\)/);
    assert.match(read, /INFO/);
    assert.match(read, /Error: broken \\u001b\[31m\n +at /);
    assert.match(read, /as it is\n$/);
    // Colours are ours.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal acts on is what this is about
    const colours = /\x1b\[(?:3\d|90|39)m/g;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    assert.doesNotMatch(read.replace(colours, ''), /[\0-\x08\x0b-\x1f\x7f-\x9f]/);
  });
});
