import { valued } from './bash.ts';
import type { Choice, Place } from './tree.ts';

/** A function of zsh that knows every command and option, and says what each is. */
export function zshCompletion(places: readonly Place[]): string {
  const commands = places
    .filter(({ path }) => path !== '')
    .map(({ path }) => `      "${path}") at="${path}" ;;`);
  const described = (choices: readonly Choice[]) =>
    choices.map(({ word, says }) => `'${word}:${says}'`).join(' ');
  const words = places.map(
    ({ path, commands, options, choices }) =>
      `    "${path}") found=(${described([...commands, ...choices.map((word) => ({ word, says: '' }))])}); options=(${described(options)}) ;;`,
  );
  const values = places.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(
        ({ word, short, choices }) =>
          `    "${path}:${word}"${short === null ? '' : `|"${path}:${short}"`}) compadd -- ${choices.join(' ')}; return ;;`,
      ),
  );
  return `#compdef sallyport
# zsh completion of sallyport: source <(sallyport completion zsh)
_sallyport() {
  local at="" i
  local -a found options
  for ((i = 2; i < CURRENT; i++)); do
    case "\${words[i]}" in
      ${valued(places).join('|')}) ((i++)); continue ;;
    esac
    case "\${at:+$at }\${words[i]}" in
${commands.join('\n')}
    esac
  done
  case "$at:\${words[CURRENT - 1]}" in
${values.join('\n')}
  esac
  case "\${words[CURRENT - 1]}" in
    ${valued(places).join('|')}) _files; return ;;
  esac
  case "$at" in
${words.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o option options
  elif (( \${#found} > 0 )); then
    _describe command found
  else
    _files
  fi
}
compdef _sallyport sallyport
`;
}
