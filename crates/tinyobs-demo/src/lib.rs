//! The TinyObs example app: a small web shop with traffic of its own
