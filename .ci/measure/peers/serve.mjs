// Lambda's Runtime API, as a loop: the same in both languages, because AWS's client for Node needs a compiler.
import { Agent, request } from 'node:http';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new Agent({ keepAlive: true });

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path: `/2018-06-01/runtime/invocation/${path}`, method, agent }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve([answer.headers, Buffer.concat(parts).toString()]));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

export async function serve(handler) {
  for (;;) {
    const [headers, event] = await ask('GET', 'next');
    const said = JSON.stringify(await handler(JSON.parse(event)));
    await ask('POST', `${headers['lambda-runtime-aws-request-id']}/response`, said);
  }
}
