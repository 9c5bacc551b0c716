import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes } from './context.ts';

const separate = `Vigo is under the Apache License, Version 2.0. This vigo is not the single program that contains
Node and packages: what it runs on is installed beside it, with its own licences.
`;

export const licensesSpec: CommandSpec = {
  summary: 'show the licences of vigo and of what this program contains',
  operandLimit: 0,
  options: {},
  details: 'It is a long text: vigo licenses | less',
};

export async function runLicenses({ settings, io }: CommandContext): Promise<number> {
  const text = io.licenses?.() ?? separate;
  io.write(settings.json ? `${JSON.stringify({ licenses: text })}\n` : text);
  return exitCodes.done;
}
