/**
 * Who is signed in, through OpenID Connect: authorization code with PKCE, as a
 * public client. The API's bearer token is the ID token (it carries the email);
 * the API checks its signature, here it comes straight from the issuer.
 */
import { loadConfig } from './config.js';
import { forgetEverything, tab } from './storage.js';
import { t } from './texts.js';
import { secureUrl, siteUrl } from './urls.js';

const SESSION = 'session';
const ATTEMPT = 'sign-in';
const CLOCK_SKEW_SECONDS = 30;

/** Emits `change` when an answer from the API signs the buyer out. */
export const identityEvents = new EventTarget();

/** Signing in did not work; the message tells the buyer why. */
class SignInError extends Error {}

/** `{ email, token }` of the buyer, or null when signed out or no longer valid. */
export function signedInAs() {
  const session = tab.recall(SESSION);
  return session && session.expires > nowInSeconds() + CLOCK_SKEW_SECONDS ? session : null;
}

/** Leaves for the issuer's sign-in page, to come back to `returnTo`. */
export async function signIn(returnTo = location.href) {
  const { clientId } = await loadConfig();
  const { authorization_endpoint: endpoint } = await discover();
  const attempt = { state: randomText(), nonce: randomText(), verifier: randomText(), returnTo };
  tab.remember(ATTEMPT, attempt);

  location.assign(withParameters(endpoint, {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: siteUrl('callback.html').href,
    scope: 'openid email',
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await sha256(attempt.verifier),
    code_challenge_method: 'S256',
  }));
}

/**
 * Finishes a sign-in from the parameters the issuer sent to `callback.html`
 * and returns where the buyer was before.
 */
export async function completeSignIn(parameters) {
  const attempt = tab.recall(ATTEMPT);
  tab.forget(ATTEMPT);
  if (!attempt && signedInAs()) return siteUrl('index.html').href;
  if (!attempt || parameters.get('state') !== attempt.state) {
    throw new SignInError(t('sign_in.not_started'));
  }
  if (parameters.get('error') === 'access_denied') throw new SignInError(t('sign_in.cancelled'));
  if (!parameters.has('code')) {
    throw new SignInError(t('sign_in.refused', { error: parameters.get('error') ?? t('sign_in.no_code') }));
  }

  const token = await redeem(parameters.get('code'), attempt.verifier);
  const claims = await checkedClaims(token, attempt.nonce);
  tab.remember(SESSION, { token, email: claims.email, expires: claims.exp });
  return placeOnThisSite(attempt.returnTo);
}

/** Where the unfinished sign-in was started, so that it can be started again. */
export function whereSignInStarted() {
  return placeOnThisSite(tab.recall(ATTEMPT)?.returnTo);
}

/** Forgets the session in this tab only: the API did not accept its token. */
export function signOutHere() {
  tab.forget(SESSION);
  identityEvents.dispatchEvent(new Event('change'));
}

/** Signs out here and at the issuer, if it offers that. */
export async function signOut() {
  forgetEverything();
  const { clientId } = await loadConfig();
  const home = siteUrl('index.html').href;
  const { end_session_endpoint: endpoint } = await discover().catch(() => ({}));
  location.assign(endpoint
    // `logout_uri` is Amazon Cognito's name for the standard parameter before
    // it. No `id_token_hint`: tokens do not belong in URLs.
    ? withParameters(endpoint, { client_id: clientId, post_logout_redirect_uri: home, logout_uri: home })
    : home);
}

async function discover() {
  const { issuer } = await loadConfig();
  const metadata = await fetchJson(`${issuer}/.well-known/openid-configuration`);
  if (withoutTrailingSlash(metadata.issuer) !== issuer) {
    throw new SignInError(t('sign_in.other_service'));
  }
  return metadata;
}

async function redeem(code, verifier) {
  const { clientId } = await loadConfig();
  const { token_endpoint: endpoint } = await discover();
  const answer = await fetchJson(requireSecure(endpoint), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: siteUrl('callback.html').href,
      code,
      code_verifier: verifier,
    }),
  });
  return answer.id_token;
}

/** The checks OpenID Connect requires of a client whose token came over TLS from the issuer. */
async function checkedClaims(token, nonce) {
  const { issuer, clientId } = await loadConfig();
  const claims = readClaims(token);
  const valid = withoutTrailingSlash(claims?.iss) === issuer
    && [claims.aud].flat().includes(clientId)
    && claims.nonce === nonce
    && claims.exp > nowInSeconds();
  if (!valid) throw new SignInError(t('sign_in.other_token'));
  return claims;
}

function readClaims(token) {
  try {
    const base64 = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

async function fetchJson(url, init) {
  const response = await fetch(url, init).catch(() => null);
  const content = await response?.json().catch(() => null);
  if (!response?.ok || !content) {
    throw new SignInError(t('sign_in.unreachable'));
  }
  return content;
}

function withParameters(endpoint, parameters) {
  const url = requireSecure(endpoint);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

function requireSecure(endpoint) {
  const url = secureUrl(endpoint);
  if (!url) throw new SignInError(t('sign_in.not_secure'));
  return url;
}

function placeOnThisSite(address) {
  const home = siteUrl('index.html');
  return address && new URL(address, home).origin === home.origin ? address : home.href;
}

function randomText() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function sha256(text) {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function withoutTrailingSlash(address) {
  return address?.replace(/\/+$/, '');
}

function nowInSeconds() {
  return Date.now() / 1000;
}
