import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { backupNamePattern } from '../../actors/backup/messages.ts';
import { AdminError } from '../errors.ts';
import { StreamBody } from './http-edge.ts';

/** The finished backups on this machine, to be sent as they are. */
export interface BackupFiles {
  /** Rejects with API_NOT_FOUND. */
  open(name: string): Promise<StreamBody>;
}

export function backupFiles(directory: string): BackupFiles {
  return {
    open: async (name) => {
      const path = join(directory, name);
      const stats = backupNamePattern.test(name)
        ? await stat(path).catch(() => undefined)
        : undefined;
      if (stats === undefined) throw new AdminError('API_NOT_FOUND', `backup ${name}`);
      return new StreamBody(stats.size, createReadStream(path));
    },
  };
}
