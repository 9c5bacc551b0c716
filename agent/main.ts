import { vigo } from './commands/program.ts';
import { nodeParts } from './node-parts.ts';
import { runProgram } from './platform/program.ts';

await runProgram((io) => vigo(io, nodeParts));
