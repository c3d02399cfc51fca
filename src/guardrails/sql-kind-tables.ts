// What the node types and object types of PostgreSQL's grammar are called in WIRE_ALLOW and
// WIRE_DENY. Closed: a type that is missing here is refused (the test walks the grammar's list).

// Node types that are one kind each, by the kind's first word. RawStmt, SetOperationStmt and
// PLAssignStmt are missing: the text of a Query message never yields them.
const NODES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    SelectStmt: 'SELECT',
    ReturnStmt: 'SELECT',
    IntoClause: 'SELECT INTO',
    LockingClause: 'SELECT FOR UPDATE',
    DeleteStmt: 'DELETE',
    UpdateStmt: 'UPDATE',
    TruncateStmt: 'TRUNCATE',
    DoStmt: 'DO',
    CallStmt: 'CALL',
    ExplainStmt: 'EXPLAIN',
    VariableShowStmt: 'SHOW',
    ConstraintsSetStmt: 'SET CONSTRAINTS',
    DeclareCursorStmt: 'DECLARE',
    ClosePortalStmt: 'CLOSE',
    PrepareStmt: 'PREPARE',
    ExecuteStmt: 'EXECUTE',
    DeallocateStmt: 'DEALLOCATE',
    DiscardStmt: 'DISCARD',
    LockStmt: 'LOCK',
    NotifyStmt: 'NOTIFY',
    ListenStmt: 'LISTEN',
    UnlistenStmt: 'UNLISTEN',
    LoadStmt: 'LOAD',
    CheckPointStmt: 'CHECKPOINT',
    ClusterStmt: 'CLUSTER',
    ReindexStmt: 'REINDEX',
    RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW',
    CommentStmt: 'COMMENT',
    SecLabelStmt: 'SECURITY LABEL',
    ReassignOwnedStmt: 'REASSIGN OWNED',
    ImportForeignSchemaStmt: 'IMPORT FOREIGN SCHEMA',
  },
  CREATE: {
    CreateStmt: 'TABLE',
    CreateForeignTableStmt: 'FOREIGN TABLE',
    IndexStmt: 'INDEX',
    ViewStmt: 'VIEW',
    RuleStmt: 'RULE',
    CreateSchemaStmt: 'SCHEMA',
    CreateSeqStmt: 'SEQUENCE',
    CreateTrigStmt: 'TRIGGER',
    CreateEventTrigStmt: 'EVENT TRIGGER',
    CreateTableSpaceStmt: 'TABLESPACE',
    CreateExtensionStmt: 'EXTENSION',
    CreateFdwStmt: 'FOREIGN DATA WRAPPER',
    CreateForeignServerStmt: 'SERVER',
    CreateUserMappingStmt: 'USER MAPPING',
    CreatePolicyStmt: 'POLICY',
    CreateAmStmt: 'ACCESS METHOD',
    CreatePLangStmt: 'LANGUAGE',
    CreateRoleStmt: 'ROLE',
    CreateDomainStmt: 'DOMAIN',
    CreateOpClassStmt: 'OPERATOR CLASS',
    CreateOpFamilyStmt: 'OPERATOR FAMILY',
    CreateStatsStmt: 'STATISTICS',
    CompositeTypeStmt: 'TYPE',
    CreateEnumStmt: 'TYPE',
    CreateRangeStmt: 'TYPE',
    CreatedbStmt: 'DATABASE',
    CreateConversionStmt: 'CONVERSION',
    CreateCastStmt: 'CAST',
    CreateTransformStmt: 'TRANSFORM',
    CreatePublicationStmt: 'PUBLICATION',
    CreateSubscriptionStmt: 'SUBSCRIPTION',
  },
  ALTER: {
    ReplicaIdentityStmt: 'TABLE',
    AlterCollationStmt: 'COLLATION',
    AlterDomainStmt: 'DOMAIN',
    AlterTableSpaceOptionsStmt: 'TABLESPACE',
    AlterExtensionStmt: 'EXTENSION',
    AlterExtensionContentsStmt: 'EXTENSION',
    AlterFdwStmt: 'FOREIGN DATA WRAPPER',
    AlterForeignServerStmt: 'SERVER',
    AlterUserMappingStmt: 'USER MAPPING',
    AlterPolicyStmt: 'POLICY',
    AlterEventTrigStmt: 'EVENT TRIGGER',
    AlterRoleStmt: 'ROLE',
    AlterRoleSetStmt: 'ROLE',
    AlterSeqStmt: 'SEQUENCE',
    AlterOpFamilyStmt: 'OPERATOR FAMILY',
    AlterStatsStmt: 'STATISTICS',
    AlterOperatorStmt: 'OPERATOR',
    AlterTypeStmt: 'TYPE',
    AlterEnumStmt: 'TYPE',
    AlterDatabaseStmt: 'DATABASE',
    AlterDatabaseRefreshCollStmt: 'DATABASE',
    AlterDatabaseSetStmt: 'DATABASE',
    AlterSystemStmt: 'SYSTEM',
    AlterTSDictionaryStmt: 'TEXT SEARCH DICTIONARY',
    AlterTSConfigurationStmt: 'TEXT SEARCH CONFIGURATION',
    AlterPublicationStmt: 'PUBLICATION',
    AlterSubscriptionStmt: 'SUBSCRIPTION',
  },
  DROP: {
    DropdbStmt: 'DATABASE',
    DropRoleStmt: 'ROLE',
    DropTableSpaceStmt: 'TABLESPACE',
    DropOwnedStmt: 'OWNED',
    DropUserMappingStmt: 'USER MAPPING',
    DropSubscriptionStmt: 'SUBSCRIPTION',
  },
};

