//! Builds and embeds the TinyObs dashboard
