import { stringify } from 'yaml';
import { type ConfigKey, configKeys, configSections } from './schema.ts';

/** The environment variable that overrides a key: VIGO_CHECKIN_INTERVAL for checkin.interval. */
export function environmentName(path: string): string {
  return `VIGO_${path.replaceAll('.', '_').toUpperCase()}`;
}

/** server.yaml with every key, its meaning and its default, commented out. */
export function sampleConfig(): string {
  const lines = [
    '# server.yaml: settings of vigosrv. Every key is listed with its default; remove the "#" to',
    '# change one. Unknown keys are refused. An environment variable overrides a key',
    '# (VIGO_CHECKIN_INTERVAL for checkin.interval), and a flag overrides both',
    '# (--set checkin.interval=15s). Durations: 500ms, 15s, 5m, 1h30m, 7d.',
  ];
  const keys = configKeys();
  for (const [section, about] of configSections()) {
    lines.push('', ...comment(about), `${section}:`);
    for (const key of keys.filter((candidate) => candidate.section === section)) {
      lines.push(...comment(key.description).map((line) => `  ${line}`));
      lines.push(`  #${key.name}: ${defaultText(key)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function comment(text: string): string[] {
  return text.split('\n').map((line) => `# ${line}`);
}

function defaultText(key: ConfigKey): string {
  return stringify(key.default, { collectionStyle: 'flow' }).trim();
}
