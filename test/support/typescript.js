// Lets plain Node run the sources: `node --import ./test/support/typescript.js file.ts`. For the
// processes that tests start, and for Jest's global set-up, which Jest does not transform.
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);
