// A browser with a profile of its own, and a folder for its pictures.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

/** Calls `work` with a browser that keeps nothing afterwards. MINDFLOW_TEST_CHROMIUM names it. */
export async function withBrowser(work) {
  const profile = await mkdtemp(join(tmpdir(), "mindflow-chromium-"));
  // The switches keep the browser itself from calling its maker; its sandbox does not work for root.
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.MINDFLOW_TEST_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    return await work(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Takes pictures into MINDFLOW_TEST_SCREENSHOTS, or none when that is not set. */
export async function camera() {
  const folder = process.env.MINDFLOW_TEST_SCREENSHOTS;
  if (!folder) return async () => {};
  await mkdir(folder, { recursive: true });
  return (page, name) => page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
