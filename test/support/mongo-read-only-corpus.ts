// What has been tried against gates that promise to read only from MongoDB, as a client types it.

const OUT = '{$out: "copied"}';
const MERGE = '{$merge: {into: "canary", whenMatched: "replace"}}';

/** Statements that write, each a Query of its own. */
const WRITES: readonly string[] = [
  'db.canary.insertOne({_id: 9})',
  'db.canary.insertMany([{_id: 9}])',
  'db["canary"].insertOne({_id: 9})',
  'db.getCollection("canary").insertOne({_id: 9})',
  'db.canary.updateOne({_id: 1}, {$set: {name: "eve"}})',
  'db.canary.updateMany({}, [{$set: {name: "eve"}}])',
  'db.canary.replaceOne({_id: 1}, {name: "eve"}, {upsert: true})',
  'db.canary.findOneAndUpdate({_id: 1}, {$set: {name: "eve"}})',
  'db.canary.findOneAndDelete({_id: 1})',
  'db.canary.findOneAndReplace({_id: 1}, {name: "eve"})',
  'db.canary.deleteOne({_id: 1})',
  'db.canary.deleteMany({})',
  'db.canary.bulkWrite([{deleteMany: {filter: {}}}])',
  'db.canary.drop()',
  'db.canary.renameCollection("gone")',
  'db.canary.createIndex({name: 1})',
  'db.canary.dropIndexes()',
  'db.createCollection("copied")',
  'db.createView("seen", "canary", [])',
  'db.dropDatabase()',
  'db.setProfilingLevel(2)',
  'db.system.js.insertOne({_id: "f", value: "x"})',
  'db["system.views"].insertOne({_id: "x.seen", viewOn: "canary", pipeline: []})',
];

/** Commands that write or reach out, as documents. */
const COMMANDS: readonly string[] = [
  '{insert: "canary", documents: [{_id: 9}]}',
  '{"insert": "canary", "documents": [{"_id": 9}]}',
  '{update: "canary", updates: [{q: {}, u: {$set: {name: "eve"}}, multi: true}]}',
  '{delete: "canary", deletes: [{q: {}, limit: 0}]}',
  '{findAndModify: "canary", query: {}, remove: true}',
  '{findandmodify: "canary", query: {}, remove: true}',
  '{drop: "canary"}',
  '{"dr\\u006fp": "canary"}',
  '{dropDatabase: 1}',
  '{create: "copied"}',
  '{collMod: "canary", validator: {}}',
  '{createIndexes: "canary", indexes: [{key: {name: 1}, name: "n"}]}',
  '{dropIndexes: "canary", index: "*"}',
  '{convertToCapped: "canary", size: 4096}',
  '{cloneCollectionAsCapped: "canary", toCollection: "copied", size: 4096}',
  '{compact: "canary"}',
  '{profile: 2}',
  '{profile: 0, slowms: 5}',
  '{createUser: "mallory", pwd: "x", roles: ["dbOwner"]}',
  '{createRole: "mallory", privileges: [], roles: []}',
  '{killCursors: "canary", cursors: [1]}',
  '{endSessions: []}',
  '{planCacheClear: "canary"}',
  '{eval: "db.canary.drop()"}',
  '{$eval: "db.canary.drop()"}',
  '{group: {ns: "canary", $reduce: "f", initial: {}}}',
  '{mapReduce: "canary", map: "function() { emit(1, 1) }", reduce: "f", out: "copied"}',
  '{mapReduce: "canary", map: "function() { emit(1, 1) }", reduce: "f", out: {merge: "canary"}}',
  '{explain: {insert: "canary", documents: [{_id: 9}]}}',
  '{explain: {explain: {drop: "canary"}}}',
  '{applyOps: [{op: "d", ns: "x.canary", o: {_id: 1}}]}',
  '{bulkWrite: 1, ops: [{delete: 0, filter: {}}], nsInfo: [{ns: "x.canary"}]}',
];

/** The same of the database of administration. */
const ADMINISTRATION: readonly string[] = [
  '{renameCollection: "x.canary", to: "x.gone"}',
  '{fsync: 1}',
  '{setParameter: 1, notablescan: true}',
  '{killOp: 1, op: 1}',
  '{killAllSessions: []}',
  '{logRotate: 1}',
  '{replSetStepDown: 1}',
  '{shutdown: 1}',
  '{applyOps: [{op: "c", ns: "x.$cmd", o: {drop: "canary"}}]}',
  '{configureFailPoint: "failCommand", mode: "off"}',
  '{usersInfo: 1, showCredentials: true}',
  '{find: "system.users"}',
];

