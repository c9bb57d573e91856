"""What a region costs in a month, computed from the design's own numbers and list prices; docs/costs.md is written from it."""
