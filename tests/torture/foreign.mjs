// A foreign maintenance script, written from the description of the algorithm: exclusive create, write after it, read,
// remove when stale, no guard; on release the token is compared. "newer" does the same within the directory mutex.
// Reads one order per line (JSON), answers with one line: from when to when it believed to hold.

import { randomUUID } from "node:crypto";
import { promises as fs } from "node:fs";
import { createInterface } from "node:readline";

const INHERITED = "NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN";
const TTL = 21600000;
const ABANDONED = 10000;

const now = () => process.hrtime.bigint();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(instant) {
  const left = Number(instant - now()) / 1e6;
  if (left > 2) await pause(left - 1.5);
  while (now() < instant);
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

async function inspect(path) {
  let lease;
  try {
    lease = JSON.parse(await fs.readFile(path, "utf8"));
  } catch (error) {
    return { status: error.code === "ENOENT" ? "missing" : "malformed" };
  }
  if (!lease || !lease.acquiredAt) return { status: "malformed" };
  const over = Date.now() > Date.parse(lease.expiresAt) || !alive(lease.pid);
  return { status: over ? "stale" : "active", lease };
}

async function create(path) {
  const token = randomUUID();
  const at = Date.now();
  const lease = {
    owner: "foreign",
    reason: "manual-cli",
    pid: process.pid,
    token,
    acquiredAt: new Date(at).toISOString(),
    staleAfterMs: TTL,
    expiresAt: new Date(at + TTL).toISOString(),
    metadata: {},
  };
  const file = await fs.open(path, "wx");
  try {
    await file.writeFile(JSON.stringify(lease, null, 2));
  } finally {
    await file.close();
  }
  return token;
}

async function acquire(path) {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      return { status: "acquired", token: await create(path) };
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const seen = await inspect(path);
    if (seen.status === "active") {
      const inherits = process.env[INHERITED] && process.env[INHERITED] === seen.lease.token;
      return { status: inherits ? "inherited" : "held" };
    }
    if (seen.status !== "missing") await fs.rm(path, { force: true });
  }
  return { status: "held" };
}

async function release(path, token) {
  const seen = await inspect(path);
  if (!seen.lease) return "missing";
  if (seen.lease.token !== token) return "not-owner";
  await fs.rm(path, { force: true });
  return "released";
}

async function abandoned(guard) {
  try {
    const names = await fs.readdir(guard);
    const times = await Promise.all(names.map(async (name) => (await fs.stat(`${guard}/${name}`)).mtimeMs));
    if (!names.length || Date.now() - Math.max(...times) < ABANDONED) return;
    for (const name of names) await fs.unlink(`${guard}/${name}`);
    await fs.rmdir(guard);
  } catch {
    return;
  }
}

async function guarded(path, change) {
  const guard = `${path}.lifecycle-guard`;
  const id = randomUUID();
  const entry = `${guard}.enter-${id}`;
  await fs.mkdir(entry);
  await fs.writeFile(`${entry}/owner-${id}`, "");
  for (;;) {
    try {
      await fs.rename(entry, guard);
      break;
    } catch (error) {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    }
    await abandoned(guard);
    await pause(1);
  }
  try {
    return await change();
  } finally {
    await fs.unlink(`${guard}/owner-${id}`);
    // The next entrant may have renamed its folder onto the empty one already.
    await fs.rmdir(guard).catch(() => {});
  }
}

async function play({ path, at, hold, version }) {
  const within = version === "newer" ? (change) => guarded(path, change) : (change) => change();
  await until(BigInt(at));
  const got = await within(() => acquire(path));
  if (!got.token) return { status: got.status };
  const begin = now();
  await until(begin + BigInt(hold));
  const end = now();
  const left = await within(() => release(path, got.token));
  return { status: got.status, begin: `${begin}`, end: `${end}`, left };
}

async function keep({ path }) {
  const got = await acquire(path);
  return { ...got, pid: process.pid, leave: () => release(path, got.token) };
}

let leave = null;
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  try {
    if (order.do === "keep") {
      ({ leave, ...answer } = await keep(order));
    } else if (order.do === "leave") {
      answer = { left: await leave() };
    } else {
      answer = await play(order);
    }
  } catch (error) {
    answer = { status: "error", detail: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
