import { loadFrame } from '../page.js';
import { siteUrl } from '../urls.js';

/** A product may be newer than the pages that `till site build` wrote; the page that fetches it knows it. */
const unwritten = /\/p\/([\w.-]{1,64})\.html$/.exec(location.pathname);

if (unwritten) location.replace(`${siteUrl('product.html').href}?id=${unwritten[1]}`);
else loadFrame().catch(() => {}); // It says in English that the page is not there, which will do.
