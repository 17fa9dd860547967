// A real OpenID provider for the tests: node server.mjs PORT REDIRECT_URI…
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [port, ...redirectUris] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const TENANT = '6d0c4d1e-7a55-4a53-9d3c-2f6a8a1f0b11';

const signingKey = (kid, alg, type, options) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
};

const people = {
  ana: { email: 'ana@example.com', email_verified: true, name: 'Ana' },
  eve: { email: 'ana@example.com', email_verified: false, name: 'Eve' },
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'service',
      client_secret: 'secret-of-the-service',
      redirect_uris: redirectUris,
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
    {
      client_id: 'machine',
      client_secret: 'secret-of-the-machine',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: (_, id) =>
    people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  extraTokenClaims: () => ({ tenant_id: TENANT }),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'notes:read',
        audience: 'urn:service',
        accessTokenTTL: 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  jwks: {
    keys: [
      signingKey('rsa', 'RS256', 'rsa', { modulusLength: 2048 }),
      signingKey('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
    ],
  },
  cookies: { keys: ['the-tests-need-no-secret-here'] },
});

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
