/** Runs `mesh`: `npm run mesh -- access …` in this checkout, `npx mesh access …` where the package is installed. */
import { run } from "./program";

void run(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
