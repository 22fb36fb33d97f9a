"""What tests and benchmarks share: servers, programs, files and hand-made readings."""
