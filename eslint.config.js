// @ts-check
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { layerRule } from './.ci/layer-rule.js';

/** The composition root: it may import everything, and nothing else imports it. */
const ENTRY = [
  'src/main.ts',
  'src/cli.ts',
  'src/service.ts',
  'src/service-connectors.ts',
  'src/service-accounts.ts',
  'src/service-gates.ts',
  'src/service-stores.ts',
];

const EVERYTHING = ['src/**', 'wire/**', 'routes/**'];

/** What every backend stands on; the other backend, the doors and the connectors are not in it. */
const BACKEND = ['src/*', 'src/guardrails/**', 'src/backends/*', 'wire/protocol/**'];

/**
 * Who may import whom: the table "Layers" of ARCHITECTURE.md. Each source file is in exactly one
 * row; test/unit/layers.test.ts proves each row with imports that pass and imports that do not.
 */
const LAYERS = [
  { files: 'wire/protocol/**', may: ['wire/protocol/**'], isNodeOnly: true },
  { files: 'src/guardrails/**', may: ['src/*', 'src/guardrails/**'] },
  { files: 'src/backends/*', may: ['src/*', 'src/guardrails/**', 'src/backends/*'] },
  { files: 'src/backends/postgres/**', may: [...BACKEND, 'src/backends/postgres/**'] },
  { files: 'src/backends/mongodb/**', may: [...BACKEND, 'src/backends/mongodb/**'] },
  {
    files: 'src/connectors/**',
    may: ['src/*', 'src/backends/mongodb/**', 'src/connectors/**'],
  },
  { files: 'src/accounts/**', may: ['src/*', 'src/accounts/**'] },
  { files: 'src/store/**', may: ['src/*', 'src/backends/mongodb/**', 'src/store/**'] },
  { files: 'src/embedded/**', may: ['src/*', 'src/embedded/**'] },
  {
    files: 'wire/*',
    may: ['src/*', 'src/guardrails/**', 'src/backends/*', 'wire/*', 'wire/protocol/**'],
  },
  {
    files: 'routes/**',
    may: ['src/*', 'src/guardrails/**', 'src/backends/**', 'src/store/**', 'routes/**'],
  },
  { files: 'src/*', may: ['src/*'], except: ENTRY },
  ...ENTRY.map((files) => ({ files, may: EVERYTHING })),
];

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.gatepost/']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    plugins: { 'import-x': importX },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/resolver': { node: { extensions: ['.ts', '.js'] } },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { prefer: 'type-imports', fixStyle: 'separate-type-imports' },
      ],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/return-await': ['error', 'always'],
      curly: ['error', 'all'],
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Read the environment in src/config.ts only.',
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Use named exports.' },
      ],
      complexity: ['error', { max: 10, variant: 'modified' }],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-len': ['error', { code: 100, ignoreUrls: true }],
      'import-x/no-cycle': 'error',
    },
  },
  {
    files: EVERYTHING.map((folder) => `${folder}/*.ts`),
    plugins: { gatepost: { rules: { layers: layerRule } } },
    rules: {
      'gatepost/layers': ['error', { root: import.meta.dirname, layers: LAYERS, entry: ENTRY }],
    },
  },
  { files: ['src/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['test/**'],
    rules: {
      'max-lines-per-function': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { AbortController: 'readonly', AbortSignal: 'readonly' } },
    rules: {
      'no-restricted-syntax': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      'max-len': 'off',
    },
  },
);
