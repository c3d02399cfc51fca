// A session whose upstream has not answered yet does not hold up a stop, and says why it ends.
import { expect, it } from '@jest/globals';
import { untilFact } from '../support/facts.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { startGate } from '../support/start-gate.ts';
import { framesOf, reportFields, startupPacket, WireClient } from '../support/wire-client.ts';

it('tells a client that is waiting for its upstream FATAL 57P01 at the deadline', async () => {
  const upstream = await startFakeUpstream({ isSilent: true });
  const gate = await startGate({ dsn: upstream.dsn });
  const client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'tester' }));
  await untilFact(() => upstream.connections === 1, 'the upstream to be dialled');
  await gate.stop(100);
  const frames = framesOf(await client.closed());
  expect(reportFields(frames[0])).toMatchObject({ S: 'FATAL', C: '57P01' });
  await untilFact(() => upstream.connections === 0, 'the upstream to be left');
  await upstream.stop();
});
