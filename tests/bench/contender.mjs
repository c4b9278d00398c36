// The same for proper-lockfile: node contender.mjs MODE PATH NODE_MODULES
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { writeFileSync } from "node:fs";
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

// "forever": a number of retries large enough would cost milliseconds, because each attempt lists all its pauses first.
const retries = { forever: true, retries: 10, minTimeout: 5, maxTimeout: 50, factor: 1.2, randomize: true };
const nap = new Int32Array(new SharedArrayBuffer(4));

// The library's default is to resolve the path first, which needs the file to be there.
const realpath = !mode.endsWith("unresolved");

async function take(waiting) {
  if (mode.startsWith("async")) return await library.lock(path, waiting ? { realpath, retries } : { realpath });
  for (;;) {
    try {
      return library.lockSync(path, { realpath }); // this form knows no retries
    } catch (error) {
      if (error.code !== "ELOCKED") throw error;
      Atomics.wait(nap, 0, 0, 2 + 6 * Math.random());
    }
  }
}

async function turn(waiting) {
  const began = performance.now();
  const leave = await take(waiting);
  const waited = performance.now() - began;
  if (mode.startsWith("async")) await leave();
  else leave();
  return [waited * 1000, (performance.now() - began) * 1000];
}

async function answer(told) {
  if (told.chunk) {
    const times = [];
    for (let number = 0; number < told.chunk; number++) times.push((await turn(false))[1]);
    return times;
  }
  const waits = [];
  let turns = 0;
  const ends = performance.now() + told.seconds * 1000;
  while (performance.now() < ends) {
    waits.push(Math.round((await turn(true))[0]));
    turns += performance.now() < ends ? 1 : 0;
  }
  return { turns, waits };
}

writeFileSync(path, "", { flag: "a" });
await turn(true);
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) say(await answer(JSON.parse(line)));
process.exit(0);
