import { AgentError } from '../errors.ts';
import type { Platform } from '../platform/platform.ts';
import type { ServiceManager } from '../platform/services/service-manager.ts';
import { motdBanner, profileBanner } from './login-banner.ts';
import { currentVersion, type ProgramFile, placeProgram, removeOldVersions } from './program.ts';
import { enableService, startService } from './service.ts';
import { InstallTree } from './tree.ts';
import { Undo } from './undo.ts';

export interface Installation {
  /** Show the short status to whoever logs in. */
  readonly banner: boolean;
  readonly platform: Platform;
  readonly program: ProgramFile;
  /** Undefined: no service is wanted. */
  readonly manager: ServiceManager | undefined;
  /** Makes this machine an envoy, or finds that it is one; true when its identity is a new one. */
  readonly enroll: () => Promise<boolean>;
}

/**
 * Puts program, identity and service on the machine. Whatever fails, the files are as before; only
 * an identity that the server has given already stays, so that the same call works again. Resolves
 * to whether anything changed. Throws what `enroll` throws, and AGENT_INSTALL_*.
 */
export async function installAgent(installation: Installation): Promise<boolean> {
  const { platform, program, manager } = installation;
  const undo = new Undo();
  const tree = new InstallTree(platform, undo);
  try {
    const former = await currentVersion(platform);
    const placed = await placeProgram(platform, tree, program);
    const enrolled = await installation.enroll();
    let served = false;
    if (manager !== undefined) {
      served = await enableService(platform, manager, tree, undo);
      await startService(manager, placed || enrolled || served);
    }
    if (installation.banner) await placeBanner(tree);
    await removeOldVersions(platform, [program.version, former ?? program.version]);
    return placed || enrolled || served;
  } catch (error) {
    const failures = await undo.run();
    if (error instanceof AgentError && failures.length === 0) throw error;
    const cause = error instanceof Error ? error.message : String(error);
    const left = failures.length === 0 ? '' : `; not taken back: ${failures.join('; ')}`;
    throw new AgentError('AGENT_INSTALL_FAILED', `${cause}${left}`, { cause: error });
  }
}

/** By the first of the ways that this system has. */
async function placeBanner(tree: InstallTree): Promise<void> {
  for (const { path, text, mode } of [motdBanner, profileBanner]) {
    if (!(await tree.isDirectory(path.slice(0, path.lastIndexOf('/'))))) continue;
    await tree.text(path, text, mode);
    return;
  }
}
