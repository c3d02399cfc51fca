import { describe, expect, it } from '@jest/globals';
import { Int32, ObjectId } from 'mongodb';
import * as commands from '../../../../src/backends/mongodb/crud-commands.ts';
import { formatCommand } from '../../../../src/backends/mongodb/crud-text.ts';
import { mongoPolicyOf, mongoVerdict } from '../../../support/mongo-policies.ts';
import type { MongoDocument } from '../../../support/mongo-policies.ts';

const KEY = { collection: 'people', id: new Int32(5) };
const DOCUMENT = new Map<string, unknown>([
  ['_id', new Int32(5)],
  ['name', '$name'],
]);
const FILTER = new Map([['a', new Map([['$eq', new Int32(1)]])]]);
const FIELDS = new Map([['address.city', 'Bern']]);

const READS: readonly (readonly [string, MongoDocument, string])[] = [
  [
    'find',
    commands.createFind(KEY),
    '{"find":"people","filter":{"_id":{"$eq":5}},"limit":1,"singleBatch":true}',
  ],
  [
    'exact count',
    commands.createExactCount('people', FILTER),
    '{"aggregate":"people","pipeline":[{"$match":{"a":{"$eq":1}}},{"$count":"n"}],"cursor":{}}',
  ],
  ['estimated count', commands.createEstimatedCount('people'), '{"count":"people"}'],
  [
    'list of collections',
    commands.createCollectionList(),
    '{"listCollections":1,"nameOnly":true,"authorizedCollections":true}',
  ],
  [
    'list of databases',
    commands.createDatabaseList(),
    '{"listDatabases":1,"nameOnly":true,"authorizedDatabases":true}',
  ],
];

const WRITES: readonly (readonly [string, MongoDocument, string])[] = [
  [
    'insert',
    commands.createInsert('people', [DOCUMENT]),
    '{"insert":"people","documents":[{"_id":5,"name":"$name"}],"ordered":true}',
  ],
  [
    'replace',
    commands.createReplace(KEY, DOCUMENT),
    '{"findAndModify":"people","query":{"_id":{"$eq":5}},"update":{"_id":5,"name":"$name"},' +
      '"new":true,"upsert":false}',
  ],
  [
    'patch',
    commands.createPatch(KEY, FIELDS),
    '{"findAndModify":"people","query":{"_id":{"$eq":5}},' +
      '"update":{"$set":{"address.city":"Bern"}},"new":true,"upsert":false}',
  ],
  [
    'delete',
    commands.createDelete(KEY),
    '{"delete":"people","deletes":[{"q":{"_id":{"$eq":5}},"limit":1}]}',
  ],
  [
    'update of many',
    commands.createUpdateMany('people', FILTER, FIELDS),
    '{"update":"people","updates":[{"q":{"a":{"$eq":1}},"u":{"$set":{"address.city":"Bern"}},' +
      '"multi":true,"upsert":false}]}',
  ],
  [
    'delete of many',
    commands.createDeleteMany('people', FILTER),
    '{"delete":"people","deletes":[{"q":{"a":{"$eq":1}},"limit":0}]}',
  ],
];

describe('the commands of CRUD', () => {
  it.each([...READS, ...WRITES])('are written out: %s', (_name, command, text) => {
    expect(formatCommand(command)).toBe(text);
  });

  it.each(READS)('are admitted to readers: %s', (_name, command) => {
    const policy = mongoPolicyOf({ access: 'read-only', isJavaScriptAllowed: false });
    expect(mongoVerdict(policy, command)).toBe('admitted');
  });

  it.each(WRITES)('are refused to readers, and admitted to writers: %s', (_name, command) => {
    const rules = { isJavaScriptAllowed: false };
    const readers = mongoPolicyOf({ ...rules, access: 'read-only' });
    expect(mongoVerdict(readers, command)).toContain('25006');
    expect(mongoVerdict(mongoPolicyOf(rules), command)).toBe('admitted');
  });

  it('take an id that looks like a query for an id', () => {
    const id = new Map([['a', new Map([['b', 1]])]]);
    expect(formatCommand(commands.createFind({ ...KEY, id }))).toContain(
      '"filter":{"_id":{"$eq":{"a":{"b":1}}}}',
    );
  });
});

describe('an expected document', () => {
  const expected = new Map<string, unknown>([
    ['_id', new ObjectId('507f1f77bcf86cd799439011')],
    ['price', '$cost'],
    ['$where', new Map([['$gt', '']])],
  ]);
  const compared =
    '"$expr":{"$eq":["$$ROOT",{"$literal":{"_id":{"$oid":"507f1f77bcf86cd799439011"},' +
    '"price":"$cost","$where":{"$gt":""}}}]}';

  it.each([
    ['replace', commands.createReplace({ ...KEY, expected }, DOCUMENT)],
    ['patch', commands.createPatch({ ...KEY, expected }, FIELDS)],
    ['delete', commands.createDelete({ ...KEY, expected })],
  ])('is compared as a whole, as a literal, text by text: %s', (_name, command) => {
    const text = formatCommand(command);
    expect(text).toContain(compared);
    expect(text).toContain('"collation":{"locale":"simple"}');
  });
});
