import { join, resolve } from 'node:path';

/** Every path under a server's home. The only place that knows them. */
export interface HomeLayout {
  readonly root: string;
  readonly configFile: string;
  readonly stacksDirectory: string;
  /** The copy of the stack that is live, with its history; written by publish. */
  readonly liveDirectory: string;
  readonly tlsDirectory: string;
  readonly caCertificate: string;
  readonly caKey: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly keysDirectory: string;
  /** Ed25519, PKCS#8 PEM. Envoys pin its public half, so it is never made twice. */
  readonly bundleSigningKey: string;
  /** The local administrator's REST token. */
  readonly adminToken: string;
  /** Of the first administrator, until there is an account. */
  readonly setupCode: string;
  readonly databaseDirectory: string;
  readonly database: string;
  /** The agent's programs, for machines that are to be enrolled; docs/install.md. */
  readonly agentsDirectory: string;
  /** LMDB. May be deleted at any time while the server is stopped. */
  readonly stateDirectory: string;
  /** Stacks that people sent, while somebody asks about them. */
  readonly uploadsDirectory: string;
  /** Finished backups; no part of a backup itself. docs/backup.md. */
  readonly backupsDirectory: string;
  /** Of a restore that is under way; a start finishes or forgets it. */
  readonly restoreDirectory: string;
  /** What restores have replaced, one directory each, until somebody removes it. */
  readonly replacedDirectory: string;
  /** Left by a restore for the next start, which tells it to the audit log. */
  readonly restoredFile: string;
  /** Written last by the first start: its presence says that every key file was made. */
  readonly marker: string;
  readonly lock: string;
  readonly pid: string;
  /** Ports and process id of the running server (actors/server/run-file.ts). */
  readonly runFile: string;
}

export function homeLayout(home: string): HomeLayout {
  const root = resolve(home);
  const at = (...parts: string[]): string => join(root, ...parts);
  return {
    root,
    configFile: at('server.yaml'),
    stacksDirectory: at('stacks'),
    liveDirectory: at('.live'),
    tlsDirectory: at('tls'),
    caCertificate: at('tls', 'ca.cert.pem'),
    caKey: at('tls', 'ca.key.pem'),
    serverCertificate: at('tls', 'server.cert.pem'),
    serverKey: at('tls', 'server.key.pem'),
    keysDirectory: at('keys'),
    bundleSigningKey: at('keys', 'bundle-signing.key'),
    adminToken: at('keys', 'admin-token'),
    setupCode: at('keys', 'setup-code'),
    databaseDirectory: at('db'),
    database: at('db', 'vigo.db'),
    agentsDirectory: at('agents'),
    stateDirectory: at('state'),
    uploadsDirectory: at('state', 'uploads'),
    backupsDirectory: at('backups'),
    restoreDirectory: at('.restore'),
    replacedDirectory: at('.replaced'),
    restoredFile: at('restored.json'),
    marker: at('home.json'),
    lock: at('vigosrv.lock'),
    pid: at('vigosrv.pid'),
    runFile: at('run.json'),
  };
}

export function homeDirectories(layout: HomeLayout): string[] {
  return [
    layout.root,
    layout.tlsDirectory,
    layout.keysDirectory,
    layout.databaseDirectory,
    layout.stateDirectory,
    layout.liveDirectory,
    layout.stacksDirectory,
    layout.agentsDirectory,
  ];
}
