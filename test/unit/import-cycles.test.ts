import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDERS = ['src', 'wire', 'routes'];

/** Each source file with the files of ours that it imports, type imports included. */
function importsOfSources(): Map<string, readonly string[]> {
  return new Map(
    FOLDERS.flatMap((folder) =>
      readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => importsOf(path.join(folder, name))),
    ),
  );
}

function importsOf(file: string): [file: string, imported: readonly string[]] {
  const { importedFiles } = ts.preProcessFile(readFileSync(path.join(ROOT, file), 'utf8'));
  const specifiers = importedFiles.map(({ fileName }) => fileName);
  const ours = specifiers.filter((specifier) => specifier.startsWith('.'));
  return [file, ours.map((specifier) => path.join(path.dirname(file), specifier))];
}

/** The first cycle that is found, from a file back to itself; none when there is none. */
function findCycle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const settled = new Set<string>();
  const visit = (file: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(file)) {
      return [...trail.slice(trail.indexOf(file)), file];
    }
    if (settled.has(file)) {
      return [];
    }
    for (const imported of imports.get(file) ?? []) {
      const cycle = visit(imported, [...trail, file]);
      if (cycle.length > 0) {
        return cycle;
      }
    }
    settled.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) {
      return cycle;
    }
  }
  return [];
}

describe('Imports', () => {
  test('go round in no circle, type imports included', () => {
    const imports = importsOfSources();
    expect(imports.size).toBeGreaterThan(10);
    expect(findCycle(imports)).toEqual([]);
  });

  test('would be seen going round', () => {
    const imports = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts', 'd.ts']],
      ['c.ts', []],
      ['d.ts', ['b.ts']],
    ]);
    expect(findCycle(imports)).toEqual(['b.ts', 'd.ts', 'b.ts']);
  });

  test('name files that are there', () => {
    const imports = importsOfSources();
    const missing = [...imports.values()].flat().filter((file) => !imports.has(file));
    expect(missing).toEqual([]);
  });
});
