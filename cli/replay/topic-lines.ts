/** The lines of one file or of several, one file after the other, each with the topic that it stands for. */
import { LineReader, type Lines, type Position } from "./line-reader.ts";

export interface TopicFile {
  readonly topic: string;
  /** Descriptor of a regular file, open for reading; the caller closes it. */
  readonly file: number;
}

export interface TopicPosition {
  /** Index of the file that is being read. */
  readonly index: number;
  /** Where in each file. */
  readonly positions: readonly Position[];
  /** Lines up to here in all files, without empty ones. */
  readonly lines: number;
  readonly emptyLines: number;
}

export class TopicLines {
  readonly #files: readonly TopicFile[];
  readonly #readers: readonly LineReader[];
  #index = 0;

  /** @param files at least one */
  constructor(files: readonly TopicFile[]) {
    this.#files = files;
    this.#readers = files.map(({ file }) => new LineReader(file));
  }

  /** Of the lines that {@link next} gave. */
  get topic(): string {
    return this.#files[this.#index]!.topic;
  }

  get position(): TopicPosition {
    const positions = this.#readers.map(({ position }) => position);
    return {
      index: this.#index,
      positions,
      lines: positions.reduce((sum, { lines }) => sum + lines, 0),
      emptyLines: positions.reduce((sum, { emptyLines }) => sum + emptyLines, 0),
    };
  }

  seek({ index, positions }: TopicPosition): void {
    this.#index = index;
    for (const [at, reader] of this.#readers.entries()) reader.seek(positions[at]!);
  }

  /** The next lines, from one to `maxLines` of them, all of one file; none at the end of the last file. */
  next(maxLines: number): Lines {
    let lines = this.#readers[this.#index]!.next(maxLines);
    while (lines.starts.length === 0 && this.#index < this.#readers.length - 1) {
      this.#index += 1;
      lines = this.#readers[this.#index]!.next(maxLines);
    }
    return lines;
  }
}
