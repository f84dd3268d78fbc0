import type { ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { err, messageOf, ok, type Result } from '#foundation';
import { maxInstructions } from '../pattern.ts';
import { unsupportedIn } from '../pattern-syntax.ts';

interface Problem {
  readonly message: string;
  /** Where in the text, from 0. */
  readonly at: number;
}

/** These bind a name and go over a list. */
const macros = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Functions of the library that CEL does not have, and that take what a caller gives where it takes long or grows. */
const unknownHere = new Set(['json', 'bind']);

/**
 * Looks through a parsed condition before anything of it runs: whatever could take longer than in proportion to what a caller
 * sends is refused, and patterns are compiled in their places.
 */
export function prepareExpression(
  root: ASTNode,
): Result<{ readonly claimNames: readonly string[] }, Problem> {
  const claimNames = new Set<string>();
  const visit = (node: ASTNode, within: Within): Problem | null => {
    const name = claimNameOf(node);
    if (name !== null) claimNames.add(name);
    if (node.op === 'rcall' || node.op === 'call') return visitCall(node, within, visit);
    return firstOf(childrenOf(node), (child) => visit(child, within));
  };
  const problem = visit(root, { macro: false, source: false });
  return problem === null ? ok({ claimNames: [...claimNames] }) : err(problem);
}

interface Within {
  /** In what is done for each item of a list. */
  readonly macro: boolean;
  /** In what makes the list that a macro goes over. */
  readonly source: boolean;
}

function visitCall(
  node: Extract<ASTNode, { op: 'call' | 'rcall' }>,
  within: Within,
  visit: (node: ASTNode, within: Within) => Problem | null,
): Problem | null {
  const [name] = node.args;
  const args = node.op === 'rcall' ? node.args[2] : node.args[1];
  const at = node.start;
  if (node.op === 'call') {
    const problem = name === 'duration' ? durationProblem(args[0], at) : null;
    return problem ?? firstOf(args, (arg) => visit(arg, within));
  }
  const problem = name === 'matches' ? patternProblem(args[0], at) : null;
  if (problem !== null) return problem;
  if (unknownHere.has(name)) return { message: `there is no function ${name}()`, at };
  const isMacro = macros.has(name) && args.length > 1;
  if (isMacro && within.macro) return { message: `${name}() inside another macro takes too long`, at };
  if (isMacro && name === 'map' && within.source)
    return { message: 'what map() makes cannot be gone over again: do it in one step', at };
  return (
    visit(node.args[1], isMacro ? { ...within, source: true } : within) ??
    firstOf(args, (arg) => visit(arg, isMacro ? { ...within, macro: true } : within))
  );
}

/** Puts the compiled pattern where its text was. */
function patternProblem(pattern: ASTNode | undefined, callAt: number): Problem | null {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string')
    return { message: 'matches() takes a pattern written out as text', at: pattern?.start ?? callAt };
  const at = pattern.start;
  const unsupported = unsupportedIn(pattern.args);
  if (unsupported !== null) return { message: unsupported.message, at };
  try {
    const compiled = RE2JS.compile(pattern.args);
    if (compiled.programSize() > maxInstructions) return { message: 'the pattern is too large', at };
    (pattern as { args: unknown }).args = compiled;
    return null;
  } catch (error) {
    return { message: messageOf(error), at };
  }
}

/** The library reads long texts in more than linear time here. */
function durationProblem(text: ASTNode | undefined, callAt: number): Problem | null {
  if (text?.op === 'value') return null;
  return { message: 'duration() takes a length written out as text', at: text?.start ?? callAt };
}

/** Of `claims.x`, `claims["x"]`, `"x" in claims`. */
function claimNameOf(node: ASTNode): string | null {
  if (node.op === '.') return isClaims(node.args[0]) ? node.args[1] : null;
  if (node.op === '[]') return isClaims(node.args[0]) ? textOf(node.args[1]) : null;
  return node.op === 'in' && isClaims(node.args[1]) ? textOf(node.args[0]) : null;
}

function isClaims(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'claims';
}

function textOf(node: ASTNode): string | null {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : null;
}

function childrenOf(node: Exclude<ASTNode, { op: 'call' | 'rcall' }>): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case '!_':
    case '-_':
      return [node.args];
    case 'map':
      return node.args.flat();
    default:
      return node.args;
  }
}

function firstOf(nodes: readonly ASTNode[], visit: (node: ASTNode) => Problem | null): Problem | null {
  for (const node of nodes) {
    const problem = visit(node);
    if (problem !== null) return problem;
  }
  return null;
}
