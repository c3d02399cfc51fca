import { writeFile } from 'node:fs/promises';

/** A program that says of itself what a mongod does, and does nothing else. */
export function fakeMongod(version: string): string {
  return `#!/bin/sh\necho 'db version v${version}'\n`;
}

/** Writes one of version 7.0.31 that may be executed. */
export async function writeFakeMongod(file: string): Promise<void> {
  await writeFile(file, fakeMongod('7.0.31'), { mode: 0o755 });
}
