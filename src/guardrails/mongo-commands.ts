// The commands that the policy knows, of MongoDB 4.0 to 8.3, mongod and mongos. Internal commands
// (those that begin with an underscore and their like) are left out: a list cannot name them, and
// neither a list nor read-only access admits them.

/** Commands that change nothing; some only on the conditions in mongo-read-only. */
const READING: readonly string[] = [
  ...['find', 'aggregate', 'count', 'distinct', 'getMore', 'mapReduce', 'explain'],
  ...['listCollections', 'listIndexes', 'listDatabases', 'listCommands'],
  ...['collStats', 'dbStats', 'dataSize', 'dbHash', 'validate', 'validateDBMetadata'],
  ...['ping', 'hello', 'buildInfo', 'hostInfo', 'serverStatus', 'connectionStatus', 'whatsmyuri'],
  ...['currentOp', 'top', 'lockInfo', 'getLog', 'getDiagnosticData', 'connPoolStats', 'features'],
  ...['getCmdLineOpts', 'getParameter', 'getClusterParameter', 'getDefaultRWConcern', 'profile'],
  ...['getAuditConfig', 'getFreeMonitoringStatus', 'planCacheListFilters'],
  ...['usersInfo', 'rolesInfo', 'startSession', 'refreshSessions'],
  ...['replSetGetStatus', 'replSetGetConfig'],
  ...['getShardMap', 'getShardVersion', 'shardingState', 'listShards', 'isdbgrid'],
  ...['balancerStatus', 'balancerCollectionStatus', 'checkShardingIndex'],
  ...['checkMetadataConsistency', 'shardDrainingStatus'],
];

// Commands that change something, or may. killCursors, endSessions and the end of a transaction are
// here too: all sessions of a listener may be one user to the server, so that one could stop the
// work of another. So are commands that only read, where nobody would miss them.
const OTHERS: readonly string[] = [
  ...['insert', 'update', 'delete', 'findAndModify', 'bulkWrite', 'group', 'eval', 'geoNear'],
  ...['geoSearch', 'parallelCollectionScan', 'applyOps', 'appendOplogNote', 'filemd5'],
  ...['create', 'collMod', 'drop', 'dropDatabase', 'renameCollection', 'cloneCollection'],
  ...['cloneCollectionAsCapped', 'convertToCapped', 'clone', 'copydb', 'compact', 'dbCheck'],
  ...['createIndexes', 'dropIndexes', 'reIndex', 'setIndexCommitQuorum', 'touch', 'repairDatabase'],
  ...['createSearchIndexes', 'updateSearchIndex', 'dropSearchIndex', 'listSearchIndexes'],
  ...['compactStructuredEncryptionData', 'cleanupStructuredEncryptionData'],
  ...['planCacheClear', 'planCacheClearFilters', 'planCacheSetFilter', 'planCacheListPlans'],
  ...['planCacheListQueryShapes', 'setQuerySettings', 'removeQuerySettings'],
  ...['createUser', 'updateUser', 'dropUser', 'dropAllUsersFromDatabase', 'grantRolesToUser'],
  ...['revokeRolesFromUser', 'createRole', 'updateRole', 'dropRole', 'dropAllRolesFromDatabase'],
  ...['grantPrivilegesToRole', 'revokePrivilegesFromRole', 'grantRolesToRole'],
  ...['revokeRolesFromRole', 'invalidateUserCache'],
  ...['authenticate', 'saslStart', 'saslContinue', 'getnonce', 'logout'],
  ...['killOp', 'killCursors', 'killSessions', 'killAllSessions', 'killAllSessionsByPattern'],
  ...['endSessions', 'commitTransaction', 'abortTransaction', 'prepareTransaction'],
  ...['coordinateCommitTransaction', 'refreshLogicalSessionCacheNow'],
  ...['fsync', 'fsyncUnlock', 'shutdown', 'logRotate', 'dropConnections', 'rotateCertificates'],
  ...['setParameter', 'setClusterParameter', 'setDefaultRWConcern', 'setUserWriteBlockMode'],
  ...['setFeatureCompatibilityVersion', 'setProfilingFilterGlobally', 'setAuditConfig'],
  ...['setFreeMonitoring', 'connPoolSync', 'configureFailPoint', 'waitForFailPoint', 'sleep'],
  ...['startRecordingTraffic', 'stopRecordingTraffic', 'startTrafficRecording'],
  ...['stopTrafficRecording', 'getLastError', 'getPrevError', 'resetError', 'cursorInfo'],
  ...['availableQueryOptions', 'driverOIDTest'],
  ...['replSetInitiate', 'replSetReconfig', 'replSetStepDown', 'replSetStepUp', 'replSetFreeze'],
  ...['replSetMaintenance', 'replSetSyncFrom', 'replSetResizeOplog', 'replSetGetRBID'],
  ...['replSetAbortPrimaryCatchUp', 'replSetHeartbeat', 'replSetRequestVotes'],
  ...['replSetUpdatePosition', 'addShard', 'removeShard', 'startShardDraining'],
  ...['stopShardDraining', 'commitShardRemoval', 'addShardToZone'],
  ...['removeShardFromZone', 'updateZoneKeyRange', 'enableSharding', 'shardCollection'],
  ...['unshardCollection', 'abortUnshardCollection', 'reshardCollection'],
  ...['abortReshardCollection', 'commitReshardCollection', 'cleanupReshardCollection'],
  ...['refineCollectionShardKey', 'analyzeShardKey', 'configureQueryAnalyzer', 'cleanupOrphaned'],
  ...['split', 'splitChunk', 'splitVector', 'autoSplitVector', 'mergeChunks'],
  ...['mergeAllChunksOnShard', 'moveChunk', 'moveRange', 'moveCollection', 'abortMoveCollection'],
  ...['movePrimary', 'clearJumboFlag', 'balancerStart', 'balancerStop', 'flushRouterConfig'],
  ...['configureCollectionBalancing', 'repairShardedCollectionChunksHistory', 'unsetSharding'],
  ...['setAllowMigrations', 'setShardVersion', 'getDatabaseVersion'],
  ...['transitionFromDedicatedConfigServer', 'transitionToDedicatedConfigServer'],
  ...['abortShardSplit', 'commitShardSplit', 'forgetShardSplit', 'donorStartMigration'],
  ...['donorAbortMigration', 'donorForgetMigration', 'recipientSyncData'],
  ...['recipientForgetMigration', 'recipientVoteImportedFiles', 'voteCommitIndexBuild'],
  ...['internalRenameIfOptionsAndIndexesMatch'],
];

