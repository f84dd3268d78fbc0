import { valued } from './bash.ts';
import type { Place } from './tree.ts';

/** Lines of fish, one for each command and option of each place. */
export function fishCompletion(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, commands, options, choices }) => {
    const at = `-n '__sallyport_at "${path}"'`;
    const isEnd = commands.length > 0 || choices.length > 0 ? '-f' : '';
    return [
      ...commands.map(({ word, says }) => `complete -c sallyport ${at} -f -a ${word} -d '${says}'`),
      ...(choices.length === 0 ? [] : [`complete -c sallyport ${at} ${isEnd} -a '${choices.join(' ')}'`]),
      ...options.map(({ word, short, says, takesValue, choices }) => {
        const name = `-l ${word.slice(2)}${short === null ? '' : ` -s ${short.slice(1)}`}`;
        const value = !takesValue ? '' : choices.length === 0 ? ' -r' : ` -x -a '${choices.join(' ')}'`;
        return `complete -c sallyport ${at} ${name}${value} -d '${says}'`;
      }),
    ];
  });
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# fish completion of sallyport: sallyport completion fish | source
function __sallyport_at
    set -l at ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        if contains -- $word ${valued(places).join(' ')}
            set skip 1
            continue
        end
        set -l next (string trim -- "$at $word")
        if contains -- $next ${paths.join(' ')}
            set at $next
        end
    end
    test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}
