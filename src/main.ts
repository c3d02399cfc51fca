#!/usr/bin/env node
import { runCommandLine } from './cli.ts';

/** What is still being written to a pipe gets this long; a forgotten handle gets no longer. */
const LINGER_MS = 1000;

process.exitCode = await runCommandLine(process.argv.slice(2));
// Unreferenced: when nothing is left, Node ends at once and this never runs.
setTimeout(() => process.exit(), LINGER_MS).unref();
