import path from 'node:path';
import type { ConfigInputs, SystemInputs } from '../../src/config-sources.ts';
import { loadConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import { ConfigError } from '../../src/config-problems.ts';

/** What a configuration is loaded from; what is left out is not there. */
export interface ConfigWorld {
  readonly command?: ConfigInputs['command'];
  readonly flags?: ConfigInputs['argvSettings'];
  readonly env?: Readonly<Record<string, string>>;
  /** Texts of files by path, relative to the working directory or absolute. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The working directory of every world. */
const WORKING_DIRECTORY = '/srv/gatepost';

/** A system that has nothing but the given environment and files. */
export function createSystem({ env = {}, files = {} }: ConfigWorld): SystemInputs {
  const texts = new Map(
    Object.entries(files).map(([file, text]) => [path.resolve(WORKING_DIRECTORY, file), text]),
  );
  return {
    env,
    workingDirectory: WORKING_DIRECTORY,
    readTextFile: (file) => {
      const text = texts.get(file);
      if (text === undefined) {
        throw Object.assign(new Error('No such file'), { code: 'ENOENT' });
      }
      return text;
    },
    listDirectory: (directory) =>
      [...texts.keys()]
        .filter((file) => path.dirname(file) === directory)
        .map((file) => path.basename(file)),
  };
}

/** Loads the configuration of a world; throws as loadConfig does. */
export function loadFrom(world: ConfigWorld): Config {
  const { command = 'serve', flags = {} } = world;
  return loadConfig({ ...createSystem(world), command, argvSettings: flags });
}

/** The problems that stop a world from starting; none when it starts. */
export function problemsOf(world: ConfigWorld): readonly string[] {
  try {
    loadFrom(world);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
}
