//! The TinyObs SDK: counters, gauges and histograms that are pushed to a TinyObs server
