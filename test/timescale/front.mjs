// PostgreSQL's protocol in front of PGlite, as far as libpq needs it: no TLS, no passwords. PGlite has
// one session, which the connections share: it belongs to one of them for a transaction, and each
// one's settings are made anew when it gets it. Names of prepared statements are kept apart.
import { createServer } from "node:net";

const sslRequest = 80877103;
const gssRequest = 80877104;
const cancelRequest = 80877102;

function message(type, body) {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
const text = (words) => Buffer.from(`${words}\0`, "utf8");
const query = (sql) => message("Q", text(sql));
// RESET ALL leaves no search_path in PGlite.
const settings = ["RESET ALL", "SET search_path = public", "SET TIME ZONE 'UTC'"];
const ready = message("Z", Buffer.from("I"));
// Binary, no column told: libpq does not look at them.
const copyIn = message("G", Buffer.from([1, 0, 0]));

// [type, the whole message] of each in the bytes, and what is left over.
function* messagesIn(bytes, at = 0) {
  while (bytes.length - at >= 5) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (end > bytes.length) break;
    yield [String.fromCharCode(bytes[at]), bytes.subarray(at, end)];
    at = end;
  }
  return at;
}

// The one session, and whose turn it is.
class Session {
  #database;
  #turn = Promise.resolve();
  #owner = null;

  constructor(database) {
    this.#database = database;
  }
  async run(bytes) {
    return Buffer.from(await this.#database.execProtocolRaw(bytes));
  }
  // Resolves to a function that gives it back.
  async take(connection) {
    let release;
    const before = this.#turn;
    this.#turn = new Promise((resolve) => (release = resolve));
    await before;
    if (this.#owner !== connection) {
      for (const sql of [...settings, ...connection.settings]) await this.run(query(sql));
      this.#owner = connection;
    }
    return release;
  }
  // As it was before anybody came.
  async reset() {
    for (const sql of ["ROLLBACK", ...settings]) await this.run(query(sql));
    this.#owner = null;
  }
}

class Connection {
  settings = [];
  closed; // fulfilled when the session has nothing of it any more
  #socket;
  #session;
  #name;
  #bytes = Buffer.alloc(0);
  #isStarted = false;
  #gathered = []; // up to the message that asks for an answer
  #isCopying = false;
  #release = null;
  #work = Promise.resolve();
  #version;

  constructor(socket, session, number, version) {
    this.#socket = socket;
    this.#session = session;
    this.#name = `c${number}_`;
    this.#version = version;
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("error", () => {});
    this.closed = new Promise((done) => {
      socket.on("close", () => {
        this.#work = this.#work.then(async () => {
          this.#release ??= await this.#session.take(this);
          await this.#session.reset();
          this.#release();
          done();
        });
      });
    });
  }

  #read(bytes) {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (!this.#isStarted) this.#start();
    if (!this.#isStarted) return;
    const messages = messagesIn(this.#bytes);
    let step = messages.next();
    for (; !step.done; step = messages.next()) this.#take(...step.value);
    this.#bytes = this.#bytes.subarray(step.value);
  }

  #start() {
    while (this.#bytes.length >= 8 && this.#bytes.length >= this.#bytes.readInt32BE(0)) {
      const length = this.#bytes.readInt32BE(0);
      const code = this.#bytes.readInt32BE(4);
      this.#bytes = this.#bytes.subarray(length);
      if (code === cancelRequest) return this.#socket.end();
      if (code === sslRequest || code === gssRequest) {
        this.#socket.write("N");
        continue;
      }
      const parameters = {
        server_version: this.#version,
        client_encoding: "UTF8",
        DateStyle: "ISO, MDY",
        TimeZone: "UTC",
        integer_datetimes: "on",
        standard_conforming_strings: "on",
        in_hot_standby: "off",
      };
      this.#socket.write(message("R", Buffer.from([0, 0, 0, 0])));
      for (const [name, value] of Object.entries(parameters)) {
        this.#socket.write(message("S", Buffer.concat([text(name), text(value)])));
      }
      this.#socket.write(Buffer.concat([message("K", Buffer.alloc(8)), ready]));
      this.#isStarted = true;
      return;
    }
  }

  // Bytes are copied: those that were read are not kept.
  #take(type, bytes) {
    if (type === "X") return this.#socket.end();
    this.#gathered.push(Buffer.from(this.#renamed(type, bytes)));
    if (type === "Q" && /^COPY .* FROM STDIN/is.test(bytes.subarray(5).toString("utf8"))) {
      this.#isCopying = true;
      this.#work = this.#work.then(() => this.#socket.write(copyIn));
      return;
    }
    const isEnd = this.#isCopying ? type === "c" || type === "f" : type === "Q" || type === "S";
    if (!isEnd) return;
    const request = Buffer.concat(this.#gathered);
    const wasCopying = this.#isCopying;
    this.#gathered = [];
    this.#isCopying = false;
    this.#work = this.#work.then(() => this.#answer(request, wasCopying));
  }

  async #answer(request, wasCopying) {
    this.#release ??= await this.#session.take(this);
    let answer = await this.#session.run(request);
    // It has been told already that it may copy.
    if (wasCopying && answer[0] === "G".charCodeAt(0)) answer = answer.subarray(1 + answer.readInt32BE(1));
    let status = "I";
    let isRefused = false;
    for (const [type, bytes] of messagesIn(answer)) {
      if (type === "Z") status = String.fromCharCode(bytes[5]);
      if (type === "E") isRefused = true;
    }
    const sql = request[0] === "Q".charCodeAt(0) && !wasCopying ? request.subarray(5, -1).toString("utf8") : "";
    if (status === "I" && !isRefused && /^SET /i.test(sql)) this.settings.push(sql);
    if (status === "I") {
      this.#release();
      this.#release = null;
    }
    this.#socket.write(answer);
  }

  // Bind names a portal first, Describe and Close a kind.
  #renamed(type, bytes) {
    if (!"PBDC".includes(type)) return bytes;
    let at = 5;
    if (type === "B") at = bytes.indexOf(0, at) + 1;
    if ((type === "D" || type === "C") && bytes[at++] !== "S".charCodeAt(0)) return bytes;
    if (bytes[at] === 0) return bytes;
    return message(
      String.fromCharCode(bytes[0]),
      Buffer.concat([bytes.subarray(5, at), Buffer.from(this.#name), bytes.subarray(at)]),
    );
  }
}

// On a free loopback port. `idle()`: once every connection is gone, and the session is as it was, so that
// the database can be used directly. `close()` ends the connections too.
export async function serve(database) {
  const [{ server_version: version }] = (await database.query("SHOW server_version")).rows;
  const session = new Session(database);
  const sockets = new Set();
  const connections = new Set();
  let number = 0;
  const server = createServer((socket) => {
    socket.setNoDelay();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const connection = new Connection(socket, session, ++number, version);
    connections.add(connection);
    connection.closed.then(() => connections.delete(connection));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `postgres://candlewick@127.0.0.1:${server.address().port}/postgres`,
    idle: () => Promise.all([...connections].map((connection) => connection.closed)),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
