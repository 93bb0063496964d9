/** Finding products among those that are loaded. */

/** Whether all of these words are somewhere in what the product says of itself. */
export function matches({ name, description = '', category = '', options = {} }, words) {
  const said = plain([name, description, category, ...Object.values(options)].join(' '));
  return plain(words).split(/\s+/).every((word) => said.includes(word));
}

/** For a filter: lets the first product of each group pass, and every product that is in none. */
export function oncePerGroup() {
  const seen = new Set();
  return ({ group }) => {
    if (group === undefined) return true;
    if (seen.has(group)) return false;
    seen.add(group);
    return true;
  };
}

/** Without capitals and accents: who looks for "cafe" finds "Café". */
function plain(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
