import { DatabaseSync } from "node:sqlite";

export interface Book {
  readonly isbn: string;
  readonly title: string;
  readonly author: string;
}

/** A book as it is kept: `version` rises with every change. */
export interface SavedBook extends Book {
  readonly id: number;
  readonly version: number;
}

const open = new Map<string, BooksTable>();

/** The table in a file, which every worker of every server on this machine shares. */
export function booksTable(file: string): BooksTable {
  let table = open.get(file);
  if (table === undefined) open.set(file, table = new BooksTable(new DatabaseSync(file)));
  return table;
}

const columns = "id, version, isbn, title, author";

/** Books in SQLite. */
export class BooksTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    // Several processes write: wait for one another instead of failing.
    database.exec(`
      PRAGMA busy_timeout = 5000;
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS books (
        id INTEGER PRIMARY KEY, version INTEGER NOT NULL DEFAULT 1,
        isbn TEXT NOT NULL UNIQUE, title TEXT NOT NULL, author TEXT NOT NULL
      )`);
  }

  list(author: string | undefined): SavedBook[] {
    const rows = this.#database
      .prepare(`SELECT ${columns} FROM books WHERE author = ?1 OR ?1 IS NULL ORDER BY title`)
      .all(author ?? null);
    return rows.map(toBook);
  }

  find(id: number): SavedBook | undefined {
    const row = this.#database.prepare(`SELECT ${columns} FROM books WHERE id = ?`).get(id);
    return row && toBook(row);
  }

  /** Undefined when there is a book with this ISBN already. */
  insert({ isbn, title, author }: Book): SavedBook | undefined {
    const row = this.#database.prepare(
      `INSERT INTO books (isbn, title, author) VALUES (?, ?, ?)
       ON CONFLICT (isbn) DO NOTHING RETURNING ${columns}`,
    ).get(isbn, title, author);
    return row && toBook(row);
  }

  /** Undefined when the book is gone, or not in this version any more. */
  update(id: number, version: number, { isbn, title, author }: Book): SavedBook | undefined {
    const row = this.#database.prepare(
      `UPDATE books SET isbn = ?, title = ?, author = ?, version = version + 1
       WHERE id = ? AND version = ? RETURNING ${columns}`,
    ).get(isbn, title, author, id, version);
    return row && toBook(row);
  }

  delete(id: number, version: number): boolean {
    return this.#database.prepare("DELETE FROM books WHERE id = ? AND version = ?")
      .run(id, version).changes === 1;
  }

  /** Whether another book has this ISBN. */
  isTaken(isbn: string, exceptId: number): boolean {
    return this.#database.prepare("SELECT 1 FROM books WHERE isbn = ? AND id <> ?")
      .get(isbn, exceptId) !== undefined;
  }
}

function toBook(row: Readonly<Record<string, unknown>>): SavedBook {
  return {
    id: Number(row["id"]),
    version: Number(row["version"]),
    isbn: String(row["isbn"]),
    title: String(row["title"]),
    author: String(row["author"]),
  };
}
