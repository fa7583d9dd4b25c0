/** A header line of every request. */
export const host = "Host: shop.example\r\n";
/** Ends the connection after the answer. */
export const close = "Connection: close\r\n";
/** The request that must not get through. */
export const behind = `GET /h/smuggled HTTP/1.1\r\n${host}${close}\r\n`;
const chunked = "Transfer-Encoding: chunked\r\n";
const post = `POST /h/echo HTTP/1.1\r\n${host}`;

/** Requests that two readers may understand differently; each with one that hides behind it. */
export const smuggling: Readonly<Record<string, string>> = {
  "a length and chunks": `${post}Content-Length: 5\r\n${chunked}\r\n0\r\n\r\n`,
  "chunks and a length": `${post}${chunked}Content-Length: 5\r\n\r\n0\r\n\r\n`,
  "a length of 0 and chunks": `${post}Content-Length: 0\r\n${chunked}\r\n0\r\n\r\n`,
  "two lengths": `${post}Content-Length: 0\r\nContent-Length: ${behind.length}\r\n\r\n`,
  "a list of lengths": `${post}Content-Length: 0, ${behind.length}\r\n\r\n`,
  "a signed length": `${post}Content-Length: +0\r\n\r\n`,
  "a length in hexadecimal": `${post}Content-Length: 0x0\r\n\r\n`,
  "a length with an underscore": `${post}Content-Length: 1_0\r\n\r\n`,
  "a length with a blank inside": `${post}Content-Length: 0 0\r\n\r\n`,
  "an empty length": `${post}Content-Length: \r\n\r\n`,
  "a negative length": `${post}Content-Length: -1\r\n\r\n`,
  "a length beyond all numbers": `${post}Content-Length: 99999999999999999999999\r\n\r\n`,
  "a vertical tab before chunked": `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`,
  "a vertical tab behind chunked": `${post}Transfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n`,
  "xchunked": `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  "identity": `${post}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  "chunked, identity": `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  "chunked twice": `${post}${chunked}${chunked}\r\n0\r\n\r\n`,
  "chunked in quotes": `${post}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
  "a blank before the colon": `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  "a folded coding": `${post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
  "a coding behind a bare LF": `${post}X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "a coding behind a bare CR": `${post}X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "a NUL in the coding": `${post}Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n`,
  "chunks in HTTP/1.0": `POST /h/echo HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n`,
  "a chunk of a wrong size": `${post}${chunked}\r\n1\r\nabc\r\n0\r\n\r\n`,
  "a chunk size with a sign": `${post}${chunked}\r\n+1\r\na\r\n0\r\n\r\n`,
  "a chunk size with 0x": `${post}${chunked}\r\n0x1\r\na\r\n0\r\n\r\n`,
  "a chunk size that overflows": `${post}${chunked}\r\n10000000000000000\r\na\r\n0\r\n\r\n`,
  "a negative chunk size": `${post}${chunked}\r\n-1\r\na\r\n0\r\n\r\n`,
  "a chunk that ends in a bare CR": `${post}${chunked}\r\n1\r\na\r0\r\n\r\n`,
  "two Hosts": `POST /h/echo HTTP/1.1\r\n${host}Host: evil.example\r\nContent-Length: 0\r\n\r\n`,
  "no Host": "POST /h/echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
  "a blank in the target": `POST /h/echo HTTP/1.1 HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
  "HTTP/2.0 in words": `POST /h/echo HTTP/2.0\r\n${host}Content-Length: 0\r\n\r\n`,
  "HTTP/1.11": `POST /h/echo HTTP/1.11\r\n${host}Content-Length: 0\r\n\r\n`,
  "CONNECT": `CONNECT /h/echo HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
};

/** What all parsers read in one way, though not all refuse it: the one behind is a request, too. */
export const mayPass =
  /HTTP\/1\.11|CONNECT|chunk size with|list of lengths|bare LF|no Host|chunked, |folded|HTTP\/2/;

/** Paths below the channel of files that lead out of its directory, or nowhere. */
export const hiddenPaths = [
  "../outside.txt",
  "..%2foutside.txt",
  "%2e%2e/outside.txt",
  "%2e%2e%2foutside.txt",
  "%252e%252e%252foutside.txt",
  "..%5coutside.txt",
  "..\\outside.txt",
  "inner/../../outside.txt",
  "inner/..%2f..%2foutside.txt",
  "inner/%2e%2e/%2e%2e/outside.txt",
  "./../outside.txt",
  "//outside.txt",
  "/../outside.txt",
  "%2foutside.txt",
  "%2fetc%2fpasswd",
  "//etc/passwd",
  "link.txt",
  "up/outside.txt",
  "up/server1/secrets/cluster.key",
  "loop",
  "loop/inside.txt",
  ".hidden",
  "%2ehidden",
  "inner/../.hidden",
  "inside.txt%00",
  "inside.txt%00.html",
  "inside.txt%0a",
  "inside.txt/",
  "inside.txt/.",
  "inside.txt%2f..%2f..%2foutside.txt",
  "..%c0%afoutside.txt",
  "..%ef%bc%8foutside.txt",
  "..;/outside.txt",
  "file:///etc/passwd",
  "C:%5cwindows",
  `${"a/".repeat(3_000)}x`,
  "a".repeat(5_000),
  "%",
  "%zz",
  "constructor",
  "__proto__",
];

/** Header lines by which a client pretends to come from elsewhere. */
export const disguises = [
  "X-Forwarded-For: 203.0.113.1",
  "X-Forwarded-For: 203.0.113.2, 203.0.113.3",
  "X-Forwarded-For: 127.0.0.1, 203.0.113.4",
  "x-forwarded-for:203.0.113.5",
  "X-Forwarded-For: 203.0.113.6\r\nX-Forwarded-For: 203.0.113.7",
  "Forwarded: for=203.0.113.8",
  "X-Real-IP: 203.0.113.9",
  "X-Client-IP: 203.0.113.10",
  "True-Client-IP: 203.0.113.11",
  "CF-Connecting-IP: 203.0.113.12",
  "X-Forwarded-For: ",
  "X-Forwarded-For: ,",
  "X-Forwarded-For: unknown",
  "X-Forwarded-For: [::1]:80",
  "Via: 1.1 evil",
  "Connection: close, X-Forwarded-For",
];
