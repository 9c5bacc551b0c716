import type { TraitCollector } from './collector.ts';
import { known, readMachineFile } from './machine-file.ts';
import { parseAssignments } from './os.ts';

/** locale.lang, language and lc by locale.conf(5) or Debian's /etc/default/locale. */
export const localeCollector: TraitCollector = {
  name: 'locale',
  collect: async ({ platform }) => {
    const text =
      (await readMachineFile(platform, '/etc/locale.conf')) ??
      (await readMachineFile(platform, '/etc/default/locale')) ??
      '';
    const values = parseAssignments(text);
    const categories = [...values].filter(([name]) => name.startsWith('LC_'));
    const named = categories.map(([name, value]) => [name.slice(3).toLowerCase(), value] as const);
    return known({
      lang: values.get('LANG') ?? 'C',
      language: values.get('LANGUAGE'),
      lc: Object.fromEntries(named),
    });
  },
};
