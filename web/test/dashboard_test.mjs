// The built dashboard in a real browser, against a service with a simulated market. Screenshots are left in
// build/web/ of the project.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { barOf } from '../src/candles.ts';
import { columns, IndicatorSeries, servedValues } from '../src/indicators.ts';
import { pause, Server, until } from './server.mjs';

const pictures = fileURLToPath(new URL('../../build/web/', import.meta.url));
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const desktop = { width: 1360, height: 900 };
const phone = { width: 390, height: 844 };

let server;
let browser;
let axeSource;

before(async () => {
  await mkdir(pictures, { recursive: true });
  axeSource = await readFile(axe, 'utf8');
  server = await Server.start();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: chromiumArguments,
  });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// A fresh profile each, and a list of everything the page complains about or asks of other hosts.
async function open({ viewport = desktop, path = '', hash = '', prepare, ...options } = {}) {
  // axe is put into the page by the tests; the policy that the page itself needs is tested by the others.
  const context = await browser.newContext({ viewport, ...options });
  const page = await context.newPage();
  await prepare?.(page);
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) complaints.push(`asks ${request.url()}`);
  });
  await page.goto(`${server.url}/${path}${hash}`);
  return { page, complaints, close: () => context.close() };
}

const liveKind = (page) => page.evaluate(() => document.documentElement.dataset.live);
const text = (page, selector) => page.locator(selector).textContent();

async function untilLive(page) {
  await until(async () => (await liveKind(page)) === 'live', 'live page', 30_000);
}

// A blank chart has one colour, or none.
async function coloursInChart(page) {
  return page.evaluate(() => {
    const seen = new Set();
    for (const canvas of document.querySelectorAll('#chart canvas')) {
      const { width, height } = canvas;
      if (width === 0 || height === 0) continue;
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
      for (let i = 0; i < data.length; i += 4 * 37) {
        if (data[i + 3] > 0) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
      }
    }
    return seen.size;
  });
}

async function untilDrawn(page) {
  await until(async () => (await coloursInChart(page)) > 4, 'chart that is not blank');
}

async function seriousFaults(page) {
  const found = await page.evaluate(async (source) => {
    // As a debugger would: not through a script element, which the page's policy forbids.
    if (!window.axe) (0, eval)(source);
    return (await window.axe.run(document)).violations;
  }, axeSource);
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

test('TheFirstChartIsPaintedWithinOneAndAHalfSecondsOfAColdLoad', async () => {
  const times = [];
  for (let i = 0; i < 3; ++i) {
    const { page, close } = await open();
    await page.waitForFunction(
      () => performance.getEntriesByName('candlewick-first-chart').length > 0,
    );
    times.push(
      await page.evaluate(
        () => performance.getEntriesByName('candlewick-first-chart')[0].startTime,
      ),
    );
    assert.ok((await coloursInChart(page)) > 4, 'the chart is blank');
    await close();
  }
  const median = times.toSorted((a, b) => a - b)[1];
  console.log(`first chart after ${times.map(Math.round).join(', ')} ms`);
  assert.ok(median < 1500, `first chart after ${median} ms`);
});

test('ItMovesWithLiveDataAndComplainsOfNothing', async () => {
  const { page, complaints, close } = await open();
  await untilLive(page);
  const first = await text(page, '#price');
  await until(async () => (await text(page, '#price')) !== first, 'other price');
  const bid = await text(page, '#bids tr:first-child td:first-child');
  await until(
    async () => (await text(page, '#bids tr:first-child td:first-child')) !== bid,
    'other bid',
  );
  assert.equal(await page.locator('#bids tr').count(), 20);
  assert.equal(await page.locator('#asks tr').count(), 20);
  assert.ok((await page.locator('#tickers tbody tr').count()) >= 4);
  const ticker = () => text(page, '#tickers tbody tr:nth-child(2)');
  const before = await ticker();
  await until(async () => (await ticker()) !== before, 'other ticker');
  await until(
    async () => /live [1-9]/.test(await text(page, '#ribbon-legend')),
    'live minute in the ribbon',
  );
  assert.match(await text(page, '#ribbon-legend'), /backfilled \d/);
  await until(async () => (await text(page, '#sinks')).includes('sqlite'), 'sink');
  assert.match(await text(page, '#feeds'), /binanceconnected/);
  // Between the end of a minute and its successor's first trade nothing forms.
  await until(
    async () => /^Live\. BTC\/USDT 1m: the forming candle/.test(await text(page, '#chart-summary')),
    'forming candle in the summary',
  );
  await page.screenshot({ path: `${pictures}desktop.png` });
  assert.deepEqual(complaints, []);
  await close();
});

test('APriceChangeIsOnTheScreenWithinAQuarterOfASecond', async () => {
  const { page, close } = await open();
  await untilLive(page);
  const delays = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const seen = [];
        const price = document.getElementById('price');
        new MutationObserver(() => {
          const received = Date.parse(price.dataset.received);
          // After the frame that shows it.
          requestAnimationFrame(() => setTimeout(() => seen.push(Date.now() - received)));
          if (seen.length >= 40) resolve(seen);
        }).observe(price, { attributes: true, attributeFilter: ['data-received'] });
      }),
  );
  const median = delays.toSorted((a, b) => a - b)[delays.length >> 1];
  console.log(`received to screen: median ${median} ms, worst ${Math.max(...delays)} ms`);
  assert.ok(median < 250, `median ${median} ms`);
  await close();
});

