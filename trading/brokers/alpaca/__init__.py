"""Alpaca as a broker: REST for what we ask, one stream for what it tells; facts in docs/brokers/alpaca.md."""
