// Digits as the venue sent them. CCXT can hand numbers on as texts, but three places lose digits on the way:
// JSON.parse reads what is longer than a double, levels of a book are parsed to doubles, and the sides of its
// order books compare and count with numbers.

// As long as no double can hold it. Strings are passed by, so that digits inside them stay as they are.
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g;
const significant = (number) => number.replace(/[eE].*$/, '').replace(/\D/g, '').replace(/^0+/, '').length;
const quoteLong = (text) =>
  text.replace(stringOrNumber, (found) => (found[0] === '"' || significant(found) <= 15 ? found : `"${found}"`));

// For the whole process: CCXT parses REST replies and frames in several places.
export function readLongNumbersAsText() {
  const parse = JSON.parse;
  JSON.parse = (text, reviver) =>
    parse(typeof text === 'string' && /\d[\d.]{15}/.test(text) ? quoteLong(text) : text, reviver);
}

// What CCXT makes of a number: the same digits, without the zeros that a number would not have, so that
// checksums over them come out as with numbers.
export function exactNumber(text) {
  const digits = String(text);
  if (!digits.includes('.') || /[eE]/.test(digits)) return digits;
  return digits.replace(/0+$/, '').replace(/\.$/, '');
}

// The first entry whose key is not below `key`.
function placeOf(index, length, key) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (index[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Classes with a reading of their own keep it.
export function keepDigitsInLevels(ccxt, exchange) {
  if (exchange.parseOrderBookBidAsk !== ccxt.Exchange.prototype.parseOrderBookBidAsk) return;
  exchange.parseOrderBookBidAsk = (level, price = 0, size = 1, countOrId = 2) => {
    const parsed = [exchange.safeNumber(level, price), exchange.safeNumber(level, size)];
    const third = countOrId === undefined ? undefined : exchange.safeInteger(level, countOrId);
    return third === undefined ? parsed : [...parsed, third];
  };
}

// Compares by number and keeps the text. `exchange` makes one book of each kind to get at their classes.
export function keepDigitsInBooks(exchange) {
  const patched = new Set();
  for (const book of [exchange.orderBook(), exchange.countedOrderBook(), exchange.indexedOrderBook()]) {
    let side = Object.getPrototypeOf(book.bids);
    while (!Object.hasOwn(side, 'storeArray')) side = Object.getPrototypeOf(side);
    if (patched.has(side)) continue;
    patched.add(side);
    const store = side.storeArray;
    const isById = side.constructor.name.startsWith('Indexed');
    side.storeArray = function (level) {
      const [price, size, third] = level;
      const compared = [price === undefined ? undefined : Number(price), Number(size)];
      if (level.length > 2) compared.push(isById ? third : Number(third));
      store.call(this, compared);
      // Levels that are found by an id move between prices; those keep numbers.
      if (isById || Number(size) === 0) return;
      const key = this.side ? -Number(price) : Number(price);
      const kept = this[placeOf(this.index, this.length, key)];
      if (kept === undefined || Number(kept[0]) !== Number(price)) return;
      kept[0] = price;
      kept[1] = size;
    };
  }
}
