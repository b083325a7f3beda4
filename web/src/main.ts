// The dashboard: puts the parts together, and decides what is drawn when. Everything that moves is drawn at most
// once a frame.
import { browser, Frames, remember, remembered } from './browser.ts';
import type { Change } from './candles.ts';
import { Coverage } from './coverage.ts';
import { clockTime, commonDigits, percent, price, amount } from './decimal_text.ts';
import { Instrument, rowsOf } from './instrument.ts';
import { type Liveness, livenessOf } from './liveness.ts';
import {
  type Book,
  type Quote,
  rest,
  type Health,
  type SymbolRow,
  type TickerRow,
} from './rest.ts';
import { isSameInstrument, parseSelection, type Selection, selectionText } from './selection.ts';
import { Stream } from './stream.ts';
import { isTimeframe, lengthOf, type Timeframe, timeframes } from './timeframe.ts';
import { ChartView, type Group } from './view/chart.ts';
import { LadderView } from './view/ladder.ts';
import { element, make, setText } from './view/page.ts';
import { RibbonView } from './view/ribbon.ts';
import { ServicesView } from './view/services.ts';
import { SymbolSearch } from './view/symbol_search.ts';
import { ThemeSwitch } from './view/theme.ts';
import { TickersView } from './view/tickers.ts';

const healthEveryMs = 3000;
const tickersEveryMs = 15_000;
const lookEveryMs = 250;
const bookPatienceMs = 3000;
// Of the 1,024 streams that a connection may have.
const mostTickerStreams = 500;
const firstTimeframe: Timeframe = '1m';

const groups: readonly { group: Group; name: string }[] = [
  { group: 'sma', name: 'SMA' },
  { group: 'ema', name: 'EMA' },
  { group: 'bollinger', name: 'Bollinger' },
  { group: 'rsi', name: 'RSI' },
  { group: 'macd', name: 'MACD' },
];

