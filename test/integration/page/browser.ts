/** Chromium, as Debian packages it. */
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
/** Nobody's browser: it asks nobody for anything but the pages under test. It runs as root, where Chromium has no sandbox. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

export const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } } as const;
export const SCHEMES = ["light", "dark"] as const;

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/** A page, and what went wrong in it. */
export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors, refusals of the page's policy, and requests to anybody else. */
  readonly troubles: string[];
}

export async function open(
  browser: Browser,
  url: string,
  options: {
    readonly size?: keyof typeof WIDTHS;
    readonly scheme?: (typeof SCHEMES)[number];
    readonly scripts?: boolean;
  } = {},
): Promise<Watched> {
  const { size = "desktop", scheme = "light", scripts = true } = options;
  const context = await browser.newContext({
    viewport: WIDTHS[size],
    colorScheme: scheme,
    javaScriptEnabled: scripts,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) troubles.push(message.text());
  });
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("dialog", (dialog) => {
    troubles.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) troubles.push(`request to ${request.url()}`);
  });
  await page.clock.install();
  await page.goto(url);
  return { page, context, troubles };
}
