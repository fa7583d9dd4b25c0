import {
  defineService,
  requirePreconditions,
  type ServiceContext,
  ServiceError,
  z,
} from "dragoman";
import { type BooksTable, booksTable, type SavedBook } from "../lib/books-table.ts";

const book = z.object({
  isbn: z.string().regex(/^\d{13}$/, "An ISBN has 13 digits"),
  title: z.string().trim().min(1).max(300),
  author: z.string().trim().min(1).max(300),
});
const savedBook = book.extend({ id: z.int(), version: z.int() });

/** /books: all of them, or a new one. The channel puts the body of a POST into `book`. */
export const books = defineService({
  name: "books.collection",
  description: "Lists books, and adds one",
  input: z.object({ author: z.string().optional(), book: book.optional() }),
  output: z.union([z.object({ books: z.array(savedBook) }), savedBook]),
  get: (ctx) => ({ books: tableOf(ctx).list(ctx.input.author) }),
  post(ctx) {
    const { input: { book }, response } = ctx;
    const saved = tableOf(ctx).insert(requireBody(book));
    if (saved === undefined) throw takenError(requireBody(book).isbn);
    response.status = 201;
    response.headers.set("Location", `/books/${saved.id}`);
    return withEtag(ctx, saved);
  },
});

/** /books/{id}: one of them. Changes need If-Match, so that nobody's change is lost. */
export const bookItem = defineService({
  name: "books.item",
  description: "Reads, changes and deletes a book",
  input: z.object({ id: z.int(), book: book.optional() }),
  output: savedBook.optional(),
  get: (ctx) => withEtag(ctx, findBook(ctx)),
  put(ctx) {
    const { input: { id, book } } = ctx;
    const { version } = requireCurrent(ctx);
    const changed = requireBody(book);
    const table = tableOf(ctx);
    if (table.isTaken(changed.isbn, id)) throw takenError(changed.isbn);
    const saved = table.update(id, version, changed);
    // Somebody was faster since we looked.
    if (saved === undefined) throw new ServiceError(412, "The book has changed meanwhile");
    return withEtag(ctx, saved);
  },
  delete(ctx) {
    const { version } = requireCurrent(ctx);
    if (!tableOf(ctx).delete(ctx.input.id, version)) {
      throw new ServiceError(412, "The book has changed meanwhile");
    }
    return undefined; // 204
  },
});

/** The file is configuration, so that every environment has its own. */
function tableOf({ config }: ServiceContext): BooksTable {
  return booksTable(String(config("books").values["file"]));
}

function findBook(ctx: ServiceContext<{ readonly id: number }>): SavedBook {
  const { id } = ctx.input;
  const found = tableOf(ctx).find(id);
  if (found === undefined) throw new ServiceError(404, `There is no book ${id}`);
  return found;
}

function requireCurrent(ctx: ServiceContext<{ readonly id: number }>): SavedBook {
  const found = findBook(ctx);
  if (!ctx.request.headers.has("if-match")) {
    throw new ServiceError(428, "Send the book's ETag as If-Match");
  }
  requirePreconditions(ctx.request, { etag: etagOf(found) });
  return found;
}

function withEtag({ response }: ServiceContext, saved: SavedBook): SavedBook {
  response.headers.set("ETag", etagOf(saved));
  return saved;
}

function etagOf({ version }: SavedBook): string {
  return `"${version}"`;
}

function requireBody<T>(body: T | undefined): T {
  if (body === undefined) throw new ServiceError(400, "Send a book");
  return body;
}

function takenError(isbn: string): ServiceError {
  return new ServiceError(409, `There is a book with the ISBN ${isbn} already`);
}
