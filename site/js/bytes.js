import { locale } from './texts.js';

const UNITS = ['gigabyte', 'megabyte', 'kilobyte'];

/** "4.5 MB": how large a file is, in steps of 1024 as files are shown. */
export function formatBytes(bytes) {
  const power = UNITS.findIndex((_, index) => bytes >= 1024 ** (UNITS.length - index));
  const [unit, amount] = power < 0 ? ['byte', bytes] : [UNITS[power], bytes / 1024 ** (UNITS.length - power)];
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, maximumFractionDigits: 1 }).format(amount);
}