// Object types of those CREATE, ALTER and DROP nodes that serve many objects.
const OBJECTS: Readonly<Record<string, string>> = {
  OBJECT_ACCESS_METHOD: 'ACCESS METHOD',
  OBJECT_AGGREGATE: 'AGGREGATE',
  OBJECT_ATTRIBUTE: 'TYPE',
  OBJECT_CAST: 'CAST',
  OBJECT_COLLATION: 'COLLATION',
  OBJECT_CONVERSION: 'CONVERSION',
  OBJECT_DATABASE: 'DATABASE',
  OBJECT_DOMAIN: 'DOMAIN',
  OBJECT_DOMCONSTRAINT: 'DOMAIN',
  OBJECT_EVENT_TRIGGER: 'EVENT TRIGGER',
  OBJECT_EXTENSION: 'EXTENSION',
  OBJECT_FDW: 'FOREIGN DATA WRAPPER',
  OBJECT_FOREIGN_SERVER: 'SERVER',
  OBJECT_FOREIGN_TABLE: 'FOREIGN TABLE',
  OBJECT_FUNCTION: 'FUNCTION',
  OBJECT_INDEX: 'INDEX',
  OBJECT_LANGUAGE: 'LANGUAGE',
  OBJECT_LARGEOBJECT: 'LARGE OBJECT',
  OBJECT_MATVIEW: 'MATERIALIZED VIEW',
  OBJECT_OPCLASS: 'OPERATOR CLASS',
  OBJECT_OPERATOR: 'OPERATOR',
  OBJECT_OPFAMILY: 'OPERATOR FAMILY',
  OBJECT_POLICY: 'POLICY',
  OBJECT_PROCEDURE: 'PROCEDURE',
  OBJECT_PUBLICATION: 'PUBLICATION',
  OBJECT_ROLE: 'ROLE',
  OBJECT_ROUTINE: 'ROUTINE',
  OBJECT_RULE: 'RULE',
  OBJECT_SCHEMA: 'SCHEMA',
  OBJECT_SEQUENCE: 'SEQUENCE',
  OBJECT_STATISTIC_EXT: 'STATISTICS',
  OBJECT_SUBSCRIPTION: 'SUBSCRIPTION',
  OBJECT_TABCONSTRAINT: 'TABLE',
  OBJECT_TABLE: 'TABLE',
  OBJECT_TABLESPACE: 'TABLESPACE',
  OBJECT_TRIGGER: 'TRIGGER',
  OBJECT_TRANSFORM: 'TRANSFORM',
  OBJECT_TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION',
  OBJECT_TSDICTIONARY: 'TEXT SEARCH DICTIONARY',
  OBJECT_TSPARSER: 'TEXT SEARCH PARSER',
  OBJECT_TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
  OBJECT_TYPE: 'TYPE',
  OBJECT_VIEW: 'VIEW',
};

// Kinds that one node type tells apart by a field.
const DISTINGUISHED = [
  ...['INSERT', 'MERGE', 'COPY FROM', 'COPY TO', 'COPY FILE', 'COPY PROGRAM'],
  ...['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE'],
  ...['PREPARE TRANSACTION', 'COMMIT PREPARED', 'ROLLBACK PREPARED'],
  ...['SET', 'SET TRANSACTION', 'SET SESSION CHARACTERISTICS', 'RESET'],
  ...['SET ROLE', 'SET SESSION AUTHORIZATION'],
  ...['FETCH', 'MOVE', 'VACUUM', 'ANALYZE', 'GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES'],
  ...['CREATE TABLE AS', 'CREATE MATERIALIZED VIEW', 'CREATE FUNCTION', 'CREATE PROCEDURE'],
];

// What DefineStmt makes.
const DEFINED = ['AGGREGATE', 'COLLATION', 'OPERATOR', 'TYPE'];
const DEFINED_TEXT_SEARCH = ['CONFIGURATION', 'DICTIONARY', 'PARSER', 'TEMPLATE'];

const NEVER_ALTERED = new Set(['ACCESS METHOD', 'CAST', 'TRANSFORM']);
const NEVER_DROPPED = new Set(['LARGE OBJECT']);

/** Node type to kind, for node types that are one kind each. */
export const KIND_OF_NODE: ReadonlyMap<string, string> = new Map(
  Object.entries(NODES).flatMap(([verb, nodes]) =>
    Object.entries(nodes).map(([type, object]) => [type, `${verb} ${object}`.trim()] as const),
  ),
);

/** Object type to the words that name it. */
export const OBJECT_WORDS: ReadonlyMap<string, string> = new Map(Object.entries(OBJECTS));

/** Every kind there is, in alphabetical order. */
export const STATEMENT_KINDS: readonly string[] = [
  ...new Set([
    ...KIND_OF_NODE.values(),
    ...DISTINGUISHED,
    ...DEFINED.map((object) => `CREATE ${object}`),
    ...DEFINED_TEXT_SEARCH.map((object) => `CREATE TEXT SEARCH ${object}`),
    ...objectsBut(NEVER_ALTERED).map((object) => `ALTER ${object}`),
    ...objectsBut(NEVER_DROPPED).map((object) => `DROP ${object}`),
  ]),
].sort();

function objectsBut(except: ReadonlySet<string>): readonly string[] {
  return [...OBJECT_WORDS.values()].filter((object) => !except.has(object));
}
