// The ESLint rule behind the table "Layers" of ARCHITECTURE.md. Unlike no-restricted-imports it
// resolves each specifier, so no spelling of a path gets around it; it sees type imports,
// re-exports and import() as well, and it refuses a file that is in no row of the table.
import path from 'node:path';

/**
 * @typedef {object} Layer
 * @property {string} files `folder/*` for the files of one folder, `folder/**` with its subfolders,
 *   or one file's own path
 * @property {string[]} [except] files that another row speaks of
 * @property {string[]} may what these files may import, in the same notation
 * @property {boolean} [isNodeOnly] no npm package either
 */

/** @type {import('eslint').Rule.RuleModule} */
export const layerRule = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object' }],
    messages: {
      forbidden: '{{layer}} may not import {{target}}; see "Layers" in ARCHITECTURE.md.',
      unknown:
        '{{file}} is in {{count}} rows of the layer table; add its folder to eslint.config.js.',
    },
  },
  create(context) {
    const { root, layers, entry } = context.options[0];
    const file = toPosix(path.relative(root, context.filename));
    const matching = layers.filter(
      (layer) => matches(layer.files, file) && !layer.except?.includes(file),
    );
    if (matching.length !== 1) {
      const data = { file, count: String(matching.length) };
      return { Program: (node) => context.report({ node, messageId: 'unknown', data }) };
    }
    const [layer] = matching;
    const check = (source) => {
      if (typeof source?.value !== 'string' || mayImport(layer, file, source.value, entry)) {
        return;
      }
      const data = { layer: layer.files, target: source.value };
      context.report({ node: source, messageId: 'forbidden', data });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
    };
  },
};

function mayImport(layer, file, specifier, entry) {
  if (specifier.startsWith('node:')) {
    return true;
  }
  if (!specifier.startsWith('.')) {
    return layer.isNodeOnly !== true;
  }
  const target = path.posix.join(path.posix.dirname(file), specifier);
  if (entry.includes(target) && !entry.includes(file)) {
    return false;
  }
  return layer.may.some((pattern) => matches(pattern, target));
}

function matches(pattern, file) {
  if (pattern.endsWith('/**')) {
    return file.startsWith(pattern.slice(0, -2));
  }
  return pattern.endsWith('/*')
    ? path.posix.dirname(file) === pattern.slice(0, -2)
    : file === pattern;
}

function toPosix(file) {
  return file.split(path.sep).join('/');
}
