/**
 * Scenes of browser.mjs with the dashboard of a deployed shop. CloudFormation, CloudWatch and Parameter Store are played
 * here; the tables are those of the shop on this machine, and Stripe is its stand-in.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const OFF = 'till-eu-WebhookFails';
const SINCE = Date.UTC(2026, 10, 24, 9, 30) / 1000;
const ALARMS = [
  { AlarmName: OFF, StateValue: 'ALARM', StateUpdatedTimestamp: SINCE, AlarmDescription: 'The webhook answered with 5xx',
    StateReason: 'Threshold Crossed: 1 datapoint [3.0 (24/11/26 09:25:00)] was greater than the threshold (0.0).' },
  { AlarmName: 'till-eu-EventsParked', StateValue: 'OK', StateUpdatedTimestamp: SINCE, StateReason: 'none' },
  { AlarmName: 'till-eu-MailFails', StateValue: 'INSUFFICIENT_DATA', StateUpdatedTimestamp: SINCE, StateReason: 'none' },
];

/** `tools` are what browser.mjs does and where its things are. */
export function stackScenes(tools) {
  const { shop, axe, buy, fits, screenshot } = tools;

  return {
    async 'the dashboard of a deployed shop shows, finds and refunds, and tells of its alarms'(page) {
      const id = await buy(page, 'sample-mug');
      const deployed = await deploy('test');
      try {
        await page.goto(deployed.entrance);
        assert.equal(page.url(), `${deployed.origin}/`, 'the address keeps the secret');
        await page.getByText('till-eu · test mode · eu-central-1').waitFor();
        await page.getByLabel('Find a purchase or a subscription').fill(id.slice(-8));
        await page.keyboard.press('Enter');
        await page.locator('#search').getByText('One was found.').waitFor();
        await page.locator('#search').getByRole('link', { name: /Stoneware mug/ }).click();
        const story = page.locator('#purchases .story');
        await story.getByText(id).first().waitFor();
        await story.getByLabel('Amount to refund, in USD').fill('5.00');
        await story.getByRole('button', { name: 'Refund', exact: true }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Refund 5.00 USD' }).click();
        await page.getByText('Stripe made the refund of 5.00 USD').waitFor();
        await story.getByText('partially refunded').first().waitFor();

        const unsent = page.locator('#unsent');
        await unsent.scrollIntoViewIfNeeded();
        await unsent.getByText('All mail has been sent.').waitFor();
        const read = await page.evaluate(async () => (await (await fetch('mails.json')).json()).read.at);
        // It is told to the second.
        await page.waitForTimeout(1100);
        const again = page.waitForResponse((answer) => answer.url().endsWith('/mails.json') && answer.status() === 200);
        await unsent.getByRole('button', { name: 'Read again' }).click();
        assert.notEqual((await (await again).json()).read.at, read, 'what was kept is shown as if it were new');
        await page.locator('#alarms').getByText('1 of 3 has gone off.').waitFor();
        await page.locator('#alarms').getByText(OFF).waitFor();
        await page.getByRole('button', { name: 'Examine the shop' }).click();
        await page.locator('#doctor .facts li').nth(5).waitFor();
        for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']]) {
          await page.setViewportSize({ width, height: 800 });
          await page.emulateMedia({ colorScheme });
          await fits(page, 'the dashboard of a deployed shop');
          await axe(page, `the dashboard of a deployed shop at ${width} px, ${colorScheme}`);
          await screenshot(page, `deployed-${width}-${colorScheme}`);
        }
      } finally {
        await deployed.close();
      }
    },

    async 'whoever comes to it by a link goes on from there, and strangers do not'(page, open, { inLanguage }) {
      const deployed = await deploy('test');
      const link = `${deployed.origin}/?q=nobody`;
      try {
        const stranger = await inLanguage('en-US');
        await stranger.goto(link);
        await stranger.getByRole('heading', { name: 'Not from here' }).waitFor();
        await fits(stranger, 'the refusal');
        await axe(stranger, 'the refusal');
        await screenshot(stranger, 'deployed-refused');
        await stranger.setViewportSize({ width: 320, height: 800 });
        await stranger.emulateMedia({ colorScheme: 'dark' });
        await fits(stranger, 'the refusal');
        await axe(stranger, 'the refusal at 320 px, dark');
        await stranger.getByRole('link', { name: 'go on' }).click();
        await stranger.getByRole('heading', { name: 'Not from here' }).waitFor();

        const friend = await inLanguage('en-US');
        await friend.goto(deployed.entrance);
        await friend.locator('#alarms').getByText(OFF).waitFor();
        // Another port of this machine is another origin on the same site.
        await friend.goto(`${shop}/`);
        await friend.evaluate((address) => location.assign(address), link);
        await friend.getByRole('heading', { name: 'Not from here' }).waitFor();
        await friend.getByRole('link', { name: 'go on' }).click();
        await friend.locator('#alarms').getByText(OFF).waitFor();
        assert.equal(friend.url(), link);
      } finally {
        await deployed.close();
      }
    },

    async 'the dashboard of a live shop cannot be taken for another'(page) {
      const deployed = await deploy('live');
      try {
        await page.goto(deployed.entrance);
        await page.getByText('LIVE · real money').waitFor();
        await page.locator('#alarms').getByText(OFF).waitFor();
        for (const [width, colorScheme] of [[1280, 'light'], [320, 'dark']]) {
          await page.setViewportSize({ width, height: 800 });
          await page.emulateMedia({ colorScheme });
          await fits(page, 'the dashboard of a live shop');
          await axe(page, `the dashboard of a live shop at ${width} px, ${colorScheme}`);
          await screenshot(page, `live-${width}-${colorScheme}`);
        }
      } finally {
        await deployed.close();
      }
    },
  };

  /** Plays the stack `till-eu`, and opens its dashboard. */
  async function deploy(mode) {
    const aws = createServer((request, response) => answer(request, mode).then(
      ([type, body, status = 200]) => response.writeHead(status, { 'content-type': type }).end(body),
      (error) => { console.error(error); response.writeHead(500).end(); },
    ));
    await new Promise((resolve) => { aws.listen(0, '127.0.0.1', resolve); });
    const till = spawn(
      `${process.env.CARGO_TARGET_DIR}/debug/till`,
      ['dashboard', '--stack', 'till-eu', '--region', 'eu-central-1', '--listen', '0', '--json'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          ...process.env, AWS_ENDPOINT_URL: `http://127.0.0.1:${aws.address().port}`,
          AWS_ACCESS_KEY_ID: 'mine', AWS_SECRET_ACCESS_KEY: 'mine',
          ...(mode === 'test' && { STRIPE_API_BASE: process.env.STRIPE_URL, STRIPE_SECRET_KEY: 'sk_test_local' }),
        },
      },
    );
    const ended = new Promise((resolve) => { till.once('exit', resolve); });
    let told = '';
    for await (const line of createInterface({ input: till.stdout })) {
      told += line;
      if (line === '}') break;
    }
    const { url: entrance } = JSON.parse(told);
    const close = async () => {
      till.kill();
      const code = await ended;
      aws.closeAllConnections();
      aws.close();
      assert.equal(code, 0, 'the dashboard ended badly');
    };
    return { entrance, origin: new URL(entrance).origin, close };
  }

  /** What AWS answers: the content's type, and the content. */
  async function answer(request, mode) {
    const body = Buffer.concat(await request.toArray());
    const target = request.headers['x-amz-target'] ?? '';
    if (target.endsWith('.DescribeAlarms')) return ['application/json', JSON.stringify({ MetricAlarms: ALARMS })];
    if (target.startsWith('DynamoDB_')) return dynamodb(request.headers, body);
    const form = new URLSearchParams(body.toString());
    if (form.get('Action') === 'DescribeStacks') return ['text/xml', described(mode)];
    if (form.get('Action') === 'ListStackResources') return ['text/xml', resources()];
    // Whoever operates a shop may not look at everything.
    return ['application/json', JSON.stringify({ __type: 'AccessDeniedException', message: 'You are not authorized' }), 403];
  }

  /** As the shop on this machine has it, whose tables are in an account of its own. */
  async function dynamodb({ 'x-amz-target': target, 'x-amz-date': date }, body) {
    const authorization = 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, '
      + 'SignedHeaders=host, Signature=00';
    const headers = {
      'x-amz-target': target, 'x-amz-date': date, 'content-type': 'application/x-amz-json-1.0', authorization,
    };
    const answered = await fetch(process.env.AWS_URL, { method: 'POST', headers, body });
    return ['application/x-amz-json-1.0', Buffer.from(await answered.arrayBuffer()), answered.status];
  }

  function described(mode) {
    const outputs = {
      StackTag: 'till', ProductsTable: 'ProductsTable', PurchasesTable: 'PurchasesTable', OutboxTable: 'OutboxTable',
      StripeSecretKeyParameter: '/till/till-eu/stripe-secret-key', WebhookUrl: `${shop}/webhook`, ApiUrl: shop,
      StripeWebhookSecretsParameter: '/till/till-eu/stripe-webhook-secrets', SiteAddress: shop,
      SiteConfig: JSON.stringify({ issuer: `${shop}/_local/identity`, client_id: 'till-local' }).replaceAll('"', '&quot;'),
    };
    const parameters = { Mode: mode, ShopName: 'Till', MailFrom: 'shop@example.com', DeveloperEmail: 'dev@example.com' };
    return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>
      <member><StackName>till-eu</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>
      <StackId>arn:aws:cloudformation:eu-central-1:123456789012:stack/till-eu/1</StackId>
      <CreationTime>2026-01-01T00:00:00Z</CreationTime>
      <Parameters>${members('Parameter', parameters)}</Parameters><Outputs>${members('Output', outputs)}</Outputs>
      </member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
  }

  function members(kind, values) {
    return Object.entries(values).map(([key, value]) =>
      `<member><${kind}Key>${key}</${kind}Key><${kind}Value>${value}</${kind}Value></member>`).join('');
  }

  function resources() {
    const all = ALARMS.map(({ AlarmName: name }) =>
      `<member><LogicalResourceId>${name.replace('till-eu-', '')}</LogicalResourceId><PhysicalResourceId>${name}</PhysicalResourceId>
       <ResourceType>AWS::CloudWatch::Alarm</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>
       <LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>`);
    return `<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListStackResourcesResult>
      <StackResourceSummaries>${all.join('')}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`;
  }
}
