import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { MongodSearch } from '../../../src/embedded/mongodb-binary.ts';
import { findMongod } from '../../../src/embedded/mongodb-binary.ts';
import { fetchesOf } from '../../../src/embedded/mongodb-fetch.ts';
import { fakeMongod } from '../../support/fake-mongod.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

const { signal } = new AbortController();

let temporary: TemporaryDirectory;
let file: string;
let reports: string[];

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  file = path.join(temporary.path, 'mongod');
  reports = [];
});

afterEach(async () => {
  await temporary.remove();
});

function searchFor(binary: string): MongodSearch {
  const report = (message: string): number => reports.push(message);
  return { binary, programsDirectory: path.join(temporary.path, 'programs'), report };
}

describe("The operator's mongod", () => {
  test.each(['4.4.0', '5.0.1', '10.1.0'])('is used, by its full path, at %s', async (version) => {
    await writeFile(file, fakeMongod(version), { mode: 0o755 });
    const relative = path.relative(process.cwd(), file);
    expect(await findMongod(searchFor(relative), signal)).toEqual({ file, version });
    expect(reports).toEqual([]);
  });

  test.each([
    ['is not there', undefined, /Cannot run .*mongod: check that it is there/],
    ['is another program', '#!/bin/sh\necho hello\n', /does not run as a mongod: hello/],
    ['says nothing', '#!/bin/sh\n', /does not run as a mongod: it says nothing/],
    ['is too old', fakeMongod('4.2.25'), /is MongoDB 4\.2\.25, and at least 4\.4 is needed/],
    ['is far too old', fakeMongod('3.6.8'), /is MongoDB 3\.6\.8, and at least 4\.4 is needed/],
  ])('is not replaced when it %s', async (_title, content, why) => {
    if (content !== undefined) {
      await writeFile(file, content, { mode: 0o755 });
    }
    const error: unknown = await findMongod(searchFor(file), signal).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      message: `MONGOD_BINARY names ${file}, which does not work: mend or unset it`,
      cause: { message: expect.stringMatching(why) },
    });
    expect(reports).toEqual([]);
  });

  test('is given up at once when the signal aborts', async () => {
    await writeFile(file, '#!/bin/sh\nsleep 61\n', { mode: 0o755 });
    const reason = new Error('Called off');
    const controller = new AbortController();
    const found = findMongod(searchFor(file), controller.signal);
    controller.abort(reason);
    await expect(found).rejects.toBe(reason);
  });
});

describe('The ways to fetch a mongod', () => {
  test.each([
    ['linux', 'x64', 2],
    ['linux', 'arm64', 1],
    ['darwin', 'arm64', 1],
  ])('on %s %s are %i, the download first', (platform, architecture, count) => {
    const titles = fetchesOf(platform, architecture).map(({ title }) => title);
    expect(titles).toHaveLength(count);
    expect(titles[0]).toBe('the download of mongodb-memory-server');
  });
});
