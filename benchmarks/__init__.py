"""The benchmark suite: `make bench` sets our ways beside the peers' in one run; only ratios mean anything."""
