// DynamoDB for both functions, by the AWS SDK: clients made as the module loads, with Till's time limits.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { marshall } from '@aws-sdk/util-dynamodb';

const limits = { requestHandler: { connectionTimeout: 1000, requestTimeout: 2000 } };
export const { PRODUCTS_TABLE: PRODUCTS, PURCHASES_TABLE: PURCHASES, OUTBOX_TABLE: OUTBOX } = process.env;
export const dynamodb = new DynamoDBClient(limits);
export const DAY = 24 * 3600;

export async function secret(variable) {
  const Name = process.env[`${variable}_PARAMETER`];
  const answer = await new SSMClient(limits).send(new GetParameterCommand({ Name, WithDecryption: true }));
  return answer.Parameter.Value;
}

export function put(TableName, item, ConditionExpression, values, names) {
  const Put = { TableName, Item: marshall(item), ConditionExpression, ExpressionAttributeNames: names };
  if (values) Put.ExpressionAttributeValues = marshall(values);
  return { Put };
}

/** The purchase's next version, on condition that nobody else has written it. */
export function replace(purchase) {
  const read = purchase.version;
  purchase.version += 1;
  return put(PURCHASES, purchase, 'version = :version', { ':version': read });
}
