"""Open tables and containers of other programs: SpatialData, AnnData, Parquet, QuPath, CellProfiler."""