test('NewCandlesJoinTheOldOnesAndServedIndicatorsAreTakenFirst', async () => {
  const { page, close } = await open();
  await untilLive(page);
  const minute = async () => /candle of (\S+ \S+)/.exec(await text(page, '#chart-summary'))?.[1];
  const first = await minute();
  await until(async () => (await minute()) !== first, 'next candle', 30_000);
  // The legend tells the values of the bar under the pointer: a closed one is the service's own.
  const box = await page.locator('#chart').boundingBox();
  await until(
    async () => {
      for (let x = box.width - 90; x > box.width - 200; x -= 4) {
        await page.mouse.move(box.x + x, box.y + 200);
        await page.mouse.move(box.x + x, box.y + 205);
        if (/MACD 12 26 9[^a-z]*served/.test(await text(page, '#legend'))) return true;
      }
      return undefined;
    },
    'served indicator in the legend',
    30_000,
  );
  await page.mouse.move(box.x + box.width / 4, box.y + 200);
  await until(
    async () => (await text(page, '#legend')).includes('computed here'),
    'computed value',
  );
  await close();
});

test('ValuesComputedHereAreThoseOfTheService', async () => {
  const ask = async (path) => (await (await fetch(`${server.url}${path}`)).json()).data;
  const series = 'exchange=binance&symbol=BTC-USDT&timeframe=1m&limit=10000';
  const rows = await until(async () => {
    const served = await ask(`/v1/indicators?${series}`);
    return served.length > 0 ? served : undefined;
  }, 'row of indicators');
  const bars = (await ask(`/v1/candles?${series}&closed_only=true`)).map(barOf);
  const computed = new IndicatorSeries().all(bars, true);
  for (const row of rows) {
    const served = servedValues(row);
    const time = Date.parse(row.candle_time);
    const close = bars.find((bar) => bar.time === time).close;
    for (const column of columns) {
      const point = computed[column].find((one) => one.time === time);
      assert.ok(
        Math.abs(point.value - served[column]) < 1e-7 * close,
        `${column} at ${row.candle_time}`,
      );
    }
  }
});

test('OlderCandlesComeWhenTheChartIsMovedToThem', async () => {
  const { page, complaints, close } = await open();
  await untilLive(page);
  await page.focus('#chart');
  const from = async () =>
    Date.parse(`${/Shown: (\S+ \S+)/.exec(await text(page, '#chart-summary'))?.[1]}Z`);
  const first = await until(from, 'range of the chart');
  await until(
    async () => {
      await page.keyboard.press('Home');
      // More than the two pages that Home reaches at first.
      return (await from()) < first - 1100 * 60_000;
    },
    'candles of more than 1,100 minutes ago',
    30_000,
  );
  await until(
    async () => /backfilled [1-9]/.test(await text(page, '#ribbon-legend')),
    'their coverage',
  );
  await page.keyboard.press('End');
  await until(async () => (await from()) >= first, 'way back');
  assert.deepEqual(complaints, []);
  await close();
});

