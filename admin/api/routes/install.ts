import { Type } from 'typebox';
import { AdminError } from '../../errors.ts';
import { StreamBody } from '../http-edge.ts';
import { hostInUrl, hostPattern } from '../install/command.ts';
import { bootstrapScript } from '../install/script.ts';
import { releaseFilePattern } from '../install/source.ts';
import { route } from '../route.ts';
import { nothing } from '../schemas.ts';

/** For machines that have no token yet; neither answer holds a secret. */
export const installRoutes = [
  route({
    method: 'GET',
    path: '/bootstrap',
    summary: 'The script that installs and enrolls the agent, for curl | sudo sh',
    access: 'public',
    mediaType: 'text/x-shellscript; charset=utf-8',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend: { install }, host }) => {
      const { address, apiPort, grpcPort, pin } = install;
      const { name, port } = hostOf(host) ?? { name: address, port: apiPort };
      return bootstrapScript({
        base: `https://${hostInUrl(name)}:${port}`,
        server: `${hostInUrl(name)}:${grpcPort}`,
        pin,
        releases: await install.releases(),
      });
    },
  }),
  route({
    method: 'GET',
    path: '/agent/{file}',
    summary: "One of the agent's programs, compressed, or what describes it",
    access: 'public',
    mediaType: 'application/octet-stream',
    parameters: Type.Object({ file: Type.String({ pattern: releaseFilePattern.source }) }),
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => {
      const { bytes, stream } = await backend.install.open(parameters.file);
      return new StreamBody(bytes, stream);
    },
  }),
];

/** The Host header, which ends up in a script; undefined when there is none. */
function hostOf(header: string | undefined): { name: string; port: number } | undefined {
  if (header === undefined) return undefined;
  const [, bracketed, plain, digits = '443'] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(header) ?? [];
  const name = bracketed ?? plain ?? '';
  if (!new RegExp(hostPattern).test(name))
    throw new AdminError('API_BAD_REQUEST', 'the Host header names no host');
  return { name, port: Number(digits) };
}
