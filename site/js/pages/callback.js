import { button, linkButton, panel } from '../elements.js';
import { completeSignIn, signIn, whereSignInStarted } from '../identity.js';
import { showProblem } from '../notices.js';
import { content, startPage } from '../page.js';

startPage(async () => {
  const parameters = new URLSearchParams(location.search);
  history.replaceState(null, '', location.pathname); // the code leaves the address bar at once

  const startedAt = whereSignInStarted();
  try {
    location.replace(await completeSignIn(parameters));
  } catch (error) {
    content().replaceChildren(panel({
      title: 'You are not signed in',
      text: error.message,
      actions: [
        button('Sign in again', () => signIn(startedAt).catch((error) => showProblem(error)), 'primary'),
        linkButton('Back to where you were', startedAt, 'secondary'),
      ],
    }));
  }
});
