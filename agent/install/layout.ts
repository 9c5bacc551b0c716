/** Where the installed agent lies on a Unix machine; docs/install.md explains the choice. */
export const serviceName = 'vigo-envoy';
/** One directory per version, and the link that names the one that runs. */
export const programDirectory = '/usr/local/lib/vigo';
export const currentLink = `${programDirectory}/current`;
export const commandLink = '/usr/local/bin/vigo';
export const commandTarget = '../lib/vigo/current/vigo';
/** What service files start. */
export const currentProgram = `${currentLink}/vigo`;
/** Where there is no journal. */
export const logFile = '/var/log/vigo-envoy.log';
export const pidFile = '/run/vigo-envoy.pid';
export const logRotation = '/etc/logrotate.d/vigo-envoy';

/** A directory below `programDirectory` that holds a version. */
export const versionPattern = /^\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/;

export function versionDirectory(version: string): string {
  return `${programDirectory}/${version}`;
}