class Dashboard {
  readonly #frames = new Frames();
  readonly #stream = new Stream(browser);
  readonly #coverage = new Coverage();
  // The theme comes first: the others read its colours.
  readonly #theme = new ThemeSwitch();
  readonly #chart = new ChartView(element('chart'), element('legend'));
  readonly #ribbon = new RibbonView(
    {
      box: element('ribbon'),
      canvas: element<HTMLCanvasElement>('ribbon-canvas'),
      text: element('ribbon-text'),
      legend: element('ribbon-legend'),
    },
    this.#chart,
    this.#coverage,
  );
  readonly #ladder = new LadderView();
  readonly #tickers = new TickersView();
  readonly #services = new ServicesView();
  readonly #search = new SymbolSearch();
  readonly #price = element('price');
  readonly #singleKeys = element<HTMLInputElement>('single-keys');
  readonly #tickerStreams = new Set<string>();

  #instrument: Instrument | undefined;
  #selection: Selection | undefined;
  #groups = new Set<Group>(['sma', 'bollinger', 'rsi', 'macd']);
  #quote: Quote | undefined;
  #book: Book | undefined;
  #bookAt = 0;
  #isAskingBook = false;
  #lastPrice: { value: number; received: string | null } | undefined;
  #shownPrice: number | undefined;
  #priceDigits = 2;
  #updatedAt: number | undefined;
  #openedAt: number | undefined;
  #health: Health | undefined;
  #unansweredSince: number | undefined;
  #haveTickersCome = false;
  #needsAll = false;
  #keepsPlace = false;
  #hasPainted = false;
  #liveness: Liveness | undefined;

  start(): void {
    this.#makeControls();
    this.#stream.onState = ({ phase }) => {
      if (phase === 'open') this.#openedAt = browser.now();
      this.#look();
    };
    this.#stream.onSession = () => {
      this.#instrument?.reload();
      void this.#loadTickers();
    };
    this.#stream.start();
    const chosen = parseSelection(location.hash) ?? parseSelection(remembered('selection') ?? '');
    if (chosen) this.#select(chosen);
    void this.#loadTickers();
    void this.#askHealth();
    setInterval(() => void this.#askHealth(), healthEveryMs);
    setInterval(() => void this.#loadTickers(), tickersEveryMs);
    setInterval(() => this.#look(), lookEveryMs);
    addEventListener('hashchange', () => {
      const wanted = parseSelection(location.hash);
      if (wanted) this.#select(wanted);
    });
    addEventListener('online', () => this.#stream.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#stream.retryNow();
    });
    new ResizeObserver(() => this.#frames.ask(this.#redrawCanvases)).observe(element('chart'));
  }

  #makeControls(): void {
    const field = element('timeframes');
    for (const timeframe of timeframes) {
      const label = make('label');
      const input = make('input');
      input.type = 'radio';
      input.name = 'timeframe';
      input.value = timeframe;
      input.addEventListener('change', () => this.#choose({ timeframe }));
      label.append(input, make('span', '', timeframe));
      field.append(label);
    }
    const kept = remembered('indicators');
    if (kept !== null) {
      const names = kept.split(' ');
      this.#groups = new Set(groups.map(({ group }) => group).filter((one) => names.includes(one)));
    }
    for (const { group, name } of groups) {
      const button = make('button', '', name);
      button.type = 'button';
      button.setAttribute('aria-pressed', String(this.#groups.has(group)));
      button.addEventListener('click', () => {
        if (!this.#groups.delete(group)) this.#groups.add(group);
        button.setAttribute('aria-pressed', String(this.#groups.has(group)));
        remember('indicators', [...this.#groups].join(' '));
        this.#chart.setGroups(this.#groups);
      });
      element('toggles').append(button);
    }
    this.#chart.setGroups(this.#groups);
    this.#chart.onMoved = () => this.#frames.ask(this.#drawRibbon);
    this.#chart.onNearStart = () => void this.#instrument?.loadOlder();
    this.#theme.onChange = () => {
      this.#chart.recolour();
      this.#ribbon.recolour();
      this.#ladder.redraw();
    };
    this.#tickers.onSelect = (row) => this.#choose(row);
    this.#search.followed = () => this.#tickers.rows.map(symbolOf);
    this.#search.onSelect = (row) => {
      if (row.exchange !== null) this.#choose({ exchange: row.exchange, symbol: row.symbol });
      element('chart').focus();
    };
    element('retry').addEventListener('click', () => this.#stream.retryNow());
    const keys = element<HTMLDialogElement>('keys');
    element('help').addEventListener('click', () => keys.showModal());
    this.#singleKeys.checked = remembered('single-keys') !== 'off';
    this.#singleKeys.addEventListener('change', () =>
      remember('single-keys', this.#singleKeys.checked ? 'on' : 'off'),
    );
    document.addEventListener('keydown', (event) => this.#onKey(event, keys));
  }

  #onKey(event: KeyboardEvent, keys: HTMLDialogElement): void {
    if (keys.open || event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
      event.preventDefault();
      this.#search.focus();
      return;
    }
    const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'text';
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.#singleKeys.checked) return;
    const actions: Record<string, () => void> = {
      '/': () => this.#search.focus(),
      t: () => this.#theme.next(),
      '?': () => keys.showModal(),
      ',': () => this.#stepTimeframe(-1),
      '.': () => this.#stepTimeframe(1),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #stepTimeframe(by: number): void {
    if (!this.#selection) return;
    const next = timeframes[timeframes.indexOf(this.#selection.timeframe) + by];
    if (next) this.#choose({ timeframe: next });
  }

  #choose(part: { exchange?: string; symbol?: string; timeframe?: Timeframe }): void {
    const base = this.#selection ?? { exchange: '', symbol: '', timeframe: firstTimeframe };
    const { exchange, symbol, timeframe } = { ...base, ...part };
    if (exchange && symbol) this.#select({ exchange, symbol, timeframe });
  }

  #select(selection: Selection): void {
    const before = this.#selection;
    const isSame = before !== undefined && isSameInstrument(before, selection);
    if (isSame && before.timeframe === selection.timeframe) return;
    this.#selection = selection;
    const text = selectionText(selection);
    if (location.hash !== text) history.replaceState(null, '', text);
    remember('selection', text);
    this.#instrument?.stop();
    this.#coverage.replace([]);
    this.#chart.clear();
    this.#keepsPlace = false;
    setText(element('instrument'), `${selection.symbol} · ${selection.exchange}`);
    element('chart').setAttribute(
      'aria-label',
      `Candles of ${selection.symbol}, ${selection.timeframe}`,
    );
    for (const input of document.querySelectorAll<HTMLInputElement>('#timeframes input')) {
      input.checked = isTimeframe(input.value) && input.value === selection.timeframe;
    }
    if (!isSame) {
      this.#updatedAt = undefined;
      this.#lastPrice = this.#shownPrice = undefined;
      this.#priceDigits = 0;
      setText(this.#price, price(undefined, 0));
      for (const id of ['bid', 'ask', 'high', 'low', 'volume']) {
        setText(element(id), price(undefined, 0));
      }
      setText(element('change'), '');
      this.#book = this.#quote = undefined;
      this.#ladder.hide('Waiting for the book.');
    }
    this.#bookAt = browser.now();
    this.#tickers.select(selection);
    this.#instrument = this.#makeInstrument(selection);
    this.#instrument.start();
    if (this.#isFollowed) this.#instrument.follow();
    this.#frames.ask(this.#drawTickers);
    this.#look();
  }

  #makeInstrument(selection: Selection): Instrument {
    const instrument: Instrument = new Instrument(selection, this.#stream, this.#coverage, {
      onCandles: (change) => this.#redrawChart(change),
      onIndicators: () => this.#redrawChart('history'),
      onCoverage: () => this.#frames.ask(this.#drawRibbon),
      onTrade: (trade, isUpdate) => {
        if (isUpdate || !this.#lastPrice) this.#movePrice(trade.price, trade.received_time);
      },
      onQuote: (quote) => {
        this.#quote = quote;
        this.#frames.ask(this.#drawQuote);
      },
      onBook: (book) => {
        this.#book = book;
        this.#bookAt = browser.now();
        this.#frames.ask(this.#drawBook);
      },
      onBookStale: (since) => {
        this.#bookAt = browser.now();
        this.#hideBook(since);
      },
      onUpdate: () => {
        this.#updatedAt = browser.now();
        if (this.#liveness?.kind !== 'live') this.#look();
      },
      onMessage: (text) => {
        const target = element('chart-message');
        target.hidden = text === undefined;
        setText(target, text ?? '');
      },
    });
    return instrument;
  }

  get #isFollowed(): boolean {
    const { exchange = '', symbol = '' } = this.#selection ?? {};
    return this.#tickers.find(exchange, symbol) !== undefined;
  }

  readonly #drawQuote = () => {
    if (!this.#quote) return;
    setText(element('bid'), price(this.#quote.bid, this.#priceDigits));
    setText(element('ask'), price(this.#quote.ask, this.#priceDigits));
  };

  readonly #drawBook = () => {
    if (this.#book) this.#ladder.show(this.#book);
  };

  readonly #drawTickers = () => this.#tickers.draw(browser.now());

  readonly #drawRibbon = () => this.#ribbon.draw();

  readonly #redrawCanvases = () => {
    this.#ribbon.draw();
    this.#ladder.redraw();
  };

  readonly #drawPrice = () => {
    if (!this.#lastPrice) return;
    const { value, received } = this.#lastPrice;
    this.#priceDigits = Math.max(this.#priceDigits, commonDigits([value]));
    setText(this.#price, price(value, this.#priceDigits));
    if (this.#shownPrice !== undefined && value !== this.#shownPrice) {
      this.#price.className = `price ${value > this.#shownPrice ? 'up' : 'down'}`;
    }
    this.#shownPrice = value;
    if (received) this.#price.dataset['received'] = received;
  };

  readonly #drawChart = () => {
    const instrument = this.#instrument;
    if (!instrument) return;
    const { bars, indicators, selection } = instrument;
    if (bars.length === 0) return;
    if (this.#needsAll) {
      this.#needsAll = false;
      const recent = bars.slice(-200).flatMap((bar) => [bar.open, bar.high, bar.low, bar.close]);
      this.#priceDigits = Math.max(this.#priceDigits, commonDigits(recent));
      this.#chart.setAll(bars, indicators.all(bars, instrument.isBeginning), {
        digits: this.#priceDigits,
        length: lengthOf(selection.timeframe),
        keepsPlace: this.#keepsPlace,
      });
      this.#keepsPlace = true;
    } else {
      this.#chart.setTail(bars, indicators.tail(bars));
    }
    this.#ribbon.draw();
    if (!this.#hasPainted) {
      this.#hasPainted = true;
      // The chart paints itself in the next frame; the one after that sees it done.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => performance.mark('candlewick-first-chart')),
      );
    }
  };

  #redrawChart(change: Change): void {
    if (change === 'none') return;
    if (change === 'history') this.#needsAll = true;
    this.#frames.ask(this.#drawChart);
  }

  #movePrice(value: number, received: string | null): void {
    this.#lastPrice = { value, received };
    this.#frames.ask(this.#drawPrice);
  }

  async #loadTickers(): Promise<void> {
    if (document.hidden && this.#haveTickersCome) return;
    try {
      const { data } = await rest.tickers();
      const now = browser.now();
      this.#haveTickersCome = true;
      for (const row of data) {
        const isStreamed = this.#tickerStreams.has(`${row.exchange}:${row.symbol}@ticker`);
        // A row that is streamed knows better, unless its stream is silent; then both say the same.
        if (!isStreamed || !this.#tickers.find(row.exchange, row.symbol)?.ticker) {
          this.#tickers.put(row, now);
        }
        this.#followTicker(row);
      }
      const first = data[0];
      if (!this.#selection && first) {
        this.#select({ exchange: first.exchange, symbol: first.symbol, timeframe: firstTimeframe });
      }
      if (this.#isFollowed) this.#instrument?.follow();
      this.#showTicker();
      this.#frames.ask(this.#drawTickers);
    } catch {
      // The next turn asks again; whether the server answers at all is told by its health.
    }
  }

  #followTicker(row: TickerRow): void {
    const name = `${row.exchange}:${row.symbol}@ticker`;
    if (this.#tickerStreams.has(name) || this.#tickerStreams.size >= mostTickerStreams) return;
    this.#tickerStreams.add(name);
    this.#stream.subscribe(name, {
      resumes: false,
      onEvent: ({ data, type }) => {
        for (const ticker of rowsOf<TickerRow>(data)) {
          this.#tickers.put(ticker, browser.now());
          if (!this.#selection || !isSameInstrument(this.#selection, ticker)) continue;
          this.#showTicker();
          if (type === 'update') this.#updatedAt = browser.now();
        }
        this.#frames.ask(this.#drawTickers);
      },
      onRefused: () => this.#tickerStreams.delete(name),
    });
  }

  #showTicker(): void {
    if (!this.#selection) return;
    const row = this.#tickers.find(this.#selection.exchange, this.#selection.symbol);
    if (!row) return;
    const { ticker } = row;
    const isNewer = (row.received_time ?? '') >= (this.#lastPrice?.received ?? '');
    if (row.last_price !== null && isNewer) this.#movePrice(row.last_price, row.received_time);
    setText(element('change'), percent(ticker?.change_pct_24h));
    const change = ticker?.change_pct_24h ?? 0;
    element('change').className = `change ${change > 0 ? 'up' : change < 0 ? 'down' : ''}`;
    setText(element('high'), price(ticker?.high_24h, this.#priceDigits));
    setText(element('low'), price(ticker?.low_24h, this.#priceDigits));
    setText(element('volume'), amount(ticker?.quote_volume_24h));
  }

  async #askHealth(): Promise<void> {
    if (document.hidden && this.#health) return;
    const asked = browser.now();
    try {
      this.#health = await rest.health();
      this.#unansweredSince = undefined;
      this.#services.show(this.#health);
    } catch {
      this.#unansweredSince ??= asked;
      this.#services.lose(browser.now() - this.#unansweredSince);
    }
  }

  // Once in a while, what no event tells: that none came.
  #look(): void {
    const now = browser.now();
    const { phase, retryAt } = this.#stream.state;
    const feed = this.#health?.feeds.find(({ venue }) => venue === this.#selection?.exchange);
    const row =
      this.#selection && this.#tickers.find(this.#selection.exchange, this.#selection.symbol);
    const liveness = livenessOf({
      now,
      phase,
      retryAt,
      openedAt: this.#openedAt,
      updatedAt: this.#updatedAt,
      unansweredSince: this.#unansweredSince,
      isFeedConnected: feed?.connected,
      isFromBefore: row?.stale ?? false,
      isChartOld: this.#instrument?.isOld ?? false,
      isFollowed: this.#isFollowed || !this.#haveTickersCome,
    });
    this.#show(liveness);
    this.#lookAtBook(now, liveness);
    this.#frames.ask(this.#drawTickers);
  }

  #show(liveness: Liveness): void {
    const { kind, label, text } = liveness;
    this.#liveness = liveness;
    document.documentElement.dataset['live'] = kind;
    const badge = element('live');
    setText(badge, label);
    badge.title = text;
    const banner = element('banner');
    // The badge tells of what lasts a moment; a banner that comes and goes would move the page.
    banner.hidden = kind === 'live' || kind === 'connecting';
    setText(element('banner-text'), text);
    element('retry').hidden = this.#stream.state.phase !== 'waiting';
    const name = this.#selection?.symbol ?? 'Candlewick';
    document.title =
      kind === 'live' && this.#shownPrice !== undefined
        ? `${price(this.#shownPrice, this.#priceDigits)} ${name}`
        : `${label}: ${name}`;
    if (this.#selection) {
      const summary = this.#chart.summary(`${this.#selection.symbol} ${this.#selection.timeframe}`);
      setText(element('chart-summary'), `${label}. ${summary}`);
    }
  }

  // A book that stopped coming may be out of step with the exchange: the server knows.
  #lookAtBook(now: number, { kind }: Liveness): void {
    if (!this.#selection) return;
    if (kind === 'offline' || kind === 'stale' || kind === 'stored') {
      this.#book = undefined;
      const reason =
        kind === 'stored' ? 'Not followed: there is no book.' : 'An old book is not shown.';
      this.#ladder.hide(reason);
      return;
    }
    if (now - this.#bookAt < bookPatienceMs || this.#isAskingBook || kind === 'connecting') return;
    void this.#askBook(this.#selection);
  }

  #hideBook(since: string | null): void {
    this.#book = undefined;
    this.#ladder.hide(
      since
        ? `Out of step with the exchange since ${clockTime(Date.parse(since))}: not shown.`
        : 'Not in step with the exchange yet.',
    );
  }

  async #askBook(selection: Selection): Promise<void> {
    this.#isAskingBook = true;
    try {
      const latest = await rest.latest(selection.exchange, selection.symbol);
      if (this.#selection !== selection) return;
      this.#bookAt = browser.now();
      if (latest.book) {
        this.#book = latest.book;
        this.#frames.ask(this.#drawBook);
      } else {
        this.#hideBook(latest.book_stale_since);
      }
    } catch {
      this.#bookAt = browser.now();
      this.#book = undefined;
      this.#ladder.hide('The book could not be asked for.');
    } finally {
      this.#isAskingBook = false;
    }
  }
}

function symbolOf(row: TickerRow): SymbolRow {
  return {
    symbol: row.symbol,
    exchange: row.exchange,
    exchange_symbol: row.exchange_symbol,
    status: null,
    name: null,
    is_configured: true,
  };
}

new Dashboard().start();
