//! Series index, write-ahead log, head, chunks, engines, select