test('TheKeyboardReachesEverything', async () => {
  const { page, complaints, close } = await open();
  await untilLive(page);
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  await page.keyboard.type('ether');
  await until(
    async () => (await text(page, '#search-list')).includes('ETH/USDT'),
    'ETH/USDT in the list',
  );
  await until(
    async () =>
      (await page.locator('#search-list [aria-selected=true]').textContent()).includes('ETH/USDT'),
    'ETH/USDT marked',
  );
  await page.screenshot({ path: `${pictures}search.png` });
  await page.keyboard.press('Enter');
  await until(
    async () => (await text(page, '#instrument')) === 'ETH/USDT · binance',
    'other instrument',
  );
  assert.equal(new URL(page.url()).hash, '#binance:ETH/USDT@1m');
  await untilLive(page);

  assert.equal(await page.evaluate(() => document.activeElement.id), 'chart');
  const shown = async () => /Shown: (.*)\.$/.exec(await text(page, '#chart-summary'))?.[1];
  const newest = await until(shown, 'range of the chart');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await until(async () => (await shown()) !== newest, 'movement of the chart');
  await page.keyboard.press('End');

  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'ribbon');
  await page.keyboard.press('ArrowLeft');
  await until(
    async () => /UTC, .* min/.test(await text(page, '#ribbon-text')),
    'words about a span',
  );

  await page.keyboard.press('.');
  await until(async () => new URL(page.url()).hash.endsWith('@5m'), 'next timeframe');
  assert.ok(await page.locator('#timeframes input[value="5m"]').isChecked());
  await until(
    async () => (await text(page, '#chart-summary')).includes('ETH/USDT 5m'),
    'chart of 5 minutes',
  );
  await page.keyboard.press('t');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.keyboard.press('?');
  assert.ok(await page.locator('#keys').evaluate((dialog) => dialog.open));
  await page.keyboard.press('Escape');

  // Tab alone comes by every control.
  await page.evaluate(() => document.activeElement.blur());
  const visited = new Set();
  for (let i = 0; i < 80; ++i) {
    await page.keyboard.press('Tab');
    visited.add(
      await page.evaluate(() => {
        const { activeElement: at } = document;
        return at.id || at.name || at.closest('[id]')?.id || at.tagName;
      }),
    );
  }
  for (const part of [
    'search',
    'timeframe',
    'toggles',
    'theme',
    'help',
    'chart',
    'ribbon',
    'tickers',
  ]) {
    assert.ok(visited.has(part), `Tab does not reach ${part}: ${[...visited]}`);
  }
  assert.deepEqual(complaints, []);
  await close();
});

test('AxeFindsNoSeriousFaultInEitherTheme', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, close } = await open({ colorScheme });
    await untilLive(page);
    assert.deepEqual(await seriousFaults(page), [], colorScheme);
    await page.keyboard.press('/');
    await until(
      async () => (await page.locator('#search-list li').count()) > 3,
      'list of instruments',
    );
    assert.deepEqual(await seriousFaults(page), [], `${colorScheme}, searching`);
    await page.keyboard.press('Escape');
    await page.screenshot({ path: `${pictures}${colorScheme}.png` });
    await close();
  }
});

test('APhoneShowsAllOfItWithoutScrollingSideways', async () => {
  const { page, complaints, close } = await open({
    viewport: phone,
    hasTouch: true,
    isMobile: true,
  });
  await untilLive(page);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= phone.width);
  await untilDrawn(page);
  for (const part of ['#chart', '#ribbon', '#asks', '#tickers', '#sinks']) {
    const box = await page.locator(part).boundingBox();
    assert.ok(box && box.width > 100 && box.x >= 0 && box.x < phone.width, part);
  }
  assert.deepEqual(await seriousFaults(page), []);
  await page.screenshot({ path: `${pictures}phone.png`, fullPage: true });
  assert.deepEqual(complaints, []);
  await close();
});

test('ASilentServerDoesNotLookLive', async () => {
  const { page, close } = await open();
  await untilLive(page);
  server.freeze();
  try {
    await until(async () => (await liveKind(page)) === 'offline', 'notice of the silence', 20_000);
    assert.match(await text(page, '#banner-text'), /stand still/);
    assert.ok(!(await page.title()).includes('.'), 'the title still shows a price');
    assert.equal(await page.locator('#bids tr').count(), 0);
  } finally {
    server.thaw();
  }
  await untilLive(page);
  await until(async () => (await page.locator('#bids tr').count()) === 20, 'book');
  await close();
});

