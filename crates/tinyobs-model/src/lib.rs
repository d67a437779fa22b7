//! The shared vocabulary of TinyObs: samples, labels, matchers, limits
