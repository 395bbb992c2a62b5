// Builds each view into one document that needs nothing from anywhere: `node build.ts`.
// With `--check`, builds beside the committed documents and fails when one of them differs.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, type Rolldown } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const committed = join(here, "dist");

const VIEWS = { "task-card": "MindFlow: task", "best-task": "MindFlow: what to do now", "task-list": "MindFlow: tasks" };
/** Chat hosts give up on large documents; these should never come near. */
const LARGEST_BYTES = 60 * 1024;

/** The script and the styles of a view, minified. */
async function bundle(view: string): Promise<{ script: string; styles: string }> {
  const built = await build({
    configFile: false,
    root: here,
    logLevel: "warn",
    build: {
      write: false,
      target: "es2022",
      cssTarget: "esnext",
      cssCodeSplit: false,
      modulePreload: false,
      rolldownOptions: { input: join(here, "src/views", `${view}.ts`), output: { format: "iife" } },
    },
  });
  const outputs = [built].flat() as Rolldown.RolldownOutput[];
  const files = outputs.flatMap((each) => each.output);
  const text = (file: (typeof files)[number]): string => (file.type === "chunk" ? file.code : String(file.source));
  const joined = (end: string): string => files.filter((file) => file.fileName.endsWith(end)).map(text).join("").trim();
  return { script: joined(".js"), styles: joined(".css") };
}

/** Inside a script or style element, nothing may look like its end or like a comment of the document. */
function inlinable(code: string, view: string): string {
  if (/<\/(script|style)|<!--/i.test(code)) throw new Error(`${view}: the code would end its element`);
  return code;
}

async function documentOf(view: keyof typeof VIEWS): Promise<string> {
  const [template, { script, styles }] = await Promise.all([readFile(join(here, "src/document.html"), "utf8"), bundle(view)]);
  const html = template
    .replace("<title>MindFlow</title>", () => `<title>${VIEWS[view]}</title>`)
    .replace("/* styles */", () => inlinable(styles, view))
    .replace("/* script */", () => inlinable(script, view));
  const size = Buffer.byteLength(html);
  if (size > LARGEST_BYTES) throw new Error(`${view}: ${size} bytes are too many`);
  return html;
}

async function buildInto(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const view of Object.keys(VIEWS) as (keyof typeof VIEWS)[]) await writeFile(join(folder, `${view}.html`), await documentOf(view));
}

async function check(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mindflow-widgets-"));
  try {
    await buildInto(folder);
    for (const name of Object.keys(VIEWS).map((view) => `${view}.html`)) {
      const [now, then] = await Promise.all([readFile(join(folder, name)), readFile(join(committed, name)).catch(() => Buffer.alloc(0))]);
      if (!now.equals(then)) {
        console.error(`dist/${name} is not what its source builds to: run \`npm run build\` and commit it`);
        process.exitCode = 1;
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

await (process.argv.includes("--check") ? check() : buildInto(committed));
