// The search of the book, in the reader's browser. The index is a script of its own, because a page that is opened from a
// folder on disk may not fetch. Nothing leaves the browser.
const root = document.body.dataset.root ?? '';
const input = document.getElementById('search');
const found = document.getElementById('found');
const count = document.getElementById('found-count');
const RESULTS_MAX = 12;

/** How well a page answers: all words must be found; in the title they count most. */
function score({ title, headings, text }, words) {
  let sum = 0;
  for (const word of words) {
    const inTitle = title.toLowerCase().indexOf(word);
    if (inTitle === 0) sum += 40;
    else if (inTitle > 0) sum += 20;
    else if (headings.toLowerCase().includes(word)) sum += 6;
    else if (text.toLowerCase().includes(word)) sum += 1;
    else return 0;
  }
  return sum - title.length / 100;
}

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const results =
    words.length === 0
      ? []
      : globalThis.BOOK_INDEX.map((page) => ({ page, score: score(page, words) }))
          .filter((each) => each.score > 0)
          .sort((a, b) => b.score - a.score)
          .slice(0, RESULTS_MAX);
  found.replaceChildren(
    ...results.map(({ page }) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = `${root}${page.path}.html`;
      link.textContent = page.title;
      const part = document.createElement('small');
      part.textContent = page.part;
      link.append(part);
      item.append(link);
      return item;
    }),
  );
  found.hidden = results.length === 0;
  count.textContent = words.length === 0 ? '' : `${results.length} pages found`;
}

input.addEventListener('input', search);
input.form.addEventListener('submit', (event) => {
  event.preventDefault();
  found.querySelector('a')?.click();
});
document.addEventListener('keydown', (event) => {
  const links = [...found.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement);
  if (event.key === 'Escape') {
    found.hidden = true;
    input.focus();
  } else if (event.key === 'ArrowDown' && (at >= 0 || document.activeElement === input)) {
    event.preventDefault();
    (links[at + 1] ?? links[0])?.focus();
  } else if (event.key === 'ArrowUp' && at >= 0) {
    event.preventDefault();
    (links[at - 1] ?? input).focus();
  } else if (event.key === '/' && !/^(input|textarea)$/i.test(document.activeElement?.tagName ?? '')) {
    event.preventDefault();
    input.focus();
  }
});
document.addEventListener('click', (event) => {
  if (!input.form.contains(event.target)) found.hidden = true;
});
// On a phone the contents would stand before the page.
if (matchMedia('(max-width: 58rem)').matches) document.querySelector('nav details').open = false;
