// Starts the demo as a stranger does, on free ports, and talks to the simulated gateway's control API.
import { spawn } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const startWithin = 30_000;

export const startDemo = () => start("GAGE_ADMIN");

// startMovable is the demo with a clock that can be moved on.
export async function startMovable() {
  const dir = await mkdtemp(join(tmpdir(), "gage-clock-"));
  const clock = join(dir, "ahead");
  const ahead = async (hours) => {
    await writeFile(clock + ".new", `${hours}h`);
    await rename(clock + ".new", clock);
  };
  await ahead(0);
  const demo = await start("GAGE_ADMIN_MOVABLE", { GAGE_CLOCK_AHEAD: clock });
  return {
    ...demo,
    ahead,
    async stop() {
      await demo.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function start(binary, env = {}) {
  const admin = process.env[binary];
  if (!admin) throw new Error(binary + " names no binary: run these tests with GAGE_E2E=1 go test ./e2e");
  const data = await mkdtemp(join(tmpdir(), "gage-e2e-"));
  const child = spawn(admin, ["demo", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0", "--data", data], { env: { ...process.env, ...env } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let said = "";
  let complained = "";
  child.stderr.on("data", (chunk) => (complained += chunk));
  const sites = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the demo did not start: ${said}${complained}`)), startWithin);
    child.once("exit", (code) => reject(new Error(`the demo ended with ${code}: ${complained}`)));
    child.stdout.on("data", (chunk) => {
      said += chunk;
      const shop = /구매자 결제\s+(http:\/\/[\d.:]+)/.exec(said)?.[1];
      const gateway = /모의 PG\s+(http:\/\/[\d.:]+)/.exec(said)?.[1];
      if (!shop || !gateway) return;
      clearTimeout(late);
      resolve({ shop, gateway });
    });
  });
  return {
    ...sites,
    fault: (name, scope = "next") => order(sites.gateway, "faults", { fault: name, scope }),
    deposit: (tid, amt = 0) => order(sites.gateway, "deposit", { tid, amt }), // 0: the amount asked for
    state: async () => (await fetch(sites.gateway + "/control/api/state")).json(),
    async stop() {
      child.kill("SIGTERM");
      const code = await ended;
      await rm(data, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the demo stopped with ${code}: ${complained}`);
    },
  };
}

async function order(gateway, what, body) {
  const answer = await fetch(`${gateway}/control/api/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${what}: HTTP ${answer.status} ${await answer.text()}`);
}
