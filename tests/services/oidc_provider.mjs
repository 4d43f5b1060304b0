// An OpenID provider for tests: oidc-provider, a certified implementation, with people who log in by
// their names alone. It listens on 127.0.0.1 and reads one JSON object from standard input:
//   port     where to listen; the issuer is http://127.0.0.1:PORT
//   clients  as oidc-provider takes them (client_id, client_secret, redirect_uris, ...)
//   people   leads from the name (the claim "sub") to all claims
// What the ID token does not have (all but "sub", for clients that get an access token) is at the
// userinfo endpoint. PKCE with S256 is demanded in each code flow. Every page is plain HTML without
// scripts and without anything from other places.
import { text } from 'node:stream/consumers';

import { exportJWK, generateKeyPair } from 'jose';
import Provider, { interactionPolicy } from 'oidc-provider';

const { port, clients, people } = JSON.parse(await text(process.stdin));
const issuer = `http://127.0.0.1:${port}`;

const escaped = (value) =>
  String(value).replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
const page = (title, body) =>
  `<!DOCTYPE html><html lang="en"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${body}`;

async function signingKeys() {
  const found = [];
  for (const alg of ['RS256', 'ES256']) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    found.push({ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `test-${alg}` });
  }
  return found;
}

// The devices' pages, whose own versions load fonts from the internet.
const deviceFlow = {
  enabled: true,
  async userCodeInputSource(ctx, form, out, error) {
    const told = error ? '<p role="alert">That code is wrong.</p>' : '';
    ctx.body = page(
      'Enter the code of your device',
      `${told}${form}<button type="submit" form="op.deviceInputForm">Continue</button>`,
    );
  },
  async userCodeConfirmSource(ctx, form, client, device, userCode) {
    ctx.body = page(
      'Confirm your device',
      `<p>${escaped(userCode)}</p>${form}` +
        '<button type="submit" form="op.deviceConfirmForm">Continue</button>' +
        '<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">Abort</button>',
    );
  },
  async successSource(ctx) {
    ctx.body = page('Your device is logged in', '');
  },
};

// Who has logged in is not asked again for each native client.
const policy = interactionPolicy.base();
policy.get('consent').checks.remove('native_client_prompt');

const provider = new Provider(issuer, {
  clients,
  jwks: { keys: await signingKeys() },
  cookies: { keys: ['only for tests'] },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name'],
    groups: ['groups'],
    everything: [...new Set(Object.values(people).flatMap(Object.keys))],
  },
  scopes: ['openid', 'offline_access'],
  responseTypes: ['code', 'id_token', 'code id_token'],
  pkce: { methods: ['S256'], required: () => true },
  features: {
    devInteractions: { enabled: false },
    deviceFlow,
    userinfo: { enabled: true },
  },
  interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  ttl: { Session: 600, Interaction: 600, Grant: 600, IdToken: 600, AccessToken: 600, DeviceCode: 600 },
  async findAccount(ctx, sub) {
    const claims = people[sub];
    return claims && { accountId: sub, claims: async () => ({ sub, ...claims }) };
  },
  async loadExistingGrant(ctx) {
    // everybody agrees to everything that the client asks for
    const grant = new provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope([...ctx.oidc.requestParamScopes].join(' '));
    await grant.save();
    return grant;
  },
  async renderError(ctx, out) {
    ctx.type = 'html';
    ctx.body = page('The provider refuses', `<p>${escaped(JSON.stringify(out))}</p>`);
  },
});

// The login page: a name, or "deny".
provider.use(async (ctx, next) => {
  const [, uid] = /^\/interaction\/([\w-]+)$/.exec(ctx.path) ?? [];
  if (!uid) {
    await next();
    return;
  }
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = page(
      'Log in at the test provider',
      `<form method="post" action="/interaction/${uid}" autocomplete="off">` +
        '<label>Name <input name="login" autofocus></label> <button>Log in</button>' +
        '<button name="deny" value="yes">Deny</button></form>',
    );
    return;
  }
  const form = new URLSearchParams(await text(ctx.req));
  const login = form.get('login') ?? '';
  const result =
    form.has('deny') || !(login in people)
      ? { error: 'access_denied', error_description: '<script>alert("not you")</script>' }
      : { login: { accountId: login } };
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
  ctx.respond = false;
});

provider.listen(port, '127.0.0.1');