/** Pipelines that write, and those that hide it. */
const PIPELINES: readonly string[] = [
  `[${OUT}]`,
  `[${MERGE}]`,
  '[{"$out": "copied"}]',
  '[{"\\u0024out": "copied"}]',
  '[{$out: {db: "elsewhere", coll: "copied"}}]',
  `[{$match: {}}, {$sort: {_id: 1}}, ${OUT}]`,
  `[{$facet: {a: [{$match: {}}, ${OUT}]}}]`,
  `[{$facet: {constructor: [${MERGE}]}}]`,
  `[{$lookup: {from: "canary", as: "a", pipeline: [${OUT}]}}]`,
  `[{$unionWith: {coll: "canary", pipeline: [${MERGE}]}}]`,
  `[{$lookup: {as: "a", pipeline: [{$unionWith: {coll: "b", pipeline: [${OUT}]}}]}}]`,
  '[{$_internalOutToDifferentDB: {db: "elsewhere", coll: "copied"}}]',
];

/** JavaScript, under whatever it stands. */
const SCRIPTS: readonly string[] = [
  '{$where: "sleep(1) || true"}',
  '{$where: function() { return true }}',
  '{$where: Code("true")}',
  '{"\\u0024where": "true"}',
  '{$and: [{$where: "true"}]}',
  '{$or: [{$nor: [{$where: "true"}]}]}',
  '{a: {$elemMatch: {$where: "true"}}}',
  '{$expr: {$function: {body: "function() { return true }", args: [], lang: "js"}}}',
  '{__proto__: {$where: "true"}}',
  '{constructor: {$where: "true"}}',
];

/** What is no statement of the shell, and would be one if it were evaluated. */
const EVALUATED: readonly string[] = [
  'db.canary["drop"]()',
  'db.canary["dr" + "op"]()',
  'db["canary"].drop.call(db.canary)',
  '(0, db.canary.drop)()',
  'db.canary.find(), db.canary.drop()',
  'db.canary.find({a: db.canary.drop()})',
  'db.canary.find({get a() { db.canary.drop() }})',
  'db.canary.find({...db.canary.drop()})',
  'db.canary.find(tag`drop`)',
  'db.canary.find({[`$where`]: "true"})',
  'db.eval("db.canary.drop()")',
  'db.canary.find({}).forEach(function(d) { db.canary.drop() })',
  'process.exit(1)',
  'load("/tmp/canary.js")',
];

/** Statements of which none may change anything, and each has to be refused. */
export const MONGO_BYPASS_CORPUS: readonly string[] = [
  ...WRITES,
  ...WRITES.map((write) => `db.canary.find(); ${write}`),
  ...COMMANDS,
  ...COMMANDS.map((command) => `db.runCommand(${command})`),
  ...ADMINISTRATION.map((command) => `db.adminCommand(${command})`),
  ...ADMINISTRATION.map((command) => `use admin; ${command}`),
  ...PIPELINES.map((pipeline) => `db.canary.aggregate(${pipeline})`),
  ...PIPELINES.map((pipeline) => `db.canary.explain().aggregate(${pipeline})`),
  ...PIPELINES.map((pipeline) => `db.runCommand({aggregate: "canary", pipeline: ${pipeline}})`),
  ...PIPELINES.map((pipeline) => `{explain: {aggregate: "canary", pipeline: ${pipeline}}}`),
  ...PIPELINES.map((pipeline) => `db.createView("seen", "canary", ${pipeline})`),
  ...SCRIPTS.map((filter) => `db.canary.find(${filter})`),
  ...SCRIPTS.map((filter) => `db.canary.countDocuments(${filter})`),
  ...SCRIPTS.map((filter) => `db.canary.aggregate([{$match: ${filter}}])`),
  ...EVALUATED,
];

/** What a reader is there for. */
export const MONGO_HARMLESS_CORPUS: readonly string[] = [
  'db.canary.find()',
  'db.canary.find({name: "$out"})',
  'db.canary.find({name: {$ne: "drop"}}, {name: 1}).sort({_id: -1}).limit(1)',
  'db.canary.findOne({"insert": {$exists: false}})',
  'db.canary.countDocuments({})',
  'db.canary.estimatedDocumentCount()',
  'db.canary.distinct("name")',
  'db.canary.aggregate([{$group: {_id: "$name", drop: {$sum: 1}}}, {$sort: {_id: 1}}])',
  'db.canary.aggregate([{$facet: {out: [{$match: {}}], merge: [{$count: "n"}]}}])',
  'db.canary.aggregate([{$lookup: {from: "canary", as: "out", pipeline: [{$match: {}}]}}])',
  'db.canary.aggregate([{$project: {out: "$name", merge: {$literal: "$merge"}}}])',
  'db.canary.explain().find({})',
  'db.canary.getIndexes()',
  'db.canary.stats()',
  'db.stats()',
  'db.version()',
  'db.hello()',
  'db.getCollectionNames()',
  'db.getCollectionInfos()',
  'db.getProfilingStatus()',
  '{find: "canary", filter: {}, limit: 1}',
  '{"aggregate": "canary", "pipeline": [], "cursor": {}}',
  '{explain: {find: "canary"}}',
  '{listCollections: 1}',
  'show dbs',
  'show collections',
  'use admin; db.runCommand({ping: 1})',
  'begin; commit',
];
