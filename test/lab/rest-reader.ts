/**
 * `rest-reader.ts <home>`: for each path on a line of standard input, the answer of the REST API of
 * the server of that home on a line of standard output, in order, as `vigocli` gets it. The lab runs
 * one inside its network, so that not every question costs the start of a process.
 */
import { createInterface } from 'node:readline';
import { Client } from '../../admin/cli/client.ts';
import { connectionOf } from '../../admin/cli/connection.ts';

const client = new Client(connectionOf({ home: process.argv[2] ?? '' }, {}));
for await (const path of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await client.get<unknown>(path)));
