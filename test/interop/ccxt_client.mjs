// ccxt pointed at a simulator by its own `urls` option. The classes of ccxt.pro are used throughout:
// they have the REST methods too.
import { Agent } from 'node:http';

import ccxt from 'ccxt';

export { ccxt };

// The simulator's name of each venue, and ccxt's.
export const venues = [
  { exchange: 'binance', client: 'binance' },
  { exchange: 'binance-us', client: 'binanceus' },
];

export function connect(simulator, client) {
  // The agent that it makes for itself takes https only; it wants plain ones under two names.
  const agent = new Agent({ keepAlive: true });
  return new ccxt.pro[client]({
    agent,
    httpAgent: agent,
    urls: {
      api: {
        public: `${simulator.http}/api/v3`,
        ws: { spot: `${simulator.ws}/ws` },
      },
    },
    options: {
      // Futures and private endpoints are other hosts.
      fetchMarkets: { types: ['spot'] },
      fetchCurrencies: false,
      fetchMargins: false,
      defaultType: 'spot',
    },
  });
}
