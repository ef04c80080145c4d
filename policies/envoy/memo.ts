/** What a function made of texts, kept for the newest of them: a program that runs long, or a mesh of many services, doesn't fill the memory with it. */
export class Memo<T> {
  private readonly made = new Map<string, T>();
  private length = 0;

  /**
   * @param most characters of the texts that are kept
   * @param make what it throws is thrown again each time
   */
  constructor(
    private readonly most: number,
    private readonly make: (text: string) => T,
  ) {}

  /** What the function makes of a text. It is shared, so nobody may change it. */
  of(text: string): T {
    const known = this.made.get(text);
    if (known !== undefined) return known;
    const value = this.make(text);
    this.made.set(text, value);
    this.length += text.length;
    this.forgetOldest();
    return value;
  }

  private forgetOldest(): void {
    for (const oldest of this.made.keys()) {
      if (this.length <= this.most) return;
      this.made.delete(oldest);
      this.length -= oldest.length;
    }
  }
}
