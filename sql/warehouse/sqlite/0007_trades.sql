-- Kept trades have the id that the venue writes, whatever that is made of, and lie in the order of
-- time, in which they come and are read: no further index is needed.

ALTER TABLE fact_trade RENAME TO fact_trade_numbered;
CREATE TABLE fact_trade (
  exchange_id INTEGER NOT NULL REFERENCES dim_exchange,
  crypto_id INTEGER NOT NULL REFERENCES dim_cryptocurrency,
  exchange_time INTEGER NOT NULL,
  trade_id TEXT NOT NULL,               -- beginning with "@": made here, the venue has none
  price TEXT NOT NULL,
  size TEXT NOT NULL,
  quote_size TEXT,
  taker_side TEXT NOT NULL,             -- buy, sell
  ingested_at INTEGER NOT NULL,
  PRIMARY KEY (exchange_id, crypto_id, exchange_time, trade_id)
) STRICT, WITHOUT ROWID;
INSERT INTO fact_trade (exchange_id, crypto_id, exchange_time, trade_id, price, size, quote_size, taker_side,
                        ingested_at)
SELECT exchange_id, crypto_id, exchange_time, CAST(trade_id AS TEXT), price, size, quote_size, taker_side,
       ingested_at
FROM fact_trade_numbered;
DROP TABLE fact_trade_numbered;