test('ABrokenConnectionGoesOnBehindTheLastEvent', async () => {
  const asked = [];
  const heard = [];
  let breakIt;
  const { page, complaints, close } = await open({
    prepare: (page) =>
      page.routeWebSocket('**/v1/stream', (client) => {
        const connection = client.connectToServer();
        client.onMessage((message) => {
          asked.push(JSON.parse(message));
          connection.send(message);
        });
        connection.onMessage((message) => {
          heard.push(JSON.parse(message));
          client.send(message);
        });
        breakIt = async () => {
          await connection.close();
          await client.close();
        };
      }),
  });
  await untilLive(page);
  const name = 'binance:BTC/USDT@candle_1m';
  // On the newest connection.
  const ofCandles = () =>
    heard
      .slice(heard.findLastIndex(({ type }) => type === 'hello'))
      .filter(({ stream }) => stream === name);
  await until(() => ofCandles().at(-1)?.type === 'update', 'update of the candle');
  const { session } = heard.find(({ type }) => type === 'hello');
  const { seq } = ofCandles().at(-1);
  asked.length = heard.length = 0;
  await breakIt();
  await until(() => heard.some(({ type }) => type === 'hello'), 'new connection');
  await until(() => ofCandles().length > 3, 'more candles');
  const again = asked.find(({ params }) => params.includes(name));
  const after = Number(again.after.replace(`${session}:`, ''));
  // What came between the look at it and the break may be in it.
  assert.ok(after >= seq, `${again.after} after ${seq}`);
  assert.deepEqual(again.params, [name]);
  ofCandles().forEach((event, index) => {
    assert.deepEqual([event.type, event.seq], ['update', after + 1 + index]);
  });
  await untilLive(page);
  assert.deepEqual(complaints, []);
  await close();
});

test('ItSurvivesARestartOfTheServer', async () => {
  const { page, complaints, close } = await open();
  await untilLive(page);
  await server.stop();
  await until(async () => (await liveKind(page)) === 'offline', 'notice of the break', 5000);
  assert.match(await text(page, '#banner-text'), /^Disconnected: prices on this page stand still/);
  assert.ok(await page.locator('#retry').isVisible());
  assert.equal(await page.locator('#bids tr').count(), 0);
  const old = await text(page, '#price');
  await page.screenshot({ path: `${pictures}disconnected.png` });
  await pause(1000);
  assert.equal(await text(page, '#price'), old);
  await server.run();
  await untilLive(page);
  await until(async () => (await text(page, '#price')) !== old, 'price of the new run');
  await until(async () => (await page.locator('#bids tr').count()) === 20, 'book');
  assert.ok(await page.locator('#banner').isHidden());
  await untilDrawn(page);
  // A browser reports attempts to connect by itself; the page's own errors would be others.
  const own = complaints.filter((one) => !/ERR_|WebSocket connection|status of 5\d\d/.test(one));
  assert.deepEqual(own, []);
  await close();
});

test('the reference of the API lists every path, from this host alone and without a complaint', async () => {
  const { page, complaints, close } = await open({ path: 'docs' });
  const described = await (await fetch(`${server.url}/openapi.json`)).json();
  await until(
    async () => (await page.locator('.opblock').count()) >= Object.keys(described.paths).length,
    'list of paths',
  );
  const shown = await page
    .locator('.opblock-summary-path')
    .evaluateAll((all) => all.map((one) => one.dataset.path));
  assert.deepEqual([...new Set(shown)].sort(), Object.keys(described.paths).sort());
  // One can try a path, and sees its answer.
  const block = page.locator('.opblock', { has: page.locator('[data-path="/livez"]') });
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  await block.getByRole('button', { name: 'Execute' }).click();
  await until(async () => (await block.locator('.live-responses-table').count()) > 0, 'answer');
  assert.match(await block.locator('.live-responses-table').first().textContent(), /200/);
  await page.screenshot({ path: `${pictures}docs.png` });
  assert.deepEqual(complaints, []);
  await close();
});
