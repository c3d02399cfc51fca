// What the manual of the REST API says and the code knows is the same.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LIST_BOUNDS, OPERATORS } from '../../routes/list-parameters.ts';
import { createOpenApiDocument } from '../../routes/openapi.ts';
import { ROUTE_SCOPES, toTemplate } from '../../routes/route-scopes.ts';
import { TOKEN_SCOPES } from '../../src/api-tokens.ts';
import { notesOf, SETTING_NAMES } from '../../src/config-settings.ts';
import { fallbackOf, listOf, tableBelow } from '../support/markdown.ts';

const manual = readFileSync(path.resolve(import.meta.dirname, '../../docs/rest.md'), 'utf8');
const api = createOpenApiDocument({
  version: '1.2.3',
  hasPostgres: true,
  hasMongodb: true,
  hasConnectors: true,
  hasAccounts: true,
  hasActivity: true,
});

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

describe('docs/rest.md', () => {
  describe('has of the settings', () => {
    const rows = tableBelow(manual, 'Settings of the REST API');

    test('each one of the API, and no other', () => {
      const settings = SETTING_NAMES.filter((name) => notesOf(name).group === 'HTTP API');
      expect(rows.map(([name]) => name)).toEqual(settings);
    });

    test.each(rows)('the default: %s', (name = '', fallback) => {
      expect(fallback).toBe(fallbackOf(name));
    });

    test.each(rows)('what is another one in production: %s', (name = '', _fallback, does = '') => {
      const setting = SETTING_NAMES.find((known) => known === name);
      const other = setting && notesOf(setting).productionFallback;
      // The three of MongoDB are the same as those above.
      const isSaid = other === undefined || name.startsWith('MONGODB_') || does.includes(other);
      expect(isSaid).toBe(true);
    });
  });

  describe('has of accounts and activity', () => {
    const rows = tableBelow(manual, 'Settings of accounts and activity');

    test('each setting, and no other', () => {
      const groups = ['Accounts', 'Activity'];
      const settings = SETTING_NAMES.filter((name) => groups.includes(notesOf(name).group));
      expect(rows.map(([name]) => name)).toEqual(settings);
    });

    test.each(rows)('the default: %s', (name = '', fallback) => {
      expect(fallback).toBe(fallbackOf(name));
    });
  });

  test('has the paths that there are, with their methods', () => {
    const documented = tableBelow(manual, 'Paths').flatMap(([paths, methods]) =>
      listOf(paths).map((one) => [one, listOf(methods).toSorted()] as const),
    );
    const described = Object.entries(api.paths)
      .filter(([one]) => !['/docs', '/openapi.json'].includes(one))
      .map(([one, operations]) => [
        one,
        METHODS.filter((method) => method in operations)
          .map((method) => method.toUpperCase())
          .toSorted(),
      ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(described));
  });

  test('has the scopes of each path', () => {
    const documented = tableBelow(manual, 'Paths').flatMap((cells) =>
      listOf(cells[0]).map((one) => [one, listOf(cells[2])] as const),
    );
    const described = Object.entries(ROUTE_SCOPES).map(
      ([one, scopes]) => [toTemplate(one), [...new Set(Object.values(scopes))]] as const,
    );
    const isListed = (one: string): boolean =>
      one in api.paths && !['/docs', '/openapi.json'].includes(one);
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(described.filter(([one]) => isListed(one))),
    );
  });

  test('has every operator of filters', () => {
    const documented = tableBelow(manual, 'Operators').flatMap(([operators]) => listOf(operators));
    expect(documented).toEqual(OPERATORS);
  });

  test('has the bounds of a page', () => {
    const { limitDefault, limitMax } = LIST_BOUNDS;
    const [, does] = tableBelow(manual, 'Lists').find(([name]) => name?.startsWith('limit')) ?? [];
    expect(does).toBe(`up to ${limitMax} in a page and WIRE_MAX_ROWS, ${limitDefault} unless said`);
  });

  test('has every scope', () => {
    expect(tableBelow(manual, 'Access').map(([scope]) => scope)).toEqual(TOKEN_SCOPES);
  });

  test('has every status that a problem can have', () => {
    const source = readFileSync(
      path.resolve(import.meta.dirname, '../../src/http-status.ts'),
      'utf8',
    );
    const statuses = [...source.matchAll(/(?:', |: |\? |^ {2})([45]\d\d)(?:\]|:|;|$)/gm)];
    const documented = tableBelow(manual, 'Errors').map(([status]) => status);
    expect(statuses.length).toBeGreaterThan(10);
    expect(documented).toEqual(expect.arrayContaining(statuses.map(([, status]) => status)));
  });
});
