//! What travels: decoders and encoders as pure functions, decompression with a cap
