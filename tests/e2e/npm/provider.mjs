// A real OpenID provider on loopback for one test: whoever signs in is whom he says he is.
import * as oidc from 'oidc-provider';

const [port, client, secret, callback, afterwards] = process.argv.slice(2);
const provider = new oidc.Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: client,
    client_secret: secret,
    redirect_uris: [callback],
    post_logout_redirect_uris: [afterwards],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  cookies: { keys: ['for this test alone'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
  pkce: { required: () => true },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, preferred_username: id }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
