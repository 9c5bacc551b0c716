import type { Command } from 'commander';
import type { OpenSession } from '../../session.ts';
import { addListCommand } from './list.ts';
import { addMaintenanceCommands } from './maintenance.ts';
import { addRevokeCommand } from './revoke.ts';
import { addShowCommands } from './show.ts';
import { addViewCommands } from './views.ts';

export function addEnvoyCommands(program: Command, open: OpenSession): void {
  const envoys = program.command('envoys').description('the machines under management');
  addListCommand(envoys, open);
  addShowCommands(envoys, open);
  addMaintenanceCommands(envoys, open);
  addViewCommands(envoys, open);
  addRevokeCommand(envoys, open);
}
