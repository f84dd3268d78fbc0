import type { Place } from './tree.ts';

/** A function of bash that knows every command and option; what has other values is completed as a file. */
export function bashCompletion(places: readonly Place[]): string {
  const commands = places
    .filter(({ path }) => path !== '')
    .map(({ path }) => `      "${path}") at="${path}" ;;`);
  const words = places.map(
    ({ path, commands, options, choices }) =>
      `    "${path}") words="${[...commands.map(({ word }) => word), ...choices].join(' ')}"; options="${options.map(({ word }) => word).join(' ')}" ;;`,
  );
  const values = places.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(
        ({ word, short, choices }) =>
          `    "${path}:${word}"${short === null ? '' : `|"${path}:${short}"`}) COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$cur")); return ;;`,
      ),
  );
  return `# bash completion of sallyport: source <(sallyport completion bash)
_sallyport() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" at="" words="" options="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${valued(places).join('|')}) ((i++)); continue ;;
    esac
    case "\${at:+$at }\${COMP_WORDS[i]}" in
${commands.join('\n')}
    esac
  done
  case "$at:$prev" in
${values.join('\n')}
  esac
  case "$prev" in
    ${valued(places).join('|')}) return ;;
  esac
  case "$at" in
${words.join('\n')}
  esac
  if [[ $cur == -* ]]; then words="$options"; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _sallyport sallyport
`;
}

/** Options that take the word behind them. */
export function valued(places: readonly Place[]): string[] {
  const all = places.flatMap(({ options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ word, short }) => (short === null ? [word] : [word, short])),
  );
  return [...new Set(all)].sort();
}
