import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import type { gates as gateMap, Room } from '#architecture';

export interface SourceFile {
  /** Below the root of the repository, with `/`: `server/src/policy/decide.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface ArchitectureMap {
  readonly rooms: Readonly<Record<string, Room>>;
  readonly gates: typeof gateMap;
}

/** What a package may import of the others. Tests may start any of them, so they are held to their folder only. */
const packageArrows: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  server: ['@sallyport/contracts'],
  sdk: ['@sallyport/contracts'],
  cli: ['@sallyport/contracts'],
  // What it measures of the server from within, it gets by a door of its own.
  harness: ['@sallyport/contracts', '@sallyport/server', '@sallyport/gateway/search'],
  examples: ['@sallyport/contracts', '@sallyport/server'],
};
const bannedNames = 'utils util helpers helper common shared misc lib manager processor impl data info'.split(
  ' ',
);
const maxLines = 400;
const maxTestLines = 600;
const maxDoorComment = 12;

interface Import {
  readonly line: number;
  readonly name: string;
}

/** One file with what the rules ask of it. */
interface Subject extends SourceFile {
  readonly isTest: boolean;
  /** The room, `main` for the entry, `null` outside `server/src`. */
  readonly room: string | null;
  /** Lines with their comments blanked. */
  readonly code: readonly string[];
  readonly imports: readonly Import[];
}

/**
 * Holds every file to the map and the rules of the house. Each broken rule is one sentence: where, what, what to do.
 * Reading nothing is a failure, so that a moved folder cannot pass unseen.
 */
export function checkArchitecture(files: readonly SourceFile[], map: ArchitectureMap): string[] {
  if (!files.some((file) => file.path.startsWith('server/src/'))) {
    return ['server/src: no file was read, so nothing was checked; repair how the test finds the sources.'];
  }
  const subjects = files.map(subjectOf);
  return [
    ...checkMap(map),
    ...subjects.flatMap((file) => [
      ...checkPlace(file, map),
      ...checkImports(file, map),
      ...(file.isTest ? [] : [...checkGates(file, map), ...checkGlobals(file)]),
      ...checkExports(file),
      ...checkSize(file),
    ]),
    ...checkDoors(subjects, map),
    ...checkCycles(subjects, map),
  ];
}

function subjectOf(file: SourceFile): Subject {
  const room = /^server\/src\/([^/]+)/.exec(file.path)?.[1] ?? null;
  const isTest = /\.test\.ts$|\/contract-suite\.ts$|\/fixtures\/|^server\/test\//.test(file.path);
  const code = blankComments(file.text).split('\n');
  return {
    ...file,
    isTest,
    room: room?.replace(/(\.test)?\.ts$/, '') ?? null,
    code,
    imports: findImports(code),
  };
}

/** Blanks comments that stand on their own lines or follow code after a space; strings such as `'http://x'` survive. */
function blankComments(text: string): string {
  return text
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/ .*$/gm, '$1');
}

