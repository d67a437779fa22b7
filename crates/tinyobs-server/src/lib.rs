//! The TinyObs server: HTTP edge, configuration, wiring, shutdown
