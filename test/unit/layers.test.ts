import { describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';
import path from 'node:path';

const RULE = 'gatepost/layers';
const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * The project's own ESLint configuration with every rule but the layers filtered out, so that a
 * probe needs no file on disk and no type information.
 */
const eslint = new ESLint({
  cwd: ROOT,
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  ruleFilter: ({ ruleId }) => ruleId === RULE,
});

/** The rule's answer to one statement in a file that need not exist; undefined when it passes. */
async function probe(file: string, statement: string): Promise<string | undefined> {
  const [result] = await eslint.lintText(statement, { filePath: path.join(ROOT, file) });
  const broken = result?.messages.find((message) => message.ruleId !== RULE);
  expect(broken?.message).toBeUndefined();
  return result?.messages[0]?.message;
}

/** Per row of the table: a file in it, what it may import, what it may not. */
const ROWS: readonly (readonly [
  file: string,
  legal: readonly string[],
  illegal: readonly string[],
])[] = [
  [
    'wire/protocol/frame.ts',
    ['node:buffer', './frame-reader.ts'],
    ['pg', '../session.ts', '../../src/errors.ts', '../../src/backends/backend.ts'],
  ],
  [
    'src/errors.ts',
    ['node:fs', 'zod', './observation.ts'],
    [
      './guardrails/guard.ts',
      './backends/backend.ts',
      './embedded/postgres.ts',
      './connectors/runner.ts',
      '../wire/session.ts',
      '../wire/protocol/frame.ts',
      '../routes/app.ts',
    ],
  ],
  [
    'src/guardrails/guard.ts',
    ['libpg-query', '../errors.ts', './limits.ts'],
    ['../backends/backend.ts', '../connectors/runner.ts', '../../wire/listener.ts'],
  ],
  [
    'src/backends/backend.ts',
    ['../errors.ts', '../guardrails/guard.ts'],
    ['./postgres/relay.ts', './mongodb/client.ts', '../../wire/protocol/frame.ts'],
  ],
  [
    'src/backends/postgres/relay.ts',
    [
      './upstream.ts',
      '../backend.ts',
      '../../errors.ts',
      '../../guardrails/guard.ts',
      '../../../wire/protocol/frame.ts',
    ],
    [
      '../mongodb/client.ts',
      '../../connectors/runner.ts',
      '../../embedded/postgres.ts',
      '../../../wire/session.ts',
      '../../../routes/app.ts',
    ],
  ],
  [
    'src/backends/mongodb/client.ts',
    ['mongodb', './cancel.ts', '../backend.ts', '../../../wire/protocol/frame-writer.ts'],
    ['../postgres/relay.ts', '../../connectors/mongodb-sink.ts', '../../../wire/listener.ts'],
  ],
  [
    'src/connectors/mongodb-sink.ts',
    ['../errors.ts', '../backends/mongodb/client.ts', './connector.ts'],
    ['../backends/postgres/pool.ts', '../../wire/protocol/frame.ts', '../../routes/app.ts'],
  ],
  [
    'src/embedded/postgres.ts',
    ['../lifecycle.ts', '../observation.ts', './binaries.ts'],
    ['../backends/backend.ts', '../guardrails/guard.ts', '../../wire/protocol/frame.ts'],
  ],
  [
    'wire/session.ts',
    [
      './protocol/frame.ts',
      './startup.ts',
      '../src/backends/backend.ts',
      '../src/guardrails/guard.ts',
      '../src/errors.ts',
    ],
    [
      '../src/backends/postgres/relay.ts',
      '../src/backends/mongodb/client.ts',
      '../src/connectors/runner.ts',
      '../src/embedded/postgres.ts',
      '../routes/app.ts',
    ],
  ],
  [
    'routes/query.ts',
    [
      'express',
      './app.ts',
      '../src/backends/postgres/pool.ts',
      '../src/guardrails/limits.ts',
      '../src/config.ts',
    ],
    ['../wire/listener.ts', '../wire/protocol/frame.ts', '../src/connectors/runner.ts'],
  ],
  [
    'src/service.ts',
    [
      './config.ts',
      './backends/postgres/relay.ts',
      './embedded/postgres.ts',
      './connectors/runner.ts',
      '../wire/listener.ts',
      '../routes/app.ts',
    ],
    ['../test/support/databases.ts'],
  ],
  [
    'src/service-connectors.ts',
    ['./connectors/connectors-runtime.ts', './service-run.ts', '../routes/app.ts'],
    ['../test/support/databases.ts'],
  ],
  [
    'src/service-run.ts',
    ['./lifecycle.ts', './logger.ts'],
    ['./service.ts', './connectors/connectors-runtime.ts', '../routes/app.ts'],
  ],
  ['src/cli.ts', ['./service.ts', 'commander'], ['../test/support/databases.ts']],
  ['src/main.ts', ['./cli.ts'], ['../.ci/setup.mjs']],
];

describe('The layers', () => {
  for (const [file, legal, illegal] of ROWS) {
    test.each(legal)(`let ${file} import %s`, async (specifier) => {
      expect(await probe(file, `import '${specifier}';`)).toBeUndefined();
    });

    test.each(illegal)(`keep ${file} from importing %s`, async (specifier) => {
      expect(await probe(file, `import '${specifier}';`)).toContain(`may not import ${specifier}`);
    });
  }

  test.each(
    ['wire/session.ts', 'routes/app.ts', 'src/errors.ts', 'src/backends/postgres/relay.ts'].flatMap(
      (file) =>
        ['main', 'cli', 'service', 'service-connectors'].map((entry) => [file, entry] as const),
    ),
  )('keep %s from importing the composition root (%s)', async (file, entry) => {
    const specifier = `${path.posix.relative(path.posix.dirname(file), 'src')}/${entry}.ts`;
    const relative = specifier.startsWith('/') ? `.${specifier}` : specifier;
    expect(await probe(file, `import '${relative}';`)).toContain(`may not import ${relative}`);
  });

  test.each([
    "import type { A } from '../../../wire/session.ts';",
    "import { type A } from '../../../wire/session.ts';",
    "export { A } from '../../../wire/session.ts';",
    "export type { A } from '../../../wire/session.ts';",
    "export * from '../../../wire/session.ts';",
    "export const a = import('../../../wire/session.ts');",
    "export type A = import('../../../wire/session.ts').A;",
    "import '../../../wire/protocol/../session.ts';",
    "import './../../../wire/session.ts';",
  ])('are kept in every form of import: %s', async (statement) => {
    expect(await probe('src/backends/postgres/relay.ts', statement)).toContain('may not import');
  });

  test.each(['src/utils/text.ts', 'src/backends/mysql/relay.ts', 'wire/common/bytes.ts'])(
    'refuse %s, a file in a folder without a row',
    async (file) => {
      expect(await probe(file, 'export {};')).toContain('is in 0 rows of the layer table');
    },
  );
});
