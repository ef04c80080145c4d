/** Exit statuses of every command. */
export const STATUS = {
  /** Done; of `access explain`: allowed; of `reachability`: exactly what is declared; of `certificates`: trust at every instant; of `check`: nothing fails; of `status`: well; of `snapshot list`: there are snapshots, all good. */
  done: 0,
  /** Of `access explain`: refused; of `reachability`: more than what is declared, or less; of `certificates`: an instant without trust; of `check`: something does not hold; of `status`: not well; of `snapshot list`: one is damaged, or there is none; of `snapshot restore`: not confirmed. */
  refused: 1,
  /** Nothing was done: the command line, the configuration or the document is wrong, or the cluster gives no answer. */
  usage: 2,
} as const;

/** Something the caller can mend: said in one message, with {@link STATUS.usage}. */
export class CliError extends Error {
  override readonly name = "CliError";
}
