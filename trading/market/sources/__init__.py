"""Sources of live prices, one file each: all fulfil `trading.market.base.PriceSource`."""
