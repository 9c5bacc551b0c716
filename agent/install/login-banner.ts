/** One file that shows the short status at login. */
export interface LoginBanner {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** A login is never held up for longer, seconds. */
const patience = 2;
const program = '/usr/local/bin/vigo';

const show = `if [ -x ${program} ] && command -v timeout >/dev/null 2>&1; then
  timeout ${patience} ${program} status --brief 2>/dev/null || :
fi
`;

/** For systems with pam_motd's directory of scripts (Debian, Ubuntu): run as root at each login. */
export const motdBanner: LoginBanner = {
  path: '/etc/update-motd.d/60-vigo',
  mode: 0o755,
  text: `#!/bin/sh\n# Made by vigo install.\n${show}exit 0\n`,
};

/** For the others: sourced by login shells, as the user; only where somebody is looking. */
export const profileBanner: LoginBanner = {
  path: '/etc/profile.d/vigo.sh',
  mode: 0o644,
  text: `# Made by vigo install.\nif [ -t 1 ]; then\n${show}fi\n`,
};
