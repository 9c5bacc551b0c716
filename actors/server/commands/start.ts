import {
  type ConfigOverride,
  overridesFromEnvironment,
  overridesFromFlags,
} from '../config/load.ts';
import { startServer } from '../server.ts';

/** An orderly stop that takes longer is cut short. */
const stopLimitMs = 30_000;

export interface StartFlags {
  readonly home: string;
  readonly config?: string;
  readonly grpcListen?: string;
  readonly apiListen?: string;
  readonly shards?: string;
  readonly interval?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
  /** "key=value" */
  readonly set: readonly string[];
}

/** Flags of `vigosrv start` -> the configuration key that each one sets. */
const flagKeys: readonly (readonly [Exclude<keyof StartFlags, 'set'>, string, string])[] = [
  ['grpcListen', '--grpc-listen', 'server.grpc_listen'],
  ['apiListen', '--api-listen', 'server.api_listen'],
  ['shards', '--shards', 'runtime.shards'],
  ['interval', '--interval', 'checkin.interval'],
  ['logLevel', '--log-level', 'log.level'],
  ['logFormat', '--log-format', 'log.format'],
];

/** Serves until SIGTERM or SIGINT; a second signal ends the process at once. */
export async function start(flags: StartFlags): Promise<void> {
  const fromFlags = flagKeys.flatMap(([name, source, path]): ConfigOverride[] => {
    const value = flags[name];
    return value === undefined ? [] : [{ source, path, value }];
  });
  const server = await startServer({
    home: flags.home,
    overrides: [
      ...overridesFromEnvironment(process.env),
      ...overridesFromFlags(flags.set),
      ...fromFlags,
    ],
    ...(flags.config === undefined ? {} : { configFile: flags.config }),
  });
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(signalExitCode);
    stopping = true;
    const limit = setTimeout(() => {
      server.log.error('the orderly stop took too long');
      process.exit(1);
    }, stopLimitMs);
    server.stop().then(
      () => {
        clearTimeout(limit);
        process.exit(0);
      },
      (error: unknown) => {
        server.log.error({ err: error }, 'the orderly stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

const signalExitCode = 130;
