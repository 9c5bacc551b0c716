import t from 'tap';
import { Mailbox } from '../../runtime/mailbox.ts';
import { fc } from '../support/property.ts';

t.test('a mailbox is a queue that never exceeds its limit', async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant('push' as const) },
    { weight: 4, arbitrary: fc.constant('shift' as const) },
    { weight: 1, arbitrary: fc.constant('drain' as const) },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(step, { maxLength: 200 }),
      (limit, steps) => {
        const mailbox = new Mailbox<number>(limit);
        const model: number[] = [];
        steps.forEach((what, index) => {
          if (what === 'push') {
            const taken = mailbox.push(index);
            if (taken !== model.length < limit) throw new Error('refusal differs');
            if (taken) model.push(index);
          } else if (what === 'shift') {
            if (mailbox.shift() !== model.shift()) throw new Error('order differs');
          } else if (JSON.stringify(mailbox.drain()) !== JSON.stringify(model.splice(0))) {
            throw new Error('drain differs');
          }
          if (mailbox.length !== model.length) throw new Error('length differs');
        });
      },
    ),
  );
});
