//! Lazy chunked arrays: the typed API, lowering to tasks, and the runtime.
