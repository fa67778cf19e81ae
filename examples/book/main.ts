// `npm run book`: writes the book to build/book, or to the folder that is given.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bookPages } from './pages.ts';
import { writeSite } from './site/write-site.ts';

const [to] = process.argv.slice(2);
const folder = to === undefined ? fileURLToPath(new URL('../../build/book', import.meta.url)) : resolve(to);
const pages = bookPages();
writeSite(pages, folder);
process.stdout.write(`${pages.length} pages in ${folder}; open ${folder}/index.html\n`);
