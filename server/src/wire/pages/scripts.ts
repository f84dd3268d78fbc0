/** The only scripts that our pages load. Each makes a page more comfortable, and none is needed. */

/** Moves the token of a one-time link from the page's address, which it leaves, into the form. */
const link = `'use strict';
const field = document.querySelector('[data-link-form] input[name=link]');
function take() {
  const token = location.hash.slice(1);
  if (!field || token === '') return;
  field.value = token;
  history.replaceState(null, '', location.pathname);
}
addEventListener('hashchange', take);
take();
`;

/** Puts a button that copies beside each text to copy. */
const copy = `'use strict';
for (const text of document.querySelectorAll('.copyable pre')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', 'Copy: ' + text.dataset.what);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = 'Press Ctrl+C';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
  text.after(button);
}
`;

export const scripts: ReadonlyMap<string, string> = new Map([
  ['/oauth2/assets/link.js', link],
  ['/oauth2/assets/copy.js', copy],
]);
