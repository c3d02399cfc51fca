import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { StateStore } from '../../../src/connectors/state-store.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

/** No system gives out ids this high. */
const NO_PROCESS = 2_000_000_000;

let directory: TemporaryDirectory;
let opened: StateStore[];

async function openStore(folder = directory.path, key = 'orders'): Promise<StateStore> {
  const store = await StateStore.open({ directory: folder, key });
  opened.push(store);
  return store;
}

function stateFile(): string {
  return path.join(directory.path, 'source_orders.state');
}

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  opened = [];
});

afterEach(async () => {
  for (const store of opened) {
    await store.close();
  }
  await directory.remove();
});

describe('StateStore.open', () => {
  it('given_no_directory_should_make_it_for_its_owner_only', async () => {
    const folder = path.join(directory.path, 'deep', 'state');
    const store = await openStore(folder);
    await store.save('{}');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('given_another_process_at_the_file_should_throw_lease_lost_and_name_it', async () => {
    await openStore();
    const second = StateStore.open({ directory: directory.path, key: 'orders' });
    await expect(second).rejects.toMatchObject({ kind: 'lease-lost' });
    await expect(StateStore.open({ directory: directory.path, key: 'orders' })).rejects.toThrow(
      new RegExp(`Another process is at .*source_orders.state \\(Process ${process.pid} `),
    );
  });

  it('given_another_key_should_be_free', async () => {
    await openStore();
    await expect(openStore(directory.path, 'items')).resolves.toBeInstanceOf(StateStore);
  });

  it('given_a_lock_of_a_process_that_has_ended_should_take_it_over', async () => {
    await writeFile(`${stateFile()}.lock`, `${NO_PROCESS}\n1\n`);
    await expect(openStore()).resolves.toBeInstanceOf(StateStore);
  });

  it('given_drafts_of_saves_that_were_cut_off_should_remove_them_and_no_others', async () => {
    const others = path.join(directory.path, 'source_orders2.state.tmp');
    for (const file of [`${stateFile()}.tmp`, `${stateFile()}.one.tmp`, others]) {
      await writeFile(file, '{"half');
    }
    const store = await openStore();
    expect(await readdir(directory.path)).toEqual([
      'source_orders.state.lock',
      'source_orders2.state.tmp',
    ]);
    await expect(store.load()).resolves.toBeUndefined();
  });

  it('given_a_file_in_place_of_the_directory_should_throw_init_saying_what_to_do', async () => {
    const file = path.join(directory.path, 'file');
    await writeFile(file, '');
    const opening = StateStore.open({ directory: file, key: 'orders' });
    await expect(opening).rejects.toMatchObject({
      kind: 'init',
      message:
        `Cannot write to ${file} (EEXIST): make it writable for the user who runs Gatepost, ` +
        'with room on its disk, or set [state] path to another directory',
    });
  });

  it('given_a_directory_that_cannot_be_written_to_should_throw_init', async () => {
    // Where we are root every directory can be written to, but not one in place of the lock.
    await mkdir(`${stateFile()}.lock`);
    await chmod(directory.path, 0o500);
    const opening = StateStore.open({ directory: directory.path, key: 'orders' });
    await expect(opening).rejects.toMatchObject({ kind: 'init' });
    await chmod(directory.path, 0o700);
  });

  it('given_a_key_with_a_slash_should_stay_in_the_directory', async () => {
    const store = await openStore(directory.path, '../orders');
    await store.save('{}');
    expect(await readdir(directory.path)).toContain('source_..%2Forders.state');
  });
});

describe('StateStore.load', () => {
  it('given_no_file_should_be_undefined', async () => {
    const store = await openStore();
    await expect(store.load()).resolves.toBeUndefined();
  });

  it('given_a_saved_state_should_return_it_as_it_was', async () => {
    const first = await openStore();
    await first.save('{"at":"é\\u0000"}');
    await first.close();
    const second = await openStore();
    await expect(second.load()).resolves.toBe('{"at":"é\\u0000"}');
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['not_utf8', Buffer.from([0x7b, 0xff, 0xfe])],
  ])('given_a_file_that_is_%s_should_throw_invalid_state_and_keep_it', async (_name, bytes) => {
    await writeFile(stateFile(), bytes);
    const store = await openStore();
    await expect(store.load()).rejects.toMatchObject({
      kind: 'invalid-state',
      message:
        `${stateFile()} is not a saved state: put it back from a backup, or remove it to read ` +
        'everything from the beginning',
    });
    expect(await readFile(stateFile())).toEqual(bytes);
  });

  it.each([0x83, 0x93, 0xdc, 0xde])(
    'given_the_first_byte_%d_of_message_pack_should_say_whose_state_it_is',
    async (first) => {
      const bytes = Buffer.from([first, 0xff, 0xfe]);
      await writeFile(stateFile(), bytes);
      const store = await openStore();
      await expect(store.load()).rejects.toMatchObject({
        kind: 'invalid-state',
        message: expect.stringContaining("Iggy's Rust runtime, MessagePack"),
      });
      expect(await readFile(stateFile())).toEqual(bytes);
    },
  );

  it('given_a_file_beyond_every_state_should_throw_invalid_state_without_reading_it', async () => {
    await writeFile(stateFile(), '');
    await truncate(stateFile(), 65 * 1024 * 1024);
    const store = await openStore();
    await expect(store.load()).rejects.toMatchObject({ kind: 'invalid-state' });
  });

  it('given_a_directory_in_place_of_the_file_should_throw_init', async () => {
    await mkdir(stateFile());
    const store = await openStore();
    await expect(store.load()).rejects.toMatchObject({
      kind: 'init',
      message: expect.stringContaining(`Cannot read ${stateFile()} (EISDIR)`),
    });
  });
});

describe('StateStore.save', () => {
  it('given_a_former_state_should_replace_it_and_leave_no_draft', async () => {
    const store = await openStore();
    await store.save('a longer first one');
    await store.save('second');
    expect(await readFile(stateFile(), 'utf8')).toBe('second');
    expect(await readdir(directory.path)).toEqual([
      'source_orders.state',
      'source_orders.state.lock',
    ]);
  });

  it('given_any_umask_should_let_only_the_owner_read', async () => {
    const store = await openStore();
    await store.save('{}');
    expect((await stat(stateFile())).mode & 0o777).toBe(0o600);
  });

  it('given_a_save_that_fails_should_throw_init_and_keep_the_former_state', async () => {
    const store = await openStore();
    await store.save('former');
    await rename(directory.path, `${directory.path}-away`);
    await expect(store.save('next')).rejects.toMatchObject({
      kind: 'init',
      message: expect.stringContaining(`Cannot save the state in ${stateFile()}`),
    });
    await rename(`${directory.path}-away`, directory.path);
    await expect(store.load()).resolves.toBe('former');
  });
});

describe('StateStore.save of two that do not see each other', () => {
  it('given_the_lock_of_another_container_should_let_each_save_its_own_whole', async () => {
    const first = await openStore();
    await unlink(`${stateFile()}.lock`);
    const second = await openStore();
    const texts = ['a', 'b'].map((letter) => letter.repeat(100_000));
    for (let round = 0; round < 20; round += 1) {
      await Promise.all([first.save(texts[0] ?? ''), second.save(texts[1] ?? '')]);
      expect(texts).toContain(await first.load());
    }
  });
});

describe('StateStore.save of too much', () => {
  it('given_a_state_that_could_not_be_loaded_should_refuse_it_and_name_batch_size', async () => {
    const store = await openStore();
    await store.save('former');
    await expect(store.save('x'.repeat(64 * 1024 * 1024 + 1))).rejects.toMatchObject({
      kind: 'invalid-config',
      message: expect.stringContaining('batch_size'),
    });
    await expect(store.load()).resolves.toBe('former');
  });
});

describe('StateStore.prove', () => {
  it('given_no_state_should_leave_nothing', async () => {
    const store = await openStore();
    await store.prove(undefined);
    expect(await readdir(directory.path)).toEqual(['source_orders.state.lock']);
  });

  it('given_a_state_should_write_it_anew', async () => {
    const store = await openStore();
    await store.save('former');
    const { ino } = await stat(stateFile());
    await store.prove('former');
    expect((await stat(stateFile())).ino).not.toBe(ino);
    await expect(store.load()).resolves.toBe('former');
  });

  it.each([undefined, 'former'])('given_no_room_and_state_%s_should_throw_init', async (state) => {
    const store = await openStore();
    await rename(directory.path, `${directory.path}-away`);
    await expect(store.prove(state)).rejects.toMatchObject({ kind: 'init' });
    await rename(`${directory.path}-away`, directory.path);
  });
});

describe('StateStore.close', () => {
  it('given_a_close_should_let_others_at_the_file', async () => {
    const store = await openStore();
    await store.close();
    await expect(openStore()).resolves.toBeInstanceOf(StateStore);
  });

  it('given_a_lock_that_cannot_be_read_should_not_throw', async () => {
    const store = await openStore();
    await directory.remove();
    await expect(store.close()).resolves.toBeUndefined();
  });
});
