import { join } from 'node:path';

/** Everything that the demo makes stands below one directory of the working directory. */
export interface DemoLayout {
  readonly top: string;
  /** Home of vigosrv. */
  readonly server: string;
  readonly agentConfig: string;
  readonly agentState: string;
  /** The agent takes this directory for "/". */
  readonly root: string;
  readonly serverLog: string;
  readonly agentLog: string;
}

export function demoLayout(workingDirectory: string): DemoLayout {
  const top = join(workingDirectory, 'demo');
  return {
    top,
    server: join(top, 'server'),
    agentConfig: join(top, 'agent/config'),
    agentState: join(top, 'agent/state'),
    root: join(top, 'root'),
    serverLog: join(top, 'vigosrv.log'),
    agentLog: join(top, 'vigo.log'),
  };
}
