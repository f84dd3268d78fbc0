import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ConfigWatch, watchConfigFile } from './watch.ts';

let directory: string;
let watching: ConfigWatch | undefined;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-watch-'));
  path = join(directory, 'sallyport.yaml');
});
afterEach(() => {
  watching?.close();
  rmSync(directory, { recursive: true });
});

/** Starts watching; each call of the returned function gives the promise of the next change. */
function watchChanges(): () => Promise<void> {
  let changed = Promise.withResolvers<void>();
  watching = watchConfigFile(path, () => changed.resolve(), { quietMs: 5 });
  return () => {
    changed = Promise.withResolvers<void>();
    return changed.promise;
  };
}

describe('watchConfigFile', () => {
  it('a file written in place is a change', async () => {
    writeFileSync(path, 'a');
    const next = watchChanges();
    await watching?.ready;
    const change = next();
    writeFileSync(path, 'b');
    await change;
  });

  it('a file replaced by a rename is a change, each time', async () => {
    writeFileSync(path, 'a');
    const next = watchChanges();
    await watching?.ready;
    for (const text of ['b', 'c', 'd']) {
      const change = next();
      writeFileSync(`${path}~`, text);
      renameSync(`${path}~`, path);
      await change;
    }
  });

  it('a file that appears and one that goes away are changes', async () => {
    const next = watchChanges();
    await watching?.ready;
    const appeared = next();
    writeFileSync(path, 'a');
    await appeared;
    const gone = next();
    rmSync(path);
    await gone;
  });

  it('a config map that Kubernetes swaps behind its links is a change', async () => {
    const publish = (version: string) => {
      mkdirSync(join(directory, version));
      writeFileSync(join(directory, version, 'sallyport.yaml'), version);
      symlinkSync(version, join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    };
    publish('..1');
    symlinkSync(join('..data', 'sallyport.yaml'), path);
    const next = watchChanges();
    await watching?.ready;
    for (const version of ['..2', '..3']) {
      const change = next();
      publish(version);
      await change;
    }
  });

  it('a link to a file elsewhere is followed', async () => {
    const elsewhere = join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'real.yaml'), 'a');
    symlinkSync(join(elsewhere, 'real.yaml'), path);
    const next = watchChanges();
    await watching?.ready;
    const change = next();
    writeFileSync(join(elsewhere, 'real.yaml'), 'b');
    await change;
  });

  it('what onChange throws is told, and the next change still comes', async () => {
    writeFileSync(path, 'a');
    const errors: unknown[] = [];
    const calls = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let count = 0;
    watching = watchConfigFile(
      path,
      async () => {
        calls[count++]?.resolve();
        throw new Error('no');
      },
      { quietMs: 5, onError: (error) => errors.push(error) },
    );
    await watching.ready;
    writeFileSync(path, 'b');
    await calls[0]?.promise;
    writeFileSync(path, 'c');
    await calls[1]?.promise;
    assert.match(String(errors[0]), /no/);
  });

  it('a directory that does not exist is told, not thrown', async () => {
    const told = Promise.withResolvers<unknown>();
    watching = watchConfigFile(join(directory, 'no', 'such.yaml'), () => {}, { onError: told.resolve });
    assert.match(String(await told.promise), /ENOENT/);
  });
});
