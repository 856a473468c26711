"""Speech in, vectors out: corpora, audio, encoders, batching, pooling, the store."""
