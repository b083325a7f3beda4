-- What is known of traded assets from outside the exchanges, as it was told last. dim_cryptocurrency
-- repeats it for every pair.

CREATE TABLE assets (
  asset text COLLATE "C" PRIMARY KEY,         -- as exchanges write it: BTC
  name text COLLATE "C" NOT NULL,
  sector text,
  launch_date timestamptz,                    -- its midnight UTC
  coingecko_id text,
  recorded_at timestamptz NOT NULL
);

COMMENT ON COLUMN market_ticks.market_cap IS 'in US dollars, whatever the quote currency is';
COMMENT ON COLUMN market_ticks.circulating_supply IS 'in units of the base asset';
