/** Stages that change nothing, of MongoDB 4.0 to 8.3. */
export const READ_ONLY_STAGES: ReadonlySet<string> = new Set([
  ...['$addFields', '$bucket', '$bucketAuto', '$changeStream', '$changeStreamSplitLargeEvent'],
  ...['$collStats', '$count', '$currentOp', '$densify', '$documents', '$facet', '$fill'],
  ...['$geoNear', '$graphLookup', '$group', '$indexStats', '$limit', '$listCatalog'],
  ...['$listClusterCatalog', '$listLocalSessions', '$listSampledQueries', '$listSearchIndexes'],
  ...['$listSessions', '$lookup', '$match', '$planCacheStats', '$project', '$querySettings'],
  ...['$queryStats', '$rankFusion', '$redact', '$replaceRoot', '$replaceWith', '$sample'],
  ...['$score', '$scoreFusion', '$search', '$searchMeta', '$set', '$setWindowFields'],
  ...['$shardedDataDistribution', '$skip', '$sort', '$sortByCount', '$unionWith', '$unset'],
  ...['$unwind', '$vectorSearch'],
]);

/** Stages that write a collection. */
const WRITING: readonly string[] = ['$out', '$merge'];

// $operationMetrics can clear what it reads; a backup cursor keeps the server from freeing space.
const APART: readonly string[] = ['$operationMetrics', '$backupCursor', '$backupCursorExtend'];

/** Every stage that a list may name. */
export const STAGE_WORDS: readonly string[] = [...READ_ONLY_STAGES, ...WRITING, ...APART];

// $_internalJsEmit and $_internalJsReduce are mapReduce's, and the server runs them for anybody.
const JAVASCRIPT: readonly string[] = [
  ...['$where', '$function', '$accumulator', '$_internalJsEmit', '$_internalJsReduce'],
];

const BY_FOLDED_NAME: ReadonlyMap<string, string> = byFoldedName(STAGE_WORDS);

const WRITING_BY_FOLDED_NAME: ReadonlyMap<string, string> = byFoldedName(WRITING);

const JAVASCRIPT_BY_FOLDED_NAME: ReadonlyMap<string, string> = byFoldedName(JAVASCRIPT);

/** The stage that a key means, in the manual's spelling; undefined for one that is not known. */
export function stageNamed(key: string): string | undefined {
  return BY_FOLDED_NAME.get(key.toLowerCase());
}

/** The stage that writes which a key means; undefined for any other key. */
export function writingStageNamed(key: string): string | undefined {
  return WRITING_BY_FOLDED_NAME.get(key.toLowerCase());
}

/** The operator that runs JavaScript which a key means; undefined for any other key. */
export function javaScriptOperatorNamed(key: string): string | undefined {
  return JAVASCRIPT_BY_FOLDED_NAME.get(key.toLowerCase());
}

function byFoldedName(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}
