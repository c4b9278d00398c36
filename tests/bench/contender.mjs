// The same for proper-lockfile: node contender.mjs MODE PATH NODE_MODULES
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { resolve } from "node:path";

const [mode, path, modules] = process.argv.slice(2);
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");
let library;
try {
  library = createRequire(resolve(modules, "package.json"))("proper-lockfile");
} catch (error) {
  say({ missing: error.code ?? String(error) });
  process.exit(0);
}

const retries = { retries: 100000, minTimeout: 5, maxTimeout: 50, factor: 1.2, randomize: true };
const nap = new Int32Array(new SharedArrayBuffer(4));

async function take() {
  if (mode === "async") return await library.lock(path, { realpath: false, retries });
  for (;;) {
    try {
      return library.lockSync(path, { realpath: false }); // this form knows no retries
    } catch (error) {
      if (error.code !== "ELOCKED") throw error;
      Atomics.wait(nap, 0, 0, 2 + 6 * Math.random());
    }
  }
}

async function turn() {
  const began = performance.now();
  const leave = await take();
  const waited = performance.now() - began;
  if (mode === "async") await leave();
  else leave();
  return [waited * 1000, (performance.now() - began) * 1000];
}

async function answer(told) {
  if (told.chunk) {
    const times = [];
    for (let number = 0; number < told.chunk; number++) times.push((await turn())[1]);
    return times;
  }
  const waits = [];
  let turns = 0;
  const ends = performance.now() + told.seconds * 1000;
  while (performance.now() < ends) {
    waits.push(Math.round((await turn())[0]));
    turns += performance.now() < ends ? 1 : 0;
  }
  return { turns, waits };
}

await turn();
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) say(await answer(JSON.parse(line)));
process.exit(0);
