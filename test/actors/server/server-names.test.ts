import t from 'tap';
import { serverNames } from '../../../actors/server/home/server-certificate.ts';

const config = {
  grpcListen: { host: '10.99.0.1', port: 1530 },
  apiListen: { host: '', port: 8443 },
  hostname: '',
  tlsSans: ['Vigo.example.org'],
  drainTimeoutMs: 1,
};

t.test('nodes may dial the address that the server listens on, listed or not', async (t) => {
  const names = serverNames(config, { hostname: 'vm', addresses: ['192.0.2.7'] });
  t.same(names.ip, ['10.99.0.1', '127.0.0.1', '192.0.2.7', '::1']);
  t.same(names.dns, ['localhost', 'vigo.example.org', 'vm']);
});

t.test('nobody dials a wildcard', async (t) => {
  const everywhere = { ...config, grpcListen: { host: '0.0.0.0', port: 1530 } };
  const { ip } = serverNames(
    { ...everywhere, apiListen: { host: '::', port: 1 } },
    { hostname: 'vm', addresses: [] },
  );
  t.same(ip, ['127.0.0.1', '::1']);
});