/** Static imports and re-exports (the line that names the module), `import('…')`, `require('…')`, `getBuiltinModule('…')`. */
function findImports(code: readonly string[]): Import[] {
  const named = /^\s*(?:import|export|\}).*?\bfrom\s*(['"])(.+?)\1|^\s*import\s*(['"])(.+?)\3/;
  const called = /\b(?:import|require|getBuiltinModule)\(\s*(['"])(.+?)\1/g;
  return code.flatMap((text, at) => {
    const found = named.exec(text);
    const names = [found?.[2] ?? found?.[4], ...[...text.matchAll(called)].map((match) => match[2])];
    return names.filter((name) => name !== undefined).map((name) => ({ line: at + 1, name }));
  });
}

function at(file: Subject, line: number, sentence: string): string {
  return `${file.path}:${line}: ${sentence}`;
}

function checkMap({ rooms }: ArchitectureMap): string[] {
  return Object.entries(rooms).flatMap(([name, room]) =>
    room.mayImport
      .filter((target) => target !== '*' && !(target in rooms))
      .map(
        (target) =>
          `server/architecture.ts: room ${name} may import ${target}, which is no room; correct the arrow.`,
      ),
  );
}

function checkPlace(file: Subject, { rooms }: ArchitectureMap): string[] {
  const broken: string[] = [];
  if (file.room !== null && file.room !== 'main' && !(file.room in rooms)) {
    broken.push(
      at(
        file,
        1,
        `${file.room} is no room of server/architecture.ts; move the file into a room, or add one.`,
      ),
    );
  }
  for (const part of file.path.replace(/\.ts$/, '').split('/')) {
    const words = part.replace(/\.(test|slow\.test)$/, '').split(/[-.]/);
    const banned = [words.join('-'), words.at(-1) ?? ''].find((word) => bannedNames.includes(word));
    if (banned !== undefined) {
      broken.push(
        at(file, 1, `the name ${part} says nothing (${banned}); name it after what it exports or owns.`),
      );
    }
    if (!/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(part)) {
      broken.push(at(file, 1, `the name ${part} is not kebab-case; rename it.`));
    }
  }
  return broken;
}

function checkImports(file: Subject, map: ArchitectureMap): string[] {
  return file.imports.flatMap(({ line, name }) => {
    const sentence = name.startsWith('.')
      ? relativeImport(file, name)
      : name.startsWith('#')
        ? doorImport(file, name, map)
        : packageImport(file, name);
    return sentence === null ? [] : [at(file, line, sentence)];
  });
}

function relativeImport(file: Subject, name: string): string | null {
  const target = posix.join(posix.dirname(file.path), name);
  const home = packageOf(file.path);
  if (packageOf(target) !== home) {
    return `${name} reaches out of the package ${home}; import a package by its name, or move the code.`;
  }
  if (home !== 'server') return null;
  const from = placeOf(file.path);
  const to = placeOf(target);
  if (from === to || (file.isTest && to === 'server/test') || target === 'server/architecture.ts')
    return null;
  return to.startsWith('server/src/') && to !== 'server/src/main.ts'
    ? `${name} enters another room by path; import its door, #${to.slice('server/src/'.length)}.`
    : `${name} reaches out of ${from}; what is needed belongs into a room, behind its door.`;
}

/** `examples/<name>` are packages of their own. */
function packageOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'examples' ? `${first}/${second}` : first;
}

/** The smallest walled place: a room, or a folder of the server beside `src`. */
function placeOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('server/src/') ? 3 : 2)
    .join('/');
}

function doorImport(file: Subject, name: string, { rooms }: ArchitectureMap): string | null {
  const [room = '', ...inside] = name.slice(1).split('/');
  if (!file.path.startsWith('server/'))
    return `${name} is a door of the server; no other package may use it.`;
  if (name === '#architecture')
    return file.room === null ? null : 'the map is for its test; nothing runs by it.';
  if (!(room in rooms)) return `${name} is no room of server/architecture.ts; import a room by its name.`;
  if (room === file.room) return `${name} is this room's own door; import the file with ./ instead.`;
  if (inside.length > 0 && file.room !== 'compose' && !file.isTest) {
    return `${name} names an implementation, which only compose may; import #${room} and take what compose passes in.`;
  }
  if (file.isTest || file.room === null || file.room === 'main') return null;
  const allowed = rooms[file.room]?.mayImport ?? [];
  if (allowed.includes('*') || allowed.includes(room)) return null;
  return `${file.room} may not import ${room}; let compose pass in what is needed, or argue the arrow in server/architecture.ts.`;
}

function packageImport(file: Subject, name: string): string | null {
  const home = packageOf(file.path).split('/')[0] ?? '';
  if (file.isTest || /\.config\.ts$/.test(file.path)) return null;
  if (home === 'contracts' && name !== 'zod')
    return `contracts imports only zod, not ${name}; keep it free of anything else.`;
  if (!name.startsWith('@sallyport/')) return null;
  const arrows = packageArrows[home] ?? [];
  if (arrows.some((arrow) => arrow === name)) return null;
  return `${home} may not import ${name}; it may import ${arrows.join(' and ') || 'no other package'}.`;
}

function checkGates(file: Subject, { gates }: ArchitectureMap): string[] {
  if (file.room === null) return [];
  const path = file.path.slice('server/src/'.length);
  return file.imports.flatMap(({ line, name: written }) => {
    const name = builtinModules.includes(written) ? `node:${written}` : written;
    const gate = Object.entries(gates).find(([module]) => name === module || name.startsWith(`${module}/`));
    if (gate === undefined || gate[1].only.some((allowed) => path.startsWith(allowed))) return [];
    const where = gate[1].only.length === 0 ? 'Nothing may import it' : `Only ${gate[1].only.join(', ')} may`;
    return [
      at(file, line, `${name} is behind a gate: ${gate[1].why}. ${where}; ask for the function you need.`),
    ];
  });
}

interface GlobalRule {
  readonly pattern: RegExp;
  readonly allowed: (file: Subject) => boolean;
  readonly sentence: string;
}

const globalRules: readonly GlobalRule[] = [
  {
    pattern: /\bprocess\.env\b/,
    allowed: (file) => file.room === 'config' || file.room === 'main',
    sentence: 'process.env is read only in config and main; take the value as a dependency.',
  },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)/,
    allowed: (file) => file.path === 'server/src/foundation/clock.ts',
    sentence: 'the wall clock is read only in foundation/clock.ts; take a Clock as a dependency.',
  },
  {
    pattern: /(?<![.\w])fetch\(|\bnew (WebSocket|EventSource)\(/,
    allowed: () => false,
    sentence: 'the platform must not open connections of its own; every byte out passes #egress.',
  },
];

function checkGlobals(file: Subject): string[] {
  if (file.room === null) return [];
  return globalRules
    .filter((rule) => !rule.allowed(file))
    .flatMap((rule) =>
      file.code.flatMap((text, i) => (rule.pattern.test(text) ? [at(file, i + 1, rule.sentence)] : [])),
    );
}

function checkExports(file: Subject): string[] {
  return file.code.flatMap((text, i) =>
    /^\s*export\s*(type\s*)?\*/.test(text)
      ? [at(file, i + 1, 'export * hides what a file offers; list the names.')]
      : [],
  );
}

function checkSize(file: Subject): string[] {
  const lines = file.text.trimEnd().split('\n').length;
  const limit = file.isTest ? maxTestLines : maxLines;
  return lines <= limit
    ? []
    : [at(file, limit + 1, `${lines} lines, ${limit} allowed; split by reason to change.`)];
}

function checkDoors(files: readonly Subject[], { rooms }: ArchitectureMap): string[] {
  const lived = new Set(
    files.filter((file) => file.room !== null && file.room in rooms).map((file) => file.room),
  );
  return [...lived].flatMap((room) => {
    const path = `server/src/${room}/index.ts`;
    const door = files.find((file) => file.path === path);
    if (door === undefined)
      return [`${path}:1: the room has no door; add an index.ts with explicit exports.`];
    const comment = /^\/\*\*[\s\S]*?\*\//.exec(door.text)?.[0];
    if (comment === undefined)
      return [at(door, 1, 'a door opens with a comment: what the room owns, what it never does.')];
    const lines = comment.split('\n').length;
    return lines <= maxDoorComment
      ? []
      : [at(door, 1, `the opening comment has ${lines} lines; say it in ${maxDoorComment}.`)];
  });
}

/** Rooms that import one another, by the map's arrows and by the imports that are there. */
function checkCycles(files: readonly Subject[], { rooms }: ArchitectureMap): string[] {
  const arrows = new Map<string, Set<string>>();
  for (const [name, room] of Object.entries(rooms)) {
    arrows.set(name, new Set(room.mayImport.filter((target) => target !== '*')));
  }
  for (const file of files.filter((one) => !one.isTest && one.room !== null)) {
    for (const { name } of file.imports.filter((one) => one.name.startsWith('#'))) {
      const target = name.slice(1).split('/')[0] ?? '';
      if (target !== file.room) arrows.get(file.room ?? '')?.add(target);
    }
  }
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (room: string, path: readonly string[]): void => {
    const start = path.indexOf(room);
    if (start >= 0) {
      const ring = [...path.slice(start), room].join(' → ');
      cycles.push(
        `server/architecture.ts: rooms import one another in a ring, ${ring}; turn one arrow into a dependency.`,
      );
    }
    if (start >= 0 || done.has(room)) return;
    for (const target of arrows.get(room) ?? []) visit(target, [...path, room]);
    done.add(room);
  };
  for (const room of arrows.keys()) visit(room, []);
  return cycles;
}
