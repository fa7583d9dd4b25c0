import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { createTestKit } from "dragoman/testing";
import { bookItem, books } from "./books.ts";

const emma = { isbn: "9780141439587", title: "Emma", author: "Jane Austen" };
const stoner = { isbn: "9781590171998", title: "Stoner", author: "John Williams" };

let tests = 0;

describe("books", () => {
  let kit: ReturnType<typeof createTestKit>;

  beforeEach(() => {
    // SQLite in memory; another name is another database.
    const file = `file:books-${++tests}?mode=memory`;
    kit = createTestKit({ configs: { books: { values: { file } } } });
  });

  const add = (book: typeof emma) => kit.run(books, { book }, { method: "POST" });

  it("are added, found and listed", async () => {
    const added = await add(emma);
    await add(stoner);
    const one = await kit.run(bookItem, { id: 1 });
    const austen = await kit.run(books, { author: "Jane Austen" }, { method: "GET" });

    assert.equal(added.status, 201);
    assert.equal(added.headers.get("location"), "/books/1");
    assert.deepEqual(one.output, { ...emma, id: 1, version: 1 });
    assert.equal(one.headers.get("etag"), '"1"');
    assert.deepEqual(austen.output, { books: [one.output] });
  });

  it("have an ISBN of their own", async () => {
    await add(emma);
    const failure = await kit.fails(books, { book: emma }, { method: "POST" });

    assert.equal(failure.status, 409);
  });

  it("need a valid ISBN", async () => {
    const book = { ...emma, isbn: "12" };
    const { status, details } = await kit.fails(books, { book }, { method: "POST" });

    assert.equal(status, 400);
    assert.deepEqual(details, {
      errors: [{ pointer: "/book/isbn", detail: "An ISBN has 13 digits" }],
    });
  });

  it("are changed and deleted by who knows what they are now", async () => {
    await add(emma);
    const put = (etag: string, title: string) =>
      [{ id: 1, book: { ...emma, title } }, {
        method: "PUT",
        headers: { "If-Match": etag },
      }] as const;
    const changed = await kit.run(bookItem, ...put('"1"', "Emma, again"));

    assert.equal(changed.headers.get("etag"), '"2"');
    assert.equal((await kit.fails(bookItem, ...put('"1"', "Too late"))).status, 412);
    assert.equal((await kit.fails(bookItem, { id: 1 }, { method: "DELETE" })).status, 428);
    const deleted = await kit.run(bookItem, { id: 1 }, {
      method: "DELETE",
      headers: { "If-Match": '"2"' },
    });
    assert.equal(deleted.status, 204);
    assert.equal((await kit.fails(bookItem, { id: 1 })).status, 404);
  });
});