/** Other names of commands; those of the shards' own commands do what the plain ones do. */
export const COMMAND_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['isMaster', 'hello'],
  ['deleteIndexes', 'dropIndexes'],
  ['$eval', 'eval'],
  ['clusterAggregate', 'aggregate'],
  ['clusterFind', 'find'],
  ['clusterCount', 'count'],
  ['clusterGetMore', 'getMore'],
  ['clusterInsert', 'insert'],
  ['clusterUpdate', 'update'],
  ['clusterDelete', 'delete'],
  ['clusterBulkWrite', 'bulkWrite'],
  ['clusterAbortTransaction', 'abortTransaction'],
  ['clusterCommitTransaction', 'commitTransaction'],
]);

/** Commands that only read, in the manual's own spelling. */
export const READ_ONLY_COMMANDS: ReadonlySet<string> = new Set(READING);

/** Commands whose code runs on the server. */
export const JAVASCRIPT_COMMANDS: ReadonlySet<string> = new Set(['mapReduce', 'group', 'eval']);

/** Commands in which a list can name a stage. */
export const PIPELINE_COMMANDS: ReadonlySet<string> = new Set([
  ...['aggregate', 'create', 'collMod', 'update', 'findAndModify', 'bulkWrite', 'mapReduce'],
]);

const BY_FOLDED_NAME: ReadonlyMap<string, string> = new Map([
  ...[...READING, ...OTHERS].map((name) => [name.toLowerCase(), name] as const),
  ...[...COMMAND_SYNONYMS].map(([synonym, name]) => [synonym.toLowerCase(), name] as const),
]);

/** Every name of a command that a list may use. */
export const COMMAND_WORDS: readonly string[] = [...READING, ...OTHERS, ...COMMAND_SYNONYMS.keys()];

/**
 * The command that a name means, in the manual's spelling; undefined for one that is not known.
 * The server minds capitals. Here they do not matter, as a misspelt command cannot run.
 */
export function commandNamed(name: string): string | undefined {
  return BY_FOLDED_NAME.get(name.toLowerCase());
}
