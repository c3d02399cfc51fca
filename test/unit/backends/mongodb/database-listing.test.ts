import { describe, expect, it } from '@jest/globals';
import { narrowListing } from '../../../../src/backends/mongodb/database-listing.ts';

describe('A list of databases', () => {
  it.each([
    ['all of them where nothing is said', {}, undefined],
    ['not the hidden one', { hiddenDatabase: 'gatepost' }, [{ name: { $ne: 'gatepost' } }]],
    ['those that may be used', { databases: ['a', 'b'] }, [{ name: { $in: ['a', 'b'] } }]],
    [
      'both',
      { databases: ['a'], hiddenDatabase: 'gatepost' },
      [{ name: { $in: ['a'] } }, { name: { $ne: 'gatepost' } }],
    ],
  ])('shows %s', (_name, rules, conditions) => {
    const command = { listDatabases: 1, nameOnly: true };
    const filter = conditions && { $and: conditions };
    expect(narrowListing(command, rules)).toEqual(filter ? { ...command, filter } : command);
  });

  it.each([
    ['its own condition too', { name: /^a/ }, [{ name: /^a/ }]],
    ['a condition that is null as none', null, []],
  ])('keeps %s', (_name, filter, own) => {
    const command = { listDatabases: 1, filter };
    expect(narrowListing(command, { hiddenDatabase: 'gatepost' })).toEqual({
      listDatabases: 1,
      filter: { $and: [...own, { name: { $ne: 'gatepost' } }] },
    });
  });

  it('is the only command that is changed', () => {
    const command = { listCollections: 1, filter: { name: 'listDatabases' } };
    expect(narrowListing(command, { databases: [], hiddenDatabase: 'gatepost' })).toBe(command);
  });
});
