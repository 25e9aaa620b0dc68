"""Speed, measured side by side and never asserted in a test."""
