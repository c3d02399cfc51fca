import { describe, expect, it } from '@jest/globals';
import {
  COMMAND_SYNONYMS,
  COMMAND_WORDS,
  commandNamed,
  JAVASCRIPT_COMMANDS,
  PIPELINE_COMMANDS,
  READ_ONLY_COMMANDS,
} from '../../../src/guardrails/mongo-commands.ts';

/** What listCommands of a mongod 6.0.5 answers, without the names that begin with an underscore. */
const SERVER_COMMANDS = `
abortShardSplit abortTransaction aggregate appendOplogNote applyOps authenticate autoSplitVector
availableQueryOptions buildInfo checkShardingIndex cleanupOrphaned cloneCollectionAsCapped
clusterAbortTransaction clusterAggregate clusterCommitTransaction clusterDelete clusterFind
clusterGetMore clusterInsert clusterUpdate collMod collStats commitShardSplit commitTransaction
compact compactStructuredEncryptionData connPoolStats connPoolSync connectionStatus convertToCapped
coordinateCommitTransaction count create createIndexes createRole createUser currentOp dataSize
dbCheck dbHash dbStats delete distinct donorAbortMigration donorForgetMigration donorStartMigration
driverOIDTest drop dropAllRolesFromDatabase dropAllUsersFromDatabase dropConnections dropDatabase
dropIndexes dropRole dropUser endSessions explain features filemd5 find findAndModify
flushRouterConfig forgetShardSplit fsync fsyncUnlock getClusterParameter getCmdLineOpts
getDatabaseVersion getDefaultRWConcern getDiagnosticData getFreeMonitoringStatus getLastError getLog
getMore getParameter getShardMap getShardVersion getnonce grantPrivilegesToRole grantRolesToRole
grantRolesToUser hello hostInfo insert internalRenameIfOptionsAndIndexesMatch invalidateUserCache
isMaster killAllSessions killAllSessionsByPattern killCursors killOp killSessions listCollections
listCommands listDatabases listIndexes lockInfo logRotate logout mapReduce mergeChunks ping
planCacheClear planCacheClearFilters planCacheListFilters planCacheSetFilter prepareTransaction
profile reIndex recipientForgetMigration recipientSyncData recipientVoteImportedFiles
refreshSessions renameCollection replSetAbortPrimaryCatchUp replSetFreeze replSetGetConfig
replSetGetRBID replSetGetStatus replSetHeartbeat replSetInitiate replSetMaintenance replSetReconfig
replSetRequestVotes replSetResizeOplog replSetStepDown replSetStepUp replSetSyncFrom
replSetUpdatePosition revokePrivilegesFromRole revokeRolesFromRole revokeRolesFromUser rolesInfo
rotateCertificates saslContinue saslStart serverStatus setClusterParameter setDefaultRWConcern
setFeatureCompatibilityVersion setFreeMonitoring setIndexCommitQuorum setParameter
setProfilingFilterGlobally setShardVersion setUserWriteBlockMode shardingState shutdown splitChunk
splitVector startRecordingTraffic startSession stopRecordingTraffic top update updateRole updateUser
usersInfo validate validateDBMetadata voteCommitIndexBuild waitForFailPoint whatsmyuri
`.match(/\S+/g);

describe('the table of commands', () => {
  it.each(SERVER_COMMANDS ?? [])('knows %s of a real server', (name) => {
    expect(commandNamed(name)).toBe(COMMAND_SYNONYMS.get(name) ?? name);
  });

  it('has every name once, whatever its capitals', () => {
    const folded = COMMAND_WORDS.map((word) => word.toLowerCase());
    expect(folded.filter((word, index) => folded.indexOf(word) !== index)).toEqual([]);
  });

  it('resolves every synonym to a command that it has', () => {
    const known = new Set(COMMAND_WORDS);
    expect([...COMMAND_SYNONYMS.values()].filter((name) => !known.has(name))).toEqual([]);
    expect([...PIPELINE_COMMANDS].filter((name) => !known.has(name))).toEqual([]);
  });

  it.each([
    ['ismaster', 'hello'],
    ['isMaster', 'hello'],
    ['findandmodify', 'findAndModify'],
    ['FINDANDMODIFY', 'findAndModify'],
    ['mapreduce', 'mapReduce'],
    ['buildinfo', 'buildInfo'],
    ['dbstats', 'dbStats'],
    ['collstats', 'collStats'],
    ['datasize', 'dataSize'],
    ['deleteIndexes', 'dropIndexes'],
    ['$eval', 'eval'],
    ['clusterDelete', 'delete'],
  ])('knows %s as %s', (name, command) => {
    expect(commandNamed(name)).toBe(command);
  });

  it.each(['', 'frob', '__proto__', 'constructor', 'toString', '_shardsvrDropCollection', 'find '])(
    'does not know %j',
    (name) => {
      expect(commandNamed(name)).toBeUndefined();
    },
  );

  it('lets only mapReduce both run JavaScript and count as reading', () => {
    expect([...JAVASCRIPT_COMMANDS].filter((name) => READ_ONLY_COMMANDS.has(name))).toEqual([
      'mapReduce',
    ]);
  });
});
